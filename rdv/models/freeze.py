"""The freeze: from a wall-clock time on, a day's appointments stay where they are, because agents were told.

By default that is 18:00 on the eve. A frozen day still takes new appointments where there is room as things stand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rdv.engine.calendar import EPOCH, WallClock, instant_of
from rdv.models.office_reads import OfficeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """What starts before `before` is frozen, until `until`, when another day will be."""

    before: datetime
    until: datetime


def freeze_at(office: OfficeRecord, now: datetime) -> Freeze:
    """Return what is frozen at an office at a moment."""
    clock = WallClock(ZoneInfo(office.time_zone))
    today = clock.day_of(instant_of(now))
    passed = _moment(clock, today, office.freeze_minute) <= now
    next_freeze = today + passed
    return Freeze(
        # The days whose freeze has passed end with the one that `next_freeze` is about to follow.
        before=_moment(clock, next_freeze + office.freeze_days_before, 0),
        until=_moment(clock, next_freeze, office.freeze_minute),
    )


def _moment(clock: WallClock, day: int, minute: int) -> datetime:
    return EPOCH + timedelta(minutes=clock.instant(day, minute))
