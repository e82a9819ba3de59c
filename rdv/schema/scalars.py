"""Dates and instants on the wire: ISO 8601, an instant always with its offset."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from rdv.engine.values import MINUTES_PER_DAY

LocalTime = NewType("LocalTime", int)  # minutes of the local day
Instant = NewType("Instant", str)  # a DateTime that is written already, for lists of hundreds


def instant(moment: datetime) -> Instant:
    """Write an instant as answers carry it."""
    return Instant(moment.isoformat())


_CLOCK = [f"{minute // 60:02}:{minute % 60:02}:00" for minute in range(MINUTES_PER_DAY)]


def instants(moments: Sequence[datetime]) -> list[Instant]:
    """Write ascending whole minutes; of one day and offset, as mostly, in a seventh of the time."""
    if not moments or moments[0].date() != moments[-1].date() or moments[0].utcoffset() != moments[-1].utcoffset():
        return list(map(instant, moments))
    text = moments[0].isoformat(timespec="minutes")
    before, after = text[:11], text[16:]
    return [Instant(f"{before}{_CLOCK[one.hour * 60 + one.minute]}{after}") for one in moments]


# What `fromisoformat` takes beside these (weeks, other separators, no offset) differs between versions of Python.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"([0-9]{2}):([0-5][0-9])")
_INSTANT = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})")


def _instant(text: object) -> datetime:
    try:
        if isinstance(text, str) and _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # a day or an hour that no calendar and no clock shows
    # A ValueError, not a GraphQLError: only so is the place in the document added.
    raise ValueError("A DateTime is written like 2027-03-01T09:30:00+01:00, with an offset.")


def _day(text: object) -> date:
    try:
        if isinstance(text, str) and _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("A Date is written like 2027-03-01.")


def _minute(text: object) -> int:
    if isinstance(text, str) and (found := _TIME.fullmatch(text)):
        minute = int(found[1]) * 60 + int(found[2])
        if minute <= MINUTES_PER_DAY:
            return minute
    raise ValueError("A LocalTime is written like 09:30, from 00:00 to 24:00.")


def clock(minute: int) -> str:
    """Return a minute of the day as a clock shows it, 24:00 included."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _written(moment: datetime | Instant) -> str:
    return moment if isinstance(moment, str) else moment.isoformat()


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="An instant, ISO 8601 with an offset: `2027-03-01T09:30:00+01:00`; answers carry the office's.",
    serialize=_written,
    parse_value=_instant,
)

SCALARS: dict[object, ScalarDefinition] = {
    datetime: DATE_TIME,
    Instant: DATE_TIME,
    date: strawberry.scalar(
        name="Date",
        description="A local day of the office, ISO 8601: `2027-03-01`.",
        serialize=date.isoformat,
        parse_value=_day,
    ),
    LocalTime: strawberry.scalar(
        name="LocalTime",
        description="A time of the office's day, as its clocks show it: `09:30`; `24:00` is the end of the day.",
        serialize=clock,
        parse_value=_minute,
    ),
}
