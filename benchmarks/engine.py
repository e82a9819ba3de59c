"""The engine on four frozen offices: the time to the first answer, to the next, and whether they are right.

Every office has counters that take everything, open 09:00 to 17:00 from Monday to Friday, filled to 70 % with visits
of 15, 30 and 45 minutes by a seeded generator. Times are the best of several runs. The reference is the bare bit
operations that the answer cannot do without (a comb and an erosion per counter), on the same sets, in the same run.

The answers are checked against lists: with counters that are all alike, a start can be had k times if and only if at
no moment of the visit more than `counters - k` of the others are there.
"""

import gc
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from rdv.engine import ticks
from rdv.engine.slots import Office
from rdv.engine.values import Answer, Appointment, Counter, Instance, Opening, Policy, Query, Reason

ZONE = ZoneInfo("Europe/Paris")
FIRST = date(2027, 3, 1)
OPEN, CLOSE = 9 * 60, 17 * 60
SHARE_BOOKED = 0.538  # a visit of 30 minutes on average or else a gap of 15: 70 % of the time is booked
SEED = 20270301
LEGS = 5


@dataclass(frozen=True)
class Size:
    """A frozen office's name and size."""

    name: str
    counters: int
    days: int


SIZES = (Size("S", 3, 7), Size("M", 6, 30), Size("L", 20, 60), Size("XL", 40, 180))


def frozen(size: Size, share: float = SHARE_BOOKED) -> Instance:
    """Return the office of a size: always the same one. `share`: how often a visit is put rather than a gap."""
    random = Random(SEED)
    days = [FIRST + timedelta(days=n) for n in range(size.days)]
    appointments: list[Appointment] = []
    for day in (day for day in days if day.isoweekday() <= 5):
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
        for counter in range(size.counters):
            at = OPEN
            while at < CLOSE:
                minutes = min(random.choice((15, 30, 45)), CLOSE - at)
                if random.random() < share:
                    appointments.append(
                        Appointment(
                            id=str(len(appointments)),
                            reason=f"r{minutes}",
                            start=midnight + timedelta(minutes=at),  # no change of the clocks within the hours
                            duration_minutes=minutes,
                            counter=f"C{counter}",
                        )
                    )
                    at += minutes
                else:
                    at += 15
    return Instance(
        zone=ZONE,
        now=datetime(2027, 2, 28, 12, tzinfo=ZONE),
        openings=(Opening(start_minute=OPEN, end_minute=CLOSE, weekdays=frozenset(range(1, 6))),),
        reasons=tuple(Reason(id=f"r{minutes}", duration_minutes=minutes) for minutes in (15, 30, 45)),
        counters=tuple(Counter(id=f"C{counter}") for counter in range(size.counters)),
        appointments=tuple(appointments),
        queries=(Query(reason="r30", from_date=days[0], to_date=days[-1]),),
    )


