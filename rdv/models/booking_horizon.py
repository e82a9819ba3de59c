"""Until which day an office can be booked, where that is more than a number of days that moves on at midnight.

A new day may open at a wall-clock time of the office rather than at midnight, days may be counted as open ones only, or
days may open by publication. The engine knows a number of days ahead of today; here it is worked out for one moment,
with the moment at which it has to be worked out again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rdv.engine.calendar import EPOCH, WallClock, calendar_of, closures_of_counters, instant_of, merged, wall_interval
from rdv.engine.values import Instance
from rdv.models.office_reads import OfficeRecord

FURTHEST_DAYS = 400  # open days are not looked for beyond this


@dataclass(frozen=True, slots=True)
class BookingHorizon:
    """The last bookable day is `days` after today (-1: none is, None: any is), until the moment `until`."""

    days: int | None
    until: datetime | None = None


def is_plain(office: OfficeRecord) -> bool:
    """Tell whether the engine can work the horizon out by itself, for any moment."""
    return office.auto_open and office.open_minute == 0 and not office.lead_in_open_days


def horizon_at(office: OfficeRecord, instance: Instance, now: datetime) -> BookingHorizon:
    """Return the horizon at a moment; `instance` is the office at least from today to it (or to where one looks)."""
    if is_plain(office):
        return BookingHorizon(office.max_lead_days)
    clock = WallClock(ZoneInfo(office.time_zone))
    today = clock.day_of(instant_of(now))
    opens = _moment(clock, today, office.open_minute)
    until = opens if now < opens else _moment(clock, today + 1, 0)
    # Before the day's new day has opened, yesterday's horizon holds.
    counted_from = today if now >= opens else today - 1
    if not office.auto_open:
        published = office.published_until.toordinal() if office.published_until else today - 1
        furthest = None if office.max_lead_days is None else _last(office, instance, clock, counted_from)
        last = published if furthest is None else min(published, furthest)
    elif office.max_lead_days is None:
        return BookingHorizon(None)
    else:
        last = _last(office, instance, clock, counted_from)
    return BookingHorizon(max(last - today, -1), until)


def _last(office: OfficeRecord, instance: Instance, clock: WallClock, counted_from: int) -> int:
    ahead = office.max_lead_days or 0
    if not office.lead_in_open_days:
        return counted_from + ahead
    shut = _shut(instance, clock, counted_from)
    day, found = counted_from, 0
    while found < ahead and day < counted_from + FURTHEST_DAYS:
        day += 1
        found += _is_open(instance, clock, shut, day)
    return day


def _shut(instance: Instance, clock: WallClock, first: int) -> list[list[tuple[int, int]]]:
    """Return, for each counter, when it is closed."""
    walls = [wall_interval(c, clock, first, first + FURTHEST_DAYS) for c in instance.closures]
    return [merged(walls[at] for at in those) for those in closures_of_counters(instance)]


def _is_open(instance: Instance, clock: WallClock, shut: list[list[tuple[int, int]]], day: int) -> bool:
    """Tell whether some counter is open on a day, at least for a while."""
    return any(
        not any(begin <= clock.instant(day, start) and clock.instant(day, end) <= stop for begin, stop in closed)
        for counter, closed in zip(instance.counters, shut, strict=True)
        for start, end in calendar_of(instance, counter).ranges(day)
    )


def _moment(clock: WallClock, day: int, minute: int) -> datetime:
    return EPOCH + timedelta(minutes=clock.instant(day, minute))
