"""One office's situation: the values the engine reads.

Rules: everything is frozen and checked at birth; every interval is half-open; units stand in the names; wall-clock
values (`date`, minutes of the day, `WallRange`) are the office's and become instants only in `calendar.py`;
instants are aware `datetime`s. Meanings are those of `instance-format.md`, which names its source for each rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

MINUTES_PER_DAY = 24 * 60
Date = date  # where a field is called `date` too


class Channel(StrEnum):
    """Where a booking comes from, as far as the product names it; the engine compares names and takes any."""

    INTERNET = "INTERNET"
    CONTACT_CENTRE = "CONTACT_CENTRE"
    OFFICE = "OFFICE"


class Modality(StrEnum):
    """How the usager is received."""

    IN_PERSON = "IN_PERSON"
    PHONE = "PHONE"
    VIDEO = "VIDEO"


class Status(StrEnum):
    """What has become of an appointment; `takes_room` says which of them occupy a counter."""

    HELD = "HELD"
    BOOKED = "BOOKED"
    ARRIVED = "ARRIVED"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    NO_SHOW = "NO_SHOW"
    CANCELLED = "CANCELLED"


TAKES_ROOM = frozenset({Status.HELD, Status.BOOKED, Status.ARRIVED, Status.IN_PROGRESS})


class Policy(StrEnum):
    """Which of the feasible starts are offered."""

    ALL = "all"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A recurring or single open range of one local day, `[start_minute, end_minute)` after midnight.

    Either `date` is given, or `weekdays` (ISO, Monday = 1). `from_date` and `until_date` are inclusive; `every_weeks`
    counts ISO weeks from the one that contains `from_date`; `nth_of_month` keeps only the n-th such weekday of its
    month (-1 = the last). `end_minute` may be 1440.
    """

    start_minute: int
    end_minute: int
    weekdays: frozenset[int] = frozenset()
    from_date: date | None = None
    until_date: date | None = None
    every_weeks: int = 1
    nth_of_month: frozenset[int] | None = None
    date: "Date | None" = None

    def __post_init__(self) -> None:
        if not 0 <= self.start_minute < self.end_minute <= MINUTES_PER_DAY:
            raise ValueError(f"an opening ends after its start, both within one day: {self}")
        if (self.date is None) == (not self.weekdays):
            raise ValueError(f"an opening has either a date or weekdays: {self}")
        if not self.weekdays <= frozenset(range(1, 8)):
            raise ValueError(f"weekdays are 1 (Monday) to 7: {self}")
        if self.every_weeks < 1 or (self.every_weeks > 1 and self.from_date is None):
            raise ValueError(f"every_weeks is at least 1, and above 1 needs a from_date: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayException:
    """What replaces one day's recurring openings; no range = none of them. Ranges are minutes of the day."""

    date: date
    ranges: tuple[tuple[int, int], ...] = ()
    holiday: bool = False  # a public holiday: closes like any exception, but is explained as HOLIDAY

    def __post_init__(self) -> None:
        for start, end in self.ranges:
            if not 0 <= start < end <= MINUTES_PER_DAY:
                raise ValueError(f"a range of an exception ends after its start, both within one day: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WallRange:
    """A range of wall-clock time, `[from, to)`: closures and absences."""

    from_date: date
    from_minute: int
    to_date: date
    to_minute: int

    def __post_init__(self) -> None:
        for minute in (self.from_minute, self.to_minute):
            if not 0 <= minute <= MINUTES_PER_DAY:
                raise ValueError(f"a minute of the day is 0 to 1440: {self}")
        if (self.from_date, self.from_minute) >= (self.to_date, self.to_minute):
            raise ValueError(f"a range ends after its start: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure(WallRange):
    """Time taken away from counters; `counters` None = all of them, empty = none."""

    counters: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A bookable reason as this office serves it. `step_minutes` 0 = the duration; None = the office's."""

    id: str
    duration_minutes: int
    buffer_minutes: int = 0
    agents: int = 1
    step_minutes: int | None = None

    def __post_init__(self) -> None:
        if self.duration_minutes < 1 or self.buffer_minutes < 0 or self.agents < 0 or (self.step_minutes or 0) < 0:
            raise ValueError(f"a reason lasts at least a minute, and nothing of it is negative: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A place with one agenda. Eligibility sets: None = no restriction, empty = none allowed.

    Without openings of its own it has the office's.
    """

    id: str
    openings: tuple[Opening, ...] = ()
    exceptions: tuple[DayException, ...] = ()
    reasons: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    modalities: frozenset[Modality] | None = None
    exposed: bool = True

    def allows(self, reason: str, channel: str, modality: Modality) -> bool:
        return (
            (self.reasons is None or reason in self.reasons)
            and (self.channels is None or channel in self.channels)
            and (self.modalities is None or modality in self.modalities)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A person who receives. Without openings of their own: present whenever some counter is open."""

    id: str
    reasons: frozenset[str] | None = None
    counters: frozenset[str] | None = None
    openings: tuple[Opening, ...] = ()
    exceptions: tuple[DayException, ...] = ()
    absences: tuple[WallRange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A live or past appointment; `counter` and `agents` are where it stands now."""

    id: str
    reason: str
    start: datetime
    duration_minutes: int
    buffer_minutes: int = 0
    channel: str = Channel.INTERNET
    modality: Modality = Modality.IN_PERSON
    counter: str | None = None
    agents: tuple[str, ...] = ()
    pinned: bool = False
    status: Status = Status.BOOKED
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or (self.expires_at is not None and self.expires_at.tzinfo is None):
            raise ValueError(f"an appointment's times are aware: {self.id}")
        if self.duration_minutes < 1 or self.buffer_minutes < 0:
            raise ValueError(f"an appointment lasts at least a minute: {self.id}")

    def takes_room(self, now: datetime) -> bool:
        """Whether it occupies a counter at `now`: an expired hold does not."""
        expired = self.status is Status.HELD and self.expires_at is not None and now >= self.expires_at
        return self.status in TAKES_ROOM and not expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The office's parameters. `step_minutes` None = the reason's duration; `max_lead_days` None = no horizon."""

    step_minutes: int | None = 15
    min_lead_minutes: int = 0
    max_lead_days: int | None = None
    policy: Policy = Policy.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked: the free starts for a reason on local dates `from_date` to `to_date`, both included."""

    reason: str
    from_date: date
    to_date: date
    channel: str = Channel.INTERNET
    modality: Modality = Modality.IN_PERSON
    replacing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One office's situation. `agents` None = every open counter is staffed; `appointments` as they were made."""

    zone: ZoneInfo
    now: datetime
    rules: Rules = field(default_factory=Rules)
    openings: tuple[Opening, ...] = ()
    exceptions: tuple[DayException, ...] = ()
    closures: tuple[Closure, ...] = ()
    reasons: tuple[Reason, ...] = ()
    counters: tuple[Counter, ...] = ()
    agents: tuple[Agent, ...] | None = None
    appointments: Sequence[Appointment] = ()
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """`starts` grid starts of one local day that are not offered, for the one reason named by `code`.

    `counters` are those that it took them from. Of FULL starts, `late` would run past every opening, and at
    `unserved` a counter is free but not enough agents are. `detail` says it in English.
    """

    date: date
    code: str
    starts: int
    detail: str
    counters: tuple[str, ...] = ()
    late: int = 0
    unserved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a query gets: offered starts (ascending instants), how many more could start then, and why not the rest.

    Of `remaining` there is one for each start, 0 where it was not counted.
    """

    starts: tuple[datetime, ...]
    remaining: tuple[int, ...]
    why: tuple[WhyNot, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an appointment sits."""

    counter: str
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """Where a new appointment sits, and where those sit now that have to move to make room for it."""

    place: Place
    moves: Mapping[str, Place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answers, the appointments that fit nowhere, and a place for each of the others."""

    answers: tuple[Answer, ...]
    stranded: tuple[str, ...]
    assignment: dict[str, Place]
    undecided: int = 0  # starts, counts and strandings given up because the work budget ran out; alarm on it