def by_lists(instance: Instance) -> dict[datetime, int]:
    """Return the starts of the instance's query and how many fit, by walking through lists of minutes."""
    (query,) = instance.queries
    found: dict[datetime, int] = {}
    load: dict[datetime, int] = {}
    quarter = timedelta(minutes=15)
    for appointment in instance.appointments:
        for nth in range(appointment.duration_minutes // 15):
            moment = appointment.start + nth * quarter
            load[moment] = load.get(moment, 0) + 1
    for nth in range((query.to_date - query.from_date).days + 1):
        day = query.from_date + timedelta(days=nth)
        if day.isoweekday() > 5:
            continue
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
        for minute in range(OPEN, CLOSE - 15, 15):
            start = midnight + timedelta(minutes=minute)
            left = len(instance.counters) - max(load.get(start, 0), load.get(start + quarter, 0))
            if left:
                found[start] = left
    return found


def by_intervals(instance: Instance) -> Callable[[], set[datetime]]:
    """Return the usual way: for each counter a sorted list of what is booked, searched for each start of the grid.

    It knows nothing of rearranging: a start needs a counter that is free as everybody stands.
    """
    (query,) = instance.queries
    booked: dict[str, list[tuple[datetime, datetime]]] = {counter.id: [] for counter in instance.counters}
    for a in instance.appointments:
        booked[a.counter or ""].append((a.start, a.start + timedelta(minutes=a.duration_minutes)))
    for intervals in booked.values():
        intervals.sort()
    length = timedelta(minutes=30)
    grid = []
    for nth in range((query.to_date - query.from_date).days + 1):
        day = query.from_date + timedelta(days=nth)
        if day.isoweekday() <= 5:
            midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
            grid += [midnight + timedelta(minutes=minute) for minute in range(OPEN, CLOSE - 15, 15)]

    def starts() -> set[datetime]:
        found = set()
        for intervals in booked.values():
            for start in grid:
                at = bisect_left(intervals, (start + length,))
                if not at or intervals[at - 1][1] <= start:
                    found.add(start)
        return found

    return starts


def bare(office: Office) -> Callable[[], int]:
    """Return the bit operations that an answer cannot do without, on the office's sets."""
    compiled = office.compiled
    kind = compiled.kind("r30", "INTERNET", office.instance.queries[0].modality)
    counters = range(len(office.instance.counters))
    rooms = [(compiled.open(c), compiled.room(c) & ~office.book.busy(c)) for c in counters]
    anchors = compiled.open(0) & ~(compiled.open(0) << 1)

    def starts() -> int:
        union = 0
        for hours, free in rooms:
            union |= ticks.comb(anchors, hours, kind.step) & ticks.erode(free, kind.duration)
        return union

    return starts


def best(legs: int, work: Callable[[], Any], prepare: Callable[[], Any] = lambda: None) -> float:
    """Return the seconds that the fastest of several runs takes."""
    found = []
    for _ in range(legs):
        prepare()
        gc.collect()
        began = perf_counter()
        work()
        found.append(perf_counter() - began)
    return min(found)


def compact_office(instance: Instance, query: Query) -> Callable[[], Answer]:
    """Return the question to the same office under `policy: COMPACT`."""
    rules = replace(instance.rules, policy=Policy.COMPACT)
    office = Office(replace(instance, rules=rules), query.from_date, query.to_date)
    return lambda: office.answer(query, remaining=False)


def measured(size: Size) -> list[dict[str, Any]]:
    """Measure one office: the rows of the table."""
    instance = frozen(size)
    (query,) = instance.queries
    legs = LEGS if size.name != "XL" else 2
    offices: list[Office] = []

    def compiled() -> None:
        offices.append(Office(instance, query.from_date, query.to_date))

    def asked(*, remaining: bool) -> Answer:
        return offices[-1].answer(query, remaining=remaining)

    def placed() -> None:
        compiled()
        asked(remaining=False)

    compile_s = best(legs, compiled)
    first_s = best(legs, lambda: asked(remaining=False), prepare=compiled)
    counts_s = best(legs, lambda: asked(remaining=True), prepare=placed)
    warm_s = best(50, lambda: asked(remaining=False))
    warm_counts_s = best(50, lambda: asked(remaining=True))
    asked_compact = compact_office(instance, query)
    compact_s = best(50, asked_compact)
    bare_s = best(50, bare(offices[-1]))
    lists = by_intervals(instance)
    lists_s = best(3, lists)
    answer = asked(remaining=True)
    assert lists() <= set(answer.starts), "what is free as everybody stands is offered"
    right = dict(zip(answer.starts, answer.remaining, strict=True)) == by_lists(instance)
    checked = f"{len(answer.starts)} starts {'right' if right else 'WRONG'}"
    times = {
        "compile": compile_s,
        "first answer": first_s,
        "first counts": counts_s,
        "next answer": warm_s,
        "next answer with counts": warm_counts_s,
        "next answer of a compact office": compact_s,
        "sorted interval lists, without rearranging": lists_s,
    }
    label = f"{size.name} ({size.counters} counters, {size.days} days, {len(instance.appointments)} visits)"
    return [
        {
            "name": f"{label} {name}",
            "value": written(seconds),
            "reference": f"{written(bare_s)} bare bit operations",
            "ratio": seconds / bare_s,
            "checked": checked,
            "seconds": seconds,
        }
        for name, seconds in times.items()
    ]


def written(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


def run(sizes: Sequence[Size] = SIZES) -> list[dict[str, Any]]:
    """Return one row per office and question; an answer that is not right stops the run."""
    rows = [row for size in sizes for row in measured(size)]
    wrong = [row["name"] for row in rows if row["checked"].endswith("WRONG")]
    assert not wrong, wrong
    return rows


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:60} {row['value']:>12} {row['ratio']:10.1f} x {row['reference']}, {row['checked']}")
