"""Who loses their place when some of 40 counters that differ are closed for a day, once with 50 agents.

The office of `counts.py`. The answer is compared with CP-SAT's with a variable for each visit and counter, which may
not strand fewer; with one deterministic second for each half of the day it does not decide most of them.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from typing import Any

from benchmarks.counts import office
from benchmarks.engine import FIRST, written
from rdv.engine import solver
from rdv.engine.assignment import place
from rdv.engine.compile import Compiled
from rdv.engine.slots import Office
from rdv.engine.values import Closure, Instance
from rdv.engine.visits import Problem

CLOSED = (2, 6, 12, 20)
REFERENCE_SECONDS = 1.0  # deterministic, for each half of the day
DAY = FIRST + timedelta(days=1)


def run() -> list[dict[str, Any]]:
    """Return the rows of the table; whoever is stranded without need, or undecided, stops the run."""
    return [_measured(closed, staffed=staffed) for staffed in (False, True) for closed in CLOSED]


def _measured(closed: int, *, staffed: bool) -> dict[str, Any]:
    instance = _with_closed(office(staffed=staffed), closed)
    began = perf_counter()
    stranded, _ = Office(instance, DAY, DAY).disturbed()
    seconds = perf_counter() - began
    ours = theirs = 0
    reference = 0.0
    undecided = 0
    for half in _halves(instance):
        placement = place(half)
        assert not placement.undecided
        ours += len(placement.stranded)
        began = perf_counter()
        found = solver.place(half, seconds=REFERENCE_SECONDS)
        reference += perf_counter() - began
        undecided += found.undecided
        theirs += len(found.stranded)
        assert len(placement.stranded) <= len(found.stranded)
        assert found.undecided or set(found.stranded) == set(placement.stranded)
    assert ours == len(stranded)
    return {
        "name": f"{closed} of 40 counters closed{', 50 agents' if staffed else ''}",
        "value": written(seconds),
        "reference": f"{written(reference)} a variable for each visit and counter",
        "ratio": seconds / reference,
        "checked": f"{ours} stranded, none undecided; {theirs} there, {undecided} of 2 halves undecided",
    }


def _with_closed(instance: Instance, closed: int) -> Instance:
    closure = Closure(
        from_date=DAY,
        from_minute=0,
        to_date=DAY + timedelta(days=1),
        to_minute=0,
        counters=frozenset(f"C{at}" for at in range(closed)),
    )
    of_day = tuple(one for one in instance.appointments if one.start.date() == DAY)
    return replace(instance, closures=(closure,), appointments=of_day)


def _halves(instance: Instance) -> Iterator[Problem]:
    """Yield the problem of the morning, and that of the afternoon."""
    compiled = Compiled(instance, DAY, DAY)
    visits = list(compiled.visits())
    for morning in (True, False):
        yield Problem(
            visits=tuple(v for v in visits if (compiled.horizon.moment(v.start).hour < 13) == morning),
            counter_count=len(instance.counters),
            agent_count=len(compiled.present),
        )
