"""What to expect: from past appointments to minutes by day, block and reason.

An average week: for each weekday and block the minutes booked, over those of the last weeks on which the office was
open then, the latest weeks counting more. Holidays and closures are left out, since nothing was booked on them for want
of an opening rather than of usagers.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from rdv.engine.roster.values import Demand, Visit

FADING = 0.9  # how much less each week further back counts


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


def beyond(expected: Iterable[Demand], booked: Iterable[Visit], *, block_minutes: int) -> tuple[Demand, ...]:
    """Return what is expected beyond what is booked."""
    promised: dict[tuple[date, int, str], int] = defaultdict(int)
    for one in booked:
        for block, share in _spread(one, block_minutes):
            promised[one.date, block * block_minutes, one.reason] += share
    left = (replace(d, minutes=max(d.minutes - promised[d.date, d.start_minute, d.reason], 0)) for d in expected)
    return tuple(one for one in left if one.minutes)


def _spread(visit: Visit, block_minutes: int) -> list[tuple[int, int]]:
    """Return how many minutes of a visit fall into which blocks of its day."""
    start, end = visit.start_minute, visit.end_minute
    blocks = range(start // block_minutes, -(-end // block_minutes))
    return [(at, min(end, (at + 1) * block_minutes) - max(start, at * block_minutes)) for at in blocks]
