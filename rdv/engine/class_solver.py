"""The last resort of `half.py`: CP-SAT on classes and shapes.

The variables tell how many of each shape are in each class (see `classes.py`). At each tick at which somebody begins a
class has no more than its counters. There are far fewer of these numbers than there are pairs of a visit and a counter,
no two answers differ by names only, and the ticks of a class make rows of consecutive ones, which the linear relaxation
solves nearly by itself: a count that took 160 seconds with a variable for each visit and class takes 15 ms. Where each
counter is a class of its own there is little to gain.

One worker, a fixed seed, a deterministic limit: the same question gets the same answer.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from rdv.engine.budget import Purse
from rdv.engine.classes import Shape
from rdv.engine.seating import bits

ROUNDING = 1e-6
MOST_TERMS = 500_000  # in all that a model says of ticks: what would take seconds to write down is not tried


@dataclass(frozen=True, slots=True)
class Found:
    """How many newcomers fit for certain, how many at most, and who is in each class then: empty when it is unknown."""

    count: int
    at_most: int
    inside: list[Counter[Shape]]


def most(sizes: Sequence[int], shapes: Mapping[Shape, int], new: Shape, *, wanted: int, purse: Purse) -> Found | None:
    """Return how many of a new shape, up to `wanted`, fit beside all others; None: too large, or not found out in time.

    `sizes`: the counters of each class; `shapes`: how many there are of each.
    """
    if purse.seconds <= 0:
        return None
    model = cp_model.CpModel()
    every = [*shapes.items(), (new, wanted)]
    there = [{at: model.new_int_var(0, min(count, sizes[at]), "") for at in bits(one.classes)} for one, count in every]
    for (_, count), where in zip(every[:-1], there, strict=False):
        model.add(sum(where.values()) == count)
    terms = 0
    for tick in sorted({one.span & -one.span for one, _ in every}):
        live = [where for (one, _), where in zip(every, there, strict=True) if one.span & tick]
        terms += sum(map(len, live))
        if terms > MOST_TERMS:
            return None
        for at, size in enumerate(sizes):
            model.add(sum(where[at] for where in live if at in where) <= size)
    comers = sum(there[-1].values())
    model.add(comers <= wanted)
    model.maximize(comers)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = purse.seconds
    solver.parameters.cp_model_presolve = False  # takes longer than the solving
    solver.parameters.catch_sigint_signal = False  # see solver.py
    status = solver.solve(model)
    purse.seconds -= solver.response_proto.deterministic_time
    at_most = min(max(math.floor(solver.best_objective_bound + ROUNDING), 0), wanted)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Found(0, at_most, [])
    inside = [Counter[Shape]() for _ in sizes]
    for (one, _), where in zip(every, there, strict=True):
        for at, variable in where.items():
            if count := solver.value(variable):
                inside[at][one] += count
    return Found(round(solver.objective_value), at_most, inside)
