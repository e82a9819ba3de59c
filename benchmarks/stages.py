"""Which stage decides how many starts of a nearly full office, how long a day takes, and that nothing stays undecided.

Offices L and XL of `engine.py`, but hard: two counters of five take two reasons of three only, some appointments are
pinned, and 70, 90 or 98 % of the time is booked. A *day-question* is one reason on one local day, asked of an office
that knows nothing yet but where everybody stands. Each start is settled by the first stage that can:

* *witness*: some counter is free as everybody stands;
* *count*: too many appointments at that time, or a case in which counting is all there is to it;
* *bound*: Hall's condition for every set of counters says no;
* *repair*: moving some others makes room;
* *solver*: CP-SAT decides.

The reference of the times is the same question put to CP-SAT start by start, without any other stage, on a sample of
the days; whatever it decides in time must be what we say.
"""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from statistics import mean, median
from time import perf_counter
from typing import Any

from benchmarks.engine import FIRST, SIZES, Size, frozen, written
from rdv.engine import solver, ticks
from rdv.engine.compile import Compiled
from rdv.engine.horizon import day_from
from rdv.engine.slots import Office
from rdv.engine.values import Instance, Query
from rdv.engine.visits import Problem

FILLS = {0.70: 0.538, 0.90: 0.82, 0.98: 0.96}  # share of time booked: chance that a visit is put rather than a gap
PINNED = 0.02
DEEPEST_FIRST = ("solver", "repair", "bound", "count", "witness")
REFERENCE_SECONDS = 1.0  # deterministic, per start
SAMPLE = 2  # days that the reference is asked about


def hard(size: Size, share: float) -> Instance:
    """Return a frozen office with specialised counters and pins."""
    instance = frozen(size, share)
    random = Random(7)
    takes = {
        c.id: frozenset(random.sample(["r15", "r30", "r45"], 2)) for at, c in enumerate(instance.counters) if at % 5 < 2
    }
    every = []
    for appointment in instance.appointments:
        allowed = takes.get(appointment.counter or "", {appointment.reason})
        # What its counter does not take comes for something else, and stays as long.
        reason = appointment.reason if appointment.reason in allowed else min(allowed)
        every.append(replace(appointment, reason=reason, pinned=random.random() < PINNED))
    return replace(
        instance,
        counters=tuple(replace(counter, reasons=takes.get(counter.id)) for counter in instance.counters),
        appointments=tuple(every),
    )


def run(sizes: tuple[str, ...] = ("L", "XL")) -> list[dict[str, Any]]:
    """Return the rows of the table; an answer that is not CP-SAT's, or an undecided start, stops the run."""
    return [row for size in SIZES if size.name in sizes for fill in FILLS for row in _measured(size, fill)]


def _measured(size: Size, fill: float) -> list[dict[str, Any]]:
    instance = hard(size, FILLS[fill])
    first, last = FIRST, FIRST + timedelta(days=size.days - 1)
    days = [day for day in (first + timedelta(days=n) for n in range(size.days)) if day.isoweekday() <= 5]
    office = Office(instance, first, last)
    settled: Counter[str] = Counter()
    deepest: dict[str, list[float]] = {}
    for reason in instance.reasons:
        for day in days:
            before = Counter(office.book.settled)
            began = perf_counter()
            office.answer(Query(reason=reason.id, from_date=day, to_date=day), remaining=False)
            seconds = perf_counter() - began
            now = office.book.settled - before
            stage = next(
                stage for stage in ("solver", "repair", "bound", "count", "witness", "") if now[stage] or not stage
            )
            deepest.setdefault(stage, []).append(seconds)
            settled += now
    assert office.undecided == 0, office.undecided
    every = [seconds for times in deepest.values() for seconds in times]
    ours, theirs, left_open = _against_solver(instance, days[:: len(days) // SAMPLE][:SAMPLE])
    booked = sum(a.duration_minutes for a in instance.appointments) / (len(days) * size.counters * 480)
    label = f"stages {size.name} at {booked:.0%}"
    shares = ", ".join(f"{stage} {count / settled.total():.1%}" for stage, count in settled.most_common())
    questions = ", ".join(
        f"{stage or 'nothing'} {len(times) / len(every):.0%} ({written(mean(times))})"
        for stage, times in deepest.items()
    )
    checked = f"{len(every)} day-questions, 0 undecided"
    return [
        {
            "name": f"{label}: median day",
            "value": written(median(every)),
            "reference": f"{written(theirs)} CP-SAT alone, {left_open} starts left open",
            "ratio": ours / theirs,
            "checked": checked,
        },
        {"name": f"{label}: worst day", "value": written(max(every)), "checked": checked},
        {"name": f"{label}: starts by stage", "value": shares},
        {"name": f"{label}: days by last stage (mean)", "value": questions},
    ]


def _against_solver(instance: Instance, days: list[date]) -> tuple[float, float, int]:
    """Answer some days afresh and by CP-SAT alone; return the seconds of both, and the starts CP-SAT left open."""
    office = Office(instance, days[0], days[-1])
    ours = theirs = 0.0
    left_open = 0
    for day in days:
        query = Query(reason="r30", from_date=day, to_date=day)
        began = perf_counter()
        offered = set(office.answer(query, remaining=False).starts)
        ours += perf_counter() - began
        began = perf_counter()
        verdicts = _by_solver(office.compiled, query)
        theirs += perf_counter() - began
        assert all(fits is None or fits == (start in offered) for start, fits in verdicts.items()), day
        left_open += list(verdicts.values()).count(None)
    return ours / len(days), theirs / len(days), left_open


def _by_solver(compiled: Compiled, query: Query) -> dict[datetime, bool | None]:
    """Put each start to CP-SAT with everybody of its day; None = not decided in time."""
    kind = compiled.kind(query.reason, query.channel, query.modality)
    begin, end = compiled.horizon.days(day_from(query.from_date), day_from(query.to_date))
    there = tuple(visit for visit in compiled.visits() if begin <= visit.start < end)
    problem = Problem(visits=there, counter_count=len(compiled.instance.counters))
    found: dict[datetime, bool | None] = {}
    for start in sorted(
        {t for _, starts in compiled.candidates(kind) for t in ticks.members(starts) if begin <= t < end}
    ):
        fit, undecided = solver.which_fit(problem, [compiled.candidate_visit(kind, start)], seconds=REFERENCE_SECONDS)
        found[compiled.horizon.moment(start)] = None if undecided else bool(fit)
    return found
