"""The shape of `rdv-instance/1` as pydantic models: what may be written where, and how large it may be.

Only what one field can say about itself is checked here; what fields say about each other is checked in
`document.py`. Nothing is converted silently: a number is not a string, `true` is not 1, and an unknown key is an error.
The limits keep any document, however absurd, answerable in bounded time and memory; they are far above real offices.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from annotated_types import Len
from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from rdv.engine.values import MINUTES_PER_DAY, Channel, Modality, Policy

MAX_COUNTERS = 1_000
MAX_AGENTS = 2_000
MAX_REASONS = 2_000
MAX_APPOINTMENTS = 100_000
MAX_QUERIES = 10_000
MAX_QUERY_DAYS = 400
MAX_OPENINGS = 1_000  # of one owner
MAX_LIST = 10_000  # exceptions, closures, absences of one owner
MAX_TEXT = 200
MAX_AGENTS_NEEDED = 100
MAX_LEAD_DAYS = 36_500
MAX_DURATION = 31 * MINUTES_PER_DAY
FIRST_YEAR, LAST_YEAR = 1970, 2199

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")
_WALL = re.compile(rf"({_DATE.pattern})T({_TIME.pattern})(?::00)?")
_INSTANT = re.compile(
    rf"{_DATE.pattern}T[0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,9}})?)?(Z|[+-][0-9]{{2}}:[0-9]{{2}})"
)

Wall = tuple[date, int]


def _text(parse: Callable[[str], object]) -> PlainValidator:
    def checked(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError("not a string")  # noqa: TRY004 - pydantic reports a ValueError, not a TypeError
        return parse(value)

    return PlainValidator(checked)


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError("not a date like 2027-03-01")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("there is no such date") from None


def _query_date(text: str) -> date:
    day = _date(text)
    if not FIRST_YEAR < day.year <= LAST_YEAR:
        raise ValueError(f"not a date from {FIRST_YEAR + 1} to {LAST_YEAR}")
    return day


def _time(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise ValueError("not a time like 09:30, 00:00 to 24:00")
    return 60 * int(text[:2]) + int(text[3:])


def _wall(text: str) -> Wall:
    found = _WALL.fullmatch(text)
    if not found:
        raise ValueError("not a wall-clock time like 2027-03-01T09:30, without an offset")
    return _date(found[1]), _time(found[2])


def _instant(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise ValueError("not a time with an offset like 2027-03-01T09:30:00+01:00")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("there is no such time") from None
    if not FIRST_YEAR < moment.year <= LAST_YEAR:
        raise ValueError(f"not a time from {FIRST_YEAR + 1} to {LAST_YEAR}")
    return moment.astimezone(UTC)


def _whole_minute(text: str) -> datetime:
    moment = _instant(text)
    if moment.second or moment.microsecond:
        raise ValueError("not a whole minute")
    return moment


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text[:MAX_TEXT])
    except (LookupError, ValueError, OSError):
        raise ValueError("not a known time zone like Europe/Paris") from None


def _id(text: str) -> str:
    if not 0 < len(text) <= MAX_TEXT:
        raise ValueError(f"not 1 to {MAX_TEXT} characters long")
    if any(ord(character) < 32 for character in text):
        raise ValueError("contains a control character")
    return text


Zone = Annotated[ZoneInfo, _text(_zone)]
DateText = Annotated[date, _text(_date)]
QueryDate = Annotated[date, _text(_query_date)]
TimeText = Annotated[int, _text(_time)]
WallText = Annotated[Wall, _text(_wall)]
Moment = Annotated[datetime, _text(_instant)]
Start = Annotated[datetime, _text(_whole_minute)]
Id = Annotated[str, _text(_id)]
Step = Annotated[int, Field(ge=1, le=MINUTES_PER_DAY)]
Duration = Annotated[int, Field(ge=1, le=MAX_DURATION)]
Buffer = Annotated[int, Field(ge=0, le=MAX_DURATION)]
ModalityText = Annotated[Modality, Field(strict=False)]
Nth = Literal[1, 2, 3, 4, 5, -1, -2, -3, -4, -5]


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class OpeningShape(_Shape):
    """An `Opening`: either by `weekdays`, with their conditions, or by `date`."""

    start: TimeText
    end: TimeText
    date: DateText | None = None
    weekdays: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Len(1, 7)] | None = None
    from_: DateText | None = Field(default=None, alias="from")
    until: DateText | None = None
    every_weeks: Annotated[int, Field(ge=1, le=520)] = 1
    nth_of_month: Annotated[list[Nth], Len(0, 10)] | None = None


class ExceptionShape(_Shape):
    """An `Exception`: a day and the ranges that replace its recurring openings."""

    date: DateText
    openings: Annotated[list[Annotated[list[TimeText], Len(2, 2)]], Len(0, 100)]


class RangeShape(_Shape):
    """A wall-clock range: an absence, and the ground of a closure."""

    from_: WallText = Field(alias="from")
    to: WallText


class ClosureShape(RangeShape):
    """A closure of some counters, or of all when they are not named."""

    counters: Annotated[list[Id], Len(0, MAX_COUNTERS)] | None = None


Openings = Annotated[list[OpeningShape], Len(0, MAX_OPENINGS)]
Exceptions = Annotated[list[ExceptionShape], Len(0, MAX_LIST)]


class OfficeShape(_Shape):
    """The office's parameters."""

    step_minutes: Step | None = 15
    min_lead_minutes: Annotated[int, Field(ge=0, le=MAX_LEAD_DAYS * MINUTES_PER_DAY)] = 0
    max_lead_days: Annotated[int, Field(ge=0, le=MAX_LEAD_DAYS)] | None = None
    policy: Annotated[Policy, Field(strict=False)] = Policy.ALL


