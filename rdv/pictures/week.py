"""One office's week as values to be drawn.

Times are wall-clock minutes of the office's day, half-open; whatever crosses midnight is in pieces, each within one
day. No usager is in here: an appointment is a time, a reason and what has become of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

MINUTES_PER_DAY = 24 * 60
CELL_MINUTES = 30
USUAL_HOURS = (8 * 60, 18 * 60)  # what is drawn of a week in which nothing happens
WORKDAYS = 5

Span = tuple[int, int]


class State(StrEnum):
    """What has become of an appointment, as far as a picture shows it."""

    HELD = "HELD"
    BOOKED = "BOOKED"
    ARRIVED = "ARRIVED"
    MOVED = "MOVED"  # it will be at another counter than now
    STRANDED = "STRANDED"  # it has no place


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An appointment, or its piece of one day; the counter is taken until `until_minute`, a buffer later.

    `group` numbers the root of its reason, so that what is alike has one colour.
    """

    start_minute: int
    end_minute: int
    until_minute: int
    reason: str
    group: int
    state: State = State.BOOKED
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """An agent is at a counter for a while."""

    start_minute: int
    end_minute: int
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterDay:
    """One counter's day. `before`: when it was open, where a draft is compared; None = nothing is compared."""

    open: tuple[Span, ...] = ()
    before: tuple[Span, ...] | None = None
    walk_in: tuple[Span, ...] = ()
    blocks: tuple[Block, ...] = ()
    shifts: tuple[Shift, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.open or self.before or self.walk_in or self.blocks or self.shifts)

    @property
    def open_minutes(self) -> int:
        return sum(end - start for start, end in self.open)

    @property
    def busy_minutes(self) -> int:
        return sum(one.until_minute - one.start_minute for one in self.blocks if one.state is not State.STRANDED)

    @property
    def load(self) -> float | None:
        """The share that is taken, 0 to 1 and beyond where something stands outside the hours; None: not open."""
        return self.busy_minutes / self.open_minutes if self.open_minutes else None

    @property
    def opened(self) -> tuple[Span, ...]:
        """What is open that was not."""
        return () if self.before is None else tuple(minus(self.open, self.before))

    @property
    def shut(self) -> tuple[Span, ...]:
        """What was open and is not."""
        return () if self.before is None else tuple(minus(self.before, self.open))


@dataclass(frozen=True, kw_only=True)
class CounterWeek:
    """A counter and its days; days of nothing may be missing."""

    label: str
    days: Mapping[date, CounterDay]

    def on(self, day: date) -> CounterDay:
        return self.days.get(day, CounterDay())


@dataclass(frozen=True, kw_only=True)
class Week:
    """An office's week. `stranded` have no counter; `groups` names the roots of reasons by their number."""

    office: str
    code: str
    dates: Sequence[date]
    counters: Sequence[CounterWeek]
    stranded: Mapping[date, Sequence[Block]] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    groups: Mapping[int, str] = field(default_factory=dict)
    draft: int | None = None

    @cached_property
    def shown(self) -> list[date]:
        """The days worth drawing: from Monday to Friday, and others on which something is."""
        return [
            day
            for day in self.dates
            if day.isoweekday() <= WORKDAYS
            or self.stranded.get(day)
            or not all(one.on(day).empty for one in self.counters)
        ]

    @cached_property
    def hours(self) -> Span:
        """From which whole hour to which something happens on any day."""
        spans = [span for day in self.shown for span in self._spans(day)]
        if not spans:
            return USUAL_HOURS
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        return first // 60 * 60, min(-(-last // 60) * 60, MINUTES_PER_DAY)

    def cells(self, day: date) -> list[tuple[int, float | None]]:
        """Return each half-hour of the hours with the share of open counters that is taken; None: none is open."""
        return [(at, self._cell(day, at, at + CELL_MINUTES)) for at in range(*self.hours, CELL_MINUTES)]

    def load(self, day: date) -> float | None:
        """Return the share of a day's open time that is taken; None: nothing is open."""
        whole = sum(one.on(day).open_minutes for one in self.counters)
        return sum(one.on(day).busy_minutes for one in self.counters) / whole if whole else None

    def _cell(self, day: date, start: int, end: int) -> float | None:
        days = [one.on(day) for one in self.counters]
        whole = sum(overlap(span, (start, end)) for one in days for span in one.open)
        busy = sum(
            overlap((b.start_minute, b.until_minute), (start, end))
            for one in days
            for b in one.blocks
            if b.state is not State.STRANDED
        )
        return busy / whole if whole else None

    def _spans(self, day: date) -> Iterator[Span]:
        for one in (counter.on(day) for counter in self.counters):
            yield from (*one.open, *one.walk_in, *(one.before or ()))
            yield from ((b.start_minute, b.until_minute) for b in one.blocks)
        yield from ((b.start_minute, b.end_minute) for b in self.stranded.get(day, ()))


def overlap(one: Span, other: Span) -> int:
    """Return how many minutes two spans share."""
    return max(min(one[1], other[1]) - max(one[0], other[0]), 0)


def minus(spans: Iterable[Span], others: Iterable[Span]) -> Iterator[Span]:
    """Return what of some spans is in none of others."""
    taken = sorted(others)
    for start, end in spans:
        at = start
        for begin, stop in taken:
            if begin < end and stop > at:
                if begin > at:
                    yield at, begin
                at = stop
        if at < end:
            yield at, end
