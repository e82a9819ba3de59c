"""CP-SAT on what the ejections cannot show: why it takes so many counters, and whether fewer would do.

*Apart*: two visits are apart when they can never share a counter, because they overlap or no counter takes both. Of
visits that are apart from each other each needs a counter of its own, so as many counters are needed as there are
such visits, and whoever doubts it can check the list pair by pair. Visits that are there at one moment are apart; but a
visit of the morning and one of the evening are too when every counter takes only what is close in time, and then
far more counters are needed than are ever busy at once (in the public instances 186 against 66).

*Cliques*: to find such visits, every pair that is not apart has to be forbidden. Pair by pair that is too weak for the
solver to see through; visits of which no two are apart are a clique, at most one of them can be chosen, and a few
thousand cliques contain all the pairs.

One worker, a fixed seed, a deterministic limit: the same problem gets the same answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ortools.sat.python import cp_model

from rdv.engine.seating import bits
from rdv.engine.solver import Infeasible, Model, Undecided, moments_of, too_large
from rdv.engine.visits import Problem, Seat, Visit


def apart(visits: Sequence[Visit], *, seconds: float) -> tuple[str, ...]:
    """Return visits that are all apart from each other, by id: as many as can be found in deterministic seconds."""
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in visits]
    for clique in _cliques(_sharing(visits)):
        model.add_at_most_one(chosen[at] for at in clique)
    model.maximize(sum(chosen))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = seconds
    solver.parameters.catch_sigint_signal = False  # see solver.py
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return ()
    return tuple(visit.id for visit, one in zip(visits, chosen, strict=True) if solver.value(one))


def seat_at_fewest(problem: Problem, *, at_least: int, seconds: float) -> dict[str, Seat] | Infeasible | Undecided:
    """Return seats for all visits at the fewest counters, which are known to be `at_least` so many."""
    if too_large(problem):
        return Undecided()
    visits = tuple(replace(visit, counter=None) for visit in problem.visits)  # who wants to stay would cost counters
    model = Model(replace(problem, visits=visits), (), all_sit=True, seconds=seconds)
    opened = [model.cp.new_int_var(0, len(members), "") for members in model.classes]
    for k, count in enumerate(opened):
        for live in moments_of([visit for visit in visits if k in model.in_class[visit.id]]):
            model.cp.add(sum(model.in_class[visit.id][k] for visit in live) <= count)
    model.cp.add(sum(opened) >= at_least)
    model.cp.minimize(sum(opened))
    return model.solve()


def _sharing(visits: Sequence[Visit]) -> list[int]:
    """Return, for each visit, the set of the others (by their places in the list) that it is not apart from."""
    return [
        sum(
            1 << at
            for at, other in enumerate(visits)
            if other.counters & visit.counters and (other.until <= visit.start or visit.until <= other.start)
        )
        for visit in visits
    ]


def _cliques(sharing: Sequence[int]) -> Iterator[list[int]]:
    """Yield sets of visits of which no two are apart, so that each pair that is not apart is in one of them.

    Each grows from a pair that is in none so far, by whoever leaves most to choose from, such pairs first.
    """
    missing = list(sharing)
    for first, others in enumerate(sharing):
        while missing[first]:
            clique, common, fresh = [first], others, missing[first]
            while common:
                member = max(bits(common & fresh or common), key=lambda at: (sharing[at] & common).bit_count())
                clique.append(member)
                common &= sharing[member]
                fresh &= ~(1 << member)
            covered = sum(1 << at for at in clique)
            for at in clique:
                missing[at] &= ~covered
            yield clique
