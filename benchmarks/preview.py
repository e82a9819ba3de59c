"""Previewing a change of the largest office over a year: what the engine does for `planningPreview`.

One counter is closed on Tuesdays. Both sides are compiled, whoever stands there gets a place again or is stranded, and
starts are counted by reason and day. The reference is what a client could do without it: search both sides with
windows of 62 days, counts left out. Counts are checked against lists of minutes, as `engine` does.
"""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from time import perf_counter
from typing import Any

from benchmarks.engine import FIRST, Size, by_lists, frozen
from rdv.engine.columns import Columns
from rdv.engine.outlook import Outlook
from rdv.engine.slots import Office
from rdv.engine.values import Closure, Instance

SIZE = Size("XL", 40, 365)
WINDOW = 62
REASONS = ("r15", "r30", "r45")


def changed(instance: Instance) -> Instance:
    """Return the office with one counter closed on Tuesdays."""
    tuesdays = [FIRST + timedelta(days=1 + 7 * week) for week in range(52)]
    closures = tuple(
        Closure(
            counters=frozenset({"C3"}),
            from_date=day,
            from_minute=0,
            to_date=day,
            to_minute=24 * 60,
        )
        for day in tuesdays
    )
    return replace(instance, closures=closures)


def previewed(before: Instance, after: Instance, last: date) -> tuple[list[dict[date, int]], int, int]:
    """Return starts by day of each reason before and after, who is stranded and who moves."""
    sides = [Outlook(one, FIRST, last) for one in (before, after)]
    lost, moved = sides[1].disturbed()
    (query,) = before.queries
    counts = [side.starts(replace(query, reason=reason)) for reason in REASONS for side in sides]
    return counts, len(lost), len(moved)


def searched(instances: tuple[Instance, Instance], last: date) -> int:
    """Return how many starts there are, window by window."""
    found = 0
    for instance in instances:
        (query,) = instance.queries
        first = FIRST
        while first <= last:
            end = min(first + timedelta(days=WINDOW - 1), last)
            office = Office(replace(instance, rules=replace(instance.rules, max_lead_days=None)), first, end)
            for reason in REASONS:
                asked = replace(query, reason=reason, from_date=first, to_date=end)
                found += len(office.answer(asked, now=instance.now, remaining=False).starts)
            first = end + timedelta(days=1)
    return found


def run() -> list[dict[str, Any]]:
    """Return the row of the table."""
    before = frozen(SIZE)
    # As rows give them: appointments in columns.
    columns = Columns.of(before.appointments)
    before = replace(before, rules=replace(before.rules, max_lead_days=None), appointments=columns)
    after, last = changed(before), FIRST + timedelta(days=SIZE.days - 1)
    times = []
    for _ in range(3):
        began = perf_counter()
        counts, lost, moved = previewed(before, after, last)
        times.append(perf_counter() - began)
    began = perf_counter()
    total = searched((before, after), last)
    took = perf_counter() - began
    by_day = Counter(start.date() for start in by_lists(before))
    right = counts[2] == by_day and total == sum(sum(one.values()) for one in counts)
    value = f"{min(times):.2f} s; {len(before.appointments)} visits, {moved} move, {lost} stranded"
    return [
        {
            "name": f"preview: {SIZE.counters} counters, {SIZE.days} days",
            "value": value,
            "reference": f"searched: {took:.2f} s",
            "ratio": took / min(times),
            "checked": "right" if right else "WRONG",
        }
    ]