class ReasonShape(_Shape):
    """A reason; an absent `step_minutes` is the office's, `null` the duration."""

    id: Id
    duration_minutes: Duration
    buffer_minutes: Buffer = 0
    agents: Annotated[int, Field(ge=0, le=MAX_AGENTS_NEEDED)] = 1
    step_minutes: Step | None = None


class CounterShape(_Shape):
    """A counter; absent lists do not restrict, empty ones allow nothing."""

    id: Id
    openings: Openings = []
    exceptions: Exceptions = []
    reasons: Annotated[list[Id], Len(0, MAX_REASONS)] | None = None
    channels: Annotated[list[Id], Len(0, 100)] | None = None
    modalities: Annotated[list[ModalityText], Len(0, 100)] | None = None
    exposed: bool = True


class AgentShape(_Shape):
    """An agent; without openings present whenever some counter is open."""

    id: Id
    reasons: Annotated[list[Id], Len(0, MAX_REASONS)] | None = None
    counters: Annotated[list[Id], Len(0, MAX_COUNTERS)] | None = None
    openings: Openings = []
    exceptions: Exceptions = []
    absences: Annotated[list[RangeShape], Len(0, MAX_LIST)] = []


class AppointmentShape(_Shape):
    """An appointment and where it stands now."""

    id: Id
    reason: Id
    start: Start
    channel: Id = Channel.INTERNET  # other systems name channels of their own
    modality: ModalityText = Modality.IN_PERSON
    counter: Id | None = None
    agents: Annotated[list[Id], Len(0, MAX_AGENTS_NEEDED)] | None = None
    pinned: bool = False
    status: Literal["BOOKED", "HELD", "CANCELLED", "DONE", "NO_SHOW"] = "BOOKED"
    expires_at: Moment | None = None
    duration_minutes: Duration | None = None
    buffer_minutes: Buffer | None = None


class QueryShape(_Shape):
    """A query over local dates, both included."""

    reason: Id
    channel: Id = Channel.INTERNET  # other systems name channels of their own
    modality: ModalityText = Modality.IN_PERSON
    from_: QueryDate = Field(alias="from")
    to: QueryDate
    replacing: Id | None = None


class InstanceShape(_Shape):
    """The whole document."""

    format: Literal["rdv-instance/1"]
    time_zone: Zone
    now: Moment
    office: OfficeShape = OfficeShape()
    openings: Openings = []
    exceptions: Exceptions = []
    closures: Annotated[list[ClosureShape], Len(0, MAX_LIST)] = []
    reasons: Annotated[list[ReasonShape], Len(0, MAX_REASONS)] = []
    counters: Annotated[list[CounterShape], Len(0, MAX_COUNTERS)] = []
    agents: Annotated[list[AgentShape], Len(0, MAX_AGENTS)] | None = None
    appointments: Annotated[list[AppointmentShape], Len(0, MAX_APPOINTMENTS)] = []
    queries: Annotated[list[QueryShape], Len(0, MAX_QUERIES)] = []
