"""From wall-clock rules to open intervals as instants.

This is the only module that knows time zones and recurrence. An instant here is a whole minute since 1970-01-01 UTC
(an `int`); a day is a proleptic ordinal (`date.toordinal`); a wall-clock time is a day and a minute of it, 0 to 1440.

Which instant a wall-clock time means, with Europe/Paris in 2027 and 2026:

* usually there is one: 2027-03-27 09:00 is 08:00 UTC;
* in the gap of spring (02:30 on 2027-03-28 does not exist) it is the first instant after the gap, 01:00 UTC, when the
  clocks show 03:00;
* in the fold of autumn (02:30 on 2026-10-25 is there twice) it is the first of the two, 00:30 UTC.

Bounds are converted one by one and never added to afterwards, so a range that spans a change of the clocks is an hour
shorter or longer, and a range inside the gap is empty. The conversion never goes backwards: a later wall-clock time
never means an earlier instant.

An open interval may have begun before the days that were asked for (an office that never closes): the start grid hangs
on its beginning, so the beginning is searched day by day until there is a gap, at the latest on `FIRST_DAY`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from rdv.engine.values import MINUTES_PER_DAY, Agent, Counter, DayException, Instance, Opening, WallRange

FIRST_DAY = date(1970, 1, 1).toordinal()  # no opening is considered before this day
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Interval = tuple[int, int]


def instant_of(moment: datetime) -> int:
    """Return an aware datetime as whole minutes since 1970 UTC; seconds are dropped."""
    return int((moment - EPOCH).total_seconds() // 60)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Unite intervals, ascending; overlapping and adjacent ones become one, empty ones vanish."""
    union: list[Interval] = []
    for begin, end in sorted(intervals):
        if begin >= end:
            continue
        if union and begin <= union[-1][1]:
            if end > union[-1][1]:
                union[-1] = (union[-1][0], end)
        else:
            union.append((begin, end))
    return union


class WallClock:
    """One zone's wall clock; remembers each day's offset."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.five_minutes = True  # whether every offset and change met so far is a multiple of 5 minutes
        self._plain: dict[int, int | None] = {}

    def instant(self, day: int, minute: int) -> int:
        """Return the minute since 1970 UTC that the wall-clock time means (gaps and folds: see the module)."""
        try:
            plain = self._plain[day]
        except KeyError:
            plain = self._plain[day] = self._midnight_of_plain_day(day)
        return self._search(day, minute) if plain is None else plain + minute

    def day_of(self, instant: int) -> int:
        """Return the local day that contains the instant."""
        return self.local(instant).toordinal()

    def local(self, instant: int) -> datetime:
        """Return the instant as an aware local time."""
        return (EPOCH + timedelta(minutes=instant)).astimezone(self.zone)

    def _midnight_of_plain_day(self, day: int) -> int | None:
        """Return the instant of 00:00 when the offset is the same all day, else None."""
        first, _ = self._offsets(day, 0)
        _, last = self._offsets(day + 1, 0)
        self.five_minutes = self.five_minutes and first % 5 == 0
        return (day - FIRST_DAY) * MINUTES_PER_DAY - first if first == last else None

    def _offsets(self, day: int, minute: int) -> tuple[int, int]:
        """Return the two readings' offsets in minutes (equal when the wall-clock time has one reading)."""
        wall = datetime.fromordinal(day) + timedelta(minutes=minute)
        early, late = (wall.replace(tzinfo=self.zone, fold=fold).utcoffset() for fold in (0, 1))
        return _minutes(early), _minutes(late)

    def _search(self, day: int, minute: int) -> int:
        early, late = self._offsets(day, minute)
        wall = (day - FIRST_DAY) * MINUTES_PER_DAY + minute
        # In a fold the first reading has the larger offset. In a gap it is the other way round, and the two readings
        # enclose the change of the clocks: the first instant with the later offset ends the gap.
        if early < late:
            window = range(wall - late, wall - early + 1)
            found = window[bisect_left(window, x=True, key=lambda at: _minutes(self.local(at).utcoffset()) == late)]
        else:
            found = wall - early
        self.five_minutes = self.five_minutes and (found - minute) % 5 == 0
        return found


def _minutes(offset: timedelta | None) -> int:
    return int(offset.total_seconds()) // 60 if offset else 0


