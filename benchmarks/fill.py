"""How many appointments an office takes when as many are wanted as it has time for, by how it offers its starts.

One day, 09:00 to 17:00, counters of which every third takes no 45 minutes. Usagers come one after another and pick at
random among the starts they are shown; who is shown none goes away. What all of them want is together as long as the
office is open: *plain*, always 30 minutes, or *mixed*, one in six 20 and one in six 45. The same usagers come to every
policy:

* *first fit*: a start is shown when some counter is free; the first such counter is taken for good, as most systems do;
* *best fit*: the same, with the counter on which the visit leaves the shortest gap;
* *exact*: the engine with `policy: ALL`, which decides on counters as late as it can;
* *compact*: the engine with `policy: COMPACT`;
* *clairvoyant*: as many of them, the shortest first, as their minutes have room for in those of all counters. No policy
  can take more, even if it knew all who come and told each when.

Gains are means over the seeds against first fit, with the 95 % confidence interval of the paired differences. Every
appointment of the engine is checked to be where nobody else is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import accumulate, product
from random import Random
from statistics import mean, stdev
from typing import Any
from zoneinfo import ZoneInfo

from rdv.engine.referee import violations
from rdv.engine.slots import Office
from rdv.engine.values import Appointment, Counter, Instance, Opening, Place, Policy, Query, Reason, Rules

ZONE = ZoneInfo("Europe/Paris")
DAY = date(2027, 3, 2)
MIDNIGHT = datetime(2027, 3, 2, tzinfo=ZONE)
OPEN, CLOSE = 9 * 60, 17 * 60
MINUTES = {"short": 20, "usual": 30, "long": 45}
DEMANDS = {"plain": (0, 1, 0), "mixed": (1, 4, 1)}  # how often which reason is wanted
SIZES = {3: 40, 6: 30, 12: 16, 20: 10}  # counters: seeds
STEPS = (5, 15)


@dataclass(frozen=True, slots=True)
class Day:
    """One day's circumstances."""

    demand: str
    counters: int
    step: int
    seed: int


Run = Callable[[Day], int]  # how many are taken


def office(day: Day, policy: Policy = Policy.ALL) -> Instance:
    """Return an empty office for the reasons that are wanted."""
    wanted = [reason for reason, weight in zip(MINUTES, DEMANDS[day.demand], strict=True) if weight]
    no_long = frozenset({"short", "usual"})
    return Instance(
        zone=ZONE,
        now=datetime(2027, 3, 1, 8, tzinfo=ZONE),
        rules=Rules(step_minutes=day.step, policy=policy),
        openings=(Opening(start_minute=OPEN, end_minute=CLOSE, weekdays=frozenset(range(1, 6))),),
        reasons=tuple(Reason(id=reason, duration_minutes=MINUTES[reason]) for reason in wanted),
        counters=tuple(Counter(id=f"C{at}", reasons=no_long if at % 3 == 2 else None) for at in range(day.counters)),
    )


def usagers(day: Day) -> list[str]:
    """Return the reasons of those who come, in order, until their minutes reach those of the office."""
    random = Random(day.seed)
    found: list[str] = []
    wanted = 0
    while wanted < day.counters * (CLOSE - OPEN):
        found += random.choices(list(MINUTES), DEMANDS[day.demand])
        wanted += MINUTES[found[-1]]
    return found


def first_fit(day: Day) -> int:
    return _early(day, lambda options, _: options[0])


def best_fit(day: Day) -> int:
    return _early(day, lambda options, gap: min(options, key=gap))


def _early(day: Day, choose: Callable[[list[int], Callable[[int], int]], int]) -> int:
    """Take a counter for good at each booking; `busy[c]` are its minutes that are taken, the night included."""
    random = Random(day.seed + 1_000)
    night = set(range(OPEN)) | set(range(CLOSE, 24 * 60 + 60))
    busy = [set(night) for _ in range(day.counters)]
    places = office(day).counters
    taken = 0
    for reason in usagers(day):
        minutes = MINUTES[reason]
        options: dict[int, list[int]] = {}
        for at, counter in enumerate(places):
            if counter.reasons is None or reason in counter.reasons:
                for start in range(OPEN, CLOSE - minutes + 1, day.step):
                    if busy[at].isdisjoint(range(start, start + minutes)):
                        options.setdefault(start, []).append(at)
        if not options:
            continue
        start = random.choice(sorted(options))

        def gap(at: int, start: int = start, minutes: int = minutes) -> int:
            before = next(m for m in range(start - 1, -2, -1) if m in busy[at] or m < 0)
            return next(m for m in range(start + minutes, 24 * 60 + 60) if m in busy[at]) - before

        busy[choose(options[start], gap)].update(range(start, start + minutes))
        taken += 1
    return taken


def exact(day: Day) -> int:
    return _engine(day, Policy.ALL)


def compact(day: Day) -> int:
    return _engine(day, Policy.COMPACT)


def _engine(day: Day, policy: Policy) -> int:
    random = Random(day.seed + 1_000)
    empty = office(day, policy)
    booked: dict[str, Appointment] = {}
    asked = Office(empty, DAY, DAY)
    for reason in usagers(day):
        query = Query(reason=reason, from_date=DAY, to_date=DAY)
        starts = asked.answer(query, remaining=False).starts
        if not starts:
            continue
        start = random.choice(starts)
        seated = asked.seat(query, start)
        assert seated is not None, "what is offered can be had"
        for name, place in seated.moves.items():
            booked[name] = replace(booked[name], counter=place.counter)
        new = Appointment(
            id=str(len(booked)),
            reason=reason,
            start=start,
            duration_minutes=MINUTES[reason],
            counter=seated.place.counter,
        )
        booked[new.id] = new
        asked = Office(replace(empty, appointments=tuple(booked.values())), DAY, DAY, before=asked)
    assert violations(asked.instance, {a.id: Place(a.counter or "") for a in booked.values()}) == []
    return len(booked)


def clairvoyant(day: Day) -> int:
    lengths = accumulate(sorted(MINUTES[reason] for reason in usagers(day)))
    return sum(length <= day.counters * (CLOSE - OPEN) for length in lengths)


POLICIES: dict[str, Run] = {
    "first fit": first_fit,
    "best fit": best_fit,
    "exact": exact,
    "compact": compact,
    "clairvoyant": clairvoyant,
}


def run(sizes: dict[int, int] = SIZES) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    cases = product(DEMANDS, sizes.items(), STEPS)
    return [row for demand, (counters, seeds), step in cases for row in _compared(demand, counters, step, seeds)]


def _compared(demand: str, counters: int, step: int, seeds: int) -> list[dict[str, Any]]:
    days = [Day(demand, counters, step, seed) for seed in range(seeds)]
    base = [first_fit(day) for day in days]
    rows = []
    for name, policy in POLICIES.items():
        taken = [policy(day) for day in days]
        gain, spread = _gain(taken, base)
        rows.append(
            {
                "name": f"fill {demand}, {counters} counters, every {step} min: {name}",
                "value": f"{mean(taken):.1f}",
                "reference": f"{mean(base):.1f} first fit",
                "ratio": mean(taken) / mean(base),
                "checked": f"{gain:+.1f} % ± {spread:.1f}, {seeds} seeds",
            }
        )
    return rows


def _gain(taken: Sequence[int], base: Sequence[int]) -> tuple[float, float]:
    """Return the mean gain in per cent of the base, and half the width of its 95 % confidence interval."""
    gains = [100 * (one - other) / mean(base) for one, other in zip(taken, base, strict=True)]
    return mean(gains), 1.96 * stdev(gains) / len(gains) ** 0.5
