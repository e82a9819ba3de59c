"""The span of time one compiled situation covers, and the translation between instants and its ticks.

Tick 0 is the local midnight that begins the first day. A tick is 5 minutes when every time of the situation is a
multiple of 5 minutes, else 1; answers do not depend on it. Instants are minutes since 1970 UTC, as in `calendar.py`.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from rdv.engine.calendar import EPOCH, FIRST_DAY, WallClock
from rdv.engine.columns import Columns
from rdv.engine.values import (
    MINUTES_PER_DAY,
    Agent,
    Counter,
    DayException,
    Instance,
    Opening,
    Reason,
    WallRange,
)

ZERO = timedelta(0)
MOMENTS_KEPT = 50_000  # of some 400 bytes: the starts of some hundred days, of a few zones


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """`length` ticks of `tick` minutes from the instant `origin`; queries may ask for the days `first` to `last`."""

    clock: WallClock
    tick: int
    origin: int
    length: int
    first: int
    last: int

    def at(self, instant: int) -> int:
        """Return the first tick at or after an instant; it may lie outside the horizon."""
        return -((self.origin - instant) // self.tick)

    def clipped(self, begin: int, end: int) -> tuple[int, int]:
        """Turn an interval of instants into ticks within the horizon; it may be empty (begin >= end)."""
        return max(self.at(begin), 0), min(self.at(end), self.length)

    def earliest(self, moment: datetime, lead_minutes: int) -> int:
        """Return the first tick at or after a moment plus a lead; the moment may carry seconds."""
        minutes = math.ceil((moment - EPOCH).total_seconds() / 60) + lead_minutes
        return self.at(minutes)

    def days(self, first: int, last: int) -> tuple[int, int]:
        """Return the ticks `[begin, end)` of the local days `first` to `last`, both included, within the horizon."""
        first, last = max(first, self.first), min(last, self.last)
        if first > last:
            return 0, 0
        return self.clipped(self.clock.instant(first, 0), self.clock.instant(last + 1, 0))

    def next_day(self, moment: datetime) -> datetime:
        """Return when the local day after a moment's begins."""
        today = moment.astimezone(self.clock.zone).date()
        return EPOCH + timedelta(minutes=self.clock.instant(day_from(today, 1), 0))

    def moment(self, tick: int) -> datetime:
        """Return a tick as an aware datetime with the office's offset at that moment.

        The offset is fixed, not the zone: datetimes of one zone are equal in the repeated hour of autumn, and in that
        hour never equal to the same moment of another zone, so they would be neither keys nor comparable.
        """
        return _moment(self.clock.zone, self.origin + tick * self.tick)


@lru_cache(MOMENTS_KEPT)
def _moment(zone: ZoneInfo, instant: int) -> datetime:
    """Return an instant with the zone's offset; thousands of offices share theirs."""
    local = (EPOCH + timedelta(minutes=instant)).astimezone(zone)
    return local.replace(tzinfo=timezone(local.utcoffset() or ZERO), fold=0)


def day_from(day: date, later: int = 0) -> int:
    """Return the ordinal of the day `later` days after `day`, kept between 1970 and the calendar's last years."""
    return min(max(day.toordinal() + later, FIRST_DAY), date.max.toordinal() - 10)


def step_minutes(instance: Instance, reason: Reason) -> int:
    """Return the distance between a reason's starts: its own, else the office's, else its duration."""
    own = instance.rules.step_minutes if reason.step_minutes is None else reason.step_minutes
    return own or reason.duration_minutes


def days_covered(live: Columns, clock: WallClock, first: int, last: int, longest: int) -> tuple[int, int]:
    """Return the local days to compile: those asked for, those with a live appointment, and what these run into."""
    last += longest // MINUTES_PER_DAY + 2
    if len(live):
        # Where the clock goes back over midnight, a later instant may be on an earlier day.
        first = min(first, clock.day_of(int(live.start.min())) - 1)
        last = max(last, clock.day_of(int((live.start + live.duration + live.buffer).max())) + 1)
    return first, last


def all_fives(instance: Instance, live: Columns) -> bool:
    """Tell whether every bound, step, duration and buffer is a multiple of 5 minutes."""
    owners: list[Instance | Counter | Agent] = [instance, *instance.counters, *(instance.agents or ())]
    walls: list[WallRange] = [*instance.closures, *(r for a in instance.agents or () for r in a.absences)]
    return (
        all(_opening_fives(o) for owner in owners for o in owner.openings)
        and all(_exception_fives(e) for owner in owners for e in owner.exceptions)
        and all(wall.from_minute % 5 == 0 == wall.to_minute % 5 for wall in walls)
        and all(r.duration_minutes % 5 == 0 == r.buffer_minutes % 5 for r in instance.reasons)
        and all(step_minutes(instance, r) % 5 == 0 for r in instance.reasons)
        and not any((column % 5).any() for column in (live.start, live.duration, live.buffer))
    )


def _opening_fives(opening: Opening) -> bool:
    return opening.start_minute % 5 == 0 == opening.end_minute % 5


def _exception_fives(exception: DayException) -> bool:
    return all(start % 5 == 0 == end % 5 for start, end in exception.ranges)