@dataclass(frozen=True)
class Calendar:
    """Recurring and dated openings with their exceptions: equal calendars have equal open intervals.

    `own` exceptions beat `fallback` ones (the office's) of the same date; several of one date are united. Exceptions
    replace recurring openings only.
    """

    openings: tuple[Opening, ...]
    own: tuple[DayException, ...] = ()
    fallback: tuple[DayException, ...] = ()

    @cached_property
    def _replaced(self) -> dict[int, list[Interval]]:
        return by_day(self.fallback) | by_day(self.own)

    @cached_property
    def _dated(self) -> dict[int, list[Interval]]:
        dated: dict[int, list[Interval]] = {}
        for opening in self.openings:
            if opening.date is not None:
                dated.setdefault(opening.date.toordinal(), []).append((opening.start_minute, opening.end_minute))
        return dated

    @cached_property
    def _recurring(self) -> tuple[tuple[Opening, ...], ...]:
        """Return the recurring openings of each weekday, Monday first."""
        return tuple(tuple(o for o in self.openings if weekday in o.weekdays) for weekday in range(1, 8))

    def ranges(self, day: int) -> list[Interval]:
        """Return the open ranges of one local day in wall-clock minutes, neither sorted nor merged."""
        replaced = self._replaced.get(day)
        if replaced is None:
            recurring = self._recurring[(day - 1) % 7]
            replaced = [(o.start_minute, o.end_minute) for o in recurring if runs_on(o, day)]
        return replaced + self._dated.get(day, [])


def calendar_of(instance: Instance, counter: Counter) -> Calendar:
    """Return a counter's calendar: its own openings, or the office's, whose exceptions its own beat."""
    if counter.openings:
        return Calendar(counter.openings, counter.exceptions)
    return Calendar(instance.openings, counter.exceptions, instance.exceptions)


def presence_of(agent: Agent) -> Calendar:
    """Return the calendar of an agent's own openings."""
    return Calendar(agent.openings, agent.exceptions)


def closures_of_counters(instance: Instance) -> list[tuple[int, ...]]:
    """Return, for each counter, the places in the list of the closures that concern it."""
    own: dict[str, list[int]] = {}
    everywhere = []
    for at, closure in enumerate(instance.closures):
        if closure.counters is None:
            everywhere.append(at)
        for counter in closure.counters or ():
            own.setdefault(counter, []).append(at)
    return [tuple(everywhere + own.get(counter.id, [])) for counter in instance.counters]


def by_day(exceptions: Sequence[DayException]) -> dict[int, list[Interval]]:
    """Return the ranges that replace each exceptional day's recurring openings."""
    days: dict[int, list[Interval]] = {}
    for exception in exceptions:
        days.setdefault(exception.date.toordinal(), []).extend(exception.ranges)
    return days


def runs_on(opening: Opening, day: int) -> bool:
    """Whether a recurring opening takes place on a day of one of its weekdays."""
    if opening.from_date is not None:
        begin = opening.from_date.toordinal()
        weeks = (_monday(day) - _monday(begin)) // 7
        if day < begin or weeks % opening.every_weeks:
            return False
    if opening.until_date is not None and day > opening.until_date.toordinal():
        return False
    return opening.nth_of_month is None or _is_nth(opening.nth_of_month, day)


def _monday(day: int) -> int:
    return day - (day - 1) % 7


def _is_nth(wanted: frozenset[int], day: int) -> bool:
    of_month = date.fromordinal(day).day
    next_month = (date.fromordinal(day - of_month + 1) + timedelta(days=31)).replace(day=1).toordinal()
    return (of_month - 1) // 7 + 1 in wanted or -1 - (next_month - 1 - day) // 7 in wanted


def open_intervals(calendar: Calendar, clock: WallClock, first: int, last: int) -> list[Interval]:
    """Return the merged open intervals, as instants, that touch the local days `first` to `last`, both included.

    The first one has its true beginning, however long ago; the last one may really end later than the last day.
    """
    intervals = merged(_instants(calendar, clock, range(first, last + 1)))
    day = first
    while day > FIRST_DAY and intervals and intervals[0][0] == clock.instant(day, 0):
        day -= 1
        before = merged(_instants(calendar, clock, (day,)))
        if not before or before[-1][1] < intervals[0][0]:
            break
        intervals[:1] = [(before[-1][0], intervals[0][1])]
    return intervals


def _instants(calendar: Calendar, clock: WallClock, days: Iterable[int]) -> Iterable[Interval]:
    instant = clock.instant
    for day in days:
        for start, end in calendar.ranges(day):
            yield instant(day, start), instant(day, end)


def wall_interval(wall: WallRange, clock: WallClock, first: int, last: int) -> Interval:
    """Turn a wall-clock range into instants, cut to the local days `first` to `last` (empty outside them)."""
    begin, end = (wall.from_date.toordinal(), wall.from_minute), (wall.to_date.toordinal(), wall.to_minute)
    low, high = max(begin, (first, 0)), min(end, (last, MINUTES_PER_DAY))
    return (clock.instant(*low), clock.instant(*high)) if low < high else (0, 0)
