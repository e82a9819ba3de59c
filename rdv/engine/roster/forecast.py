"""What to expect: from past appointments to minutes by day, block and reason.

An average week: for each weekday and block the minutes booked, over those of the last weeks on which the office was
open then, the latest weeks counting more. Holidays and closures are left out, since nothing was booked on them for want
of an opening rather than of usagers.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from rdv.engine.roster.values import Demand

FADING = 0.9  # how much less each week further back counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An appointment; the duration is the counter's, buffer included."""

    date: date
    start_minute: int
    duration_minutes: int
    reason: str


def forecast(
    visits: Iterable[Visit], open_days: Sequence[date], days: Sequence[date], *, block_minutes: int
) -> tuple[Demand, ...]:
    """Return what to expect on some days from visits on the past days on which the office was open.

    Without a past day of its weekday a day is expected to be like the average past day.
    """
    if not open_days:
        return ()
    latest = max(open_days)
    weight = {day: FADING ** ((latest - day).days // 7) for day in open_days}
    minutes: dict[tuple[int | None, int, str], float] = defaultdict(float)
    for one in visits:
        if one.date not in weight:
            continue
        for block, share in _spread(one, block_minutes):
            for weekday in (one.date.isoweekday(), None):
                minutes[weekday, block, one.reason] += share * weight[one.date]
    known = {day.isoweekday() for day in open_days}
    total = {w: sum(weight[d] for d in open_days if w is None or d.isoweekday() == w) for w in (*known, None)}
    found = []
    for day in days:
        weekday = day.isoweekday() if day.isoweekday() in known else None
        for (which, block, reason), sum_ in sorted(minutes.items(), key=str):
            expected = round(sum_ / total[weekday]) if which == weekday else 0
            if expected:
                found.append(Demand(date=day, start_minute=block * block_minutes, reason=reason, minutes=expected))
    return tuple(found)


def past_days(today: date, weeks: int) -> list[date]:
    """Return the days of the last whole weeks before today."""
    return [today - timedelta(days=n) for n in range(7 * weeks, 0, -1)]


def booked(visits: Iterable[Visit], *, block_minutes: int) -> tuple[Demand, ...]:
    """Return what is promised already, by day, block and reason."""
    minutes: dict[tuple[date, int, str], int] = defaultdict(int)
    for one in visits:
        for block, share in _spread(one, block_minutes):
            minutes[one.date, block, one.reason] += share
    return tuple(
        Demand(date=day, start_minute=block * block_minutes, reason=reason, minutes=many, booked=True)
        for (day, block, reason), many in sorted(minutes.items())
    )


def beyond(expected: Iterable[Demand], promised: Iterable[Demand]) -> tuple[Demand, ...]:
    """Return what is expected beyond what is promised."""
    known = {(one.date, one.start_minute, one.reason): one.minutes for one in promised}
    left = (
        replace(one, minutes=max(one.minutes - known.get((one.date, one.start_minute, one.reason), 0), 0))
        for one in expected
    )
    return tuple(one for one in left if one.minutes)


def _spread(visit: Visit, block_minutes: int) -> list[tuple[int, int]]:
    """Return how many minutes of a visit fall into which blocks of its day."""
    end = visit.start_minute + visit.duration_minutes
    blocks = range(visit.start_minute // block_minutes, -(-end // block_minutes))
    return [(at, min(end, (at + 1) * block_minutes) - max(visit.start_minute, at * block_minutes)) for at in blocks]
