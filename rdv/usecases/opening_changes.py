"""Ranges of days and weeks as callers write them, and the rows they become."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any

from rdv.engine.values import MINUTES_PER_DAY
from rdv.engine.values import Opening as Recurring
from rdv.errors import InvalidInput, NotFound
from rdv.models import rows
from rdv.models.cuts import outside
from rdv.models.database import Connection
from rdv.models.offices import Counter
from rdv.models.planning import Opening
from rdv.usecases.changing import Ground
from rdv.usecases.offices import id_from

FIRST_YEAR, LAST_YEAR = 1971, 2199
MOST_RANGES = 200
NTH = frozenset({1, 2, 3, 4, 5, -1})


class Layer(StrEnum):
    """What hours are for."""

    APPOINTMENT = "APPOINTMENT"
    WALK_IN = "WALK_IN"


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"

    @property
    def number(self) -> int:
        """ISO: Monday = 1."""
        return list(Weekday).index(self) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """A range of one day, in minutes of it."""

    start_time: int
    end_time: int


def check_ranges(ranges: Sequence[TimeRange], days: Sequence[object] = (), *, field: str = "ranges") -> None:
    """Refuse a range that ends before it begins, or overlaps another of the same day; `days` tell days apart."""
    if len(ranges) > MOST_RANGES:
        raise InvalidInput(field, "At most {most} ranges.", most=MOST_RANGES)
    for at, one in enumerate(ranges):
        if not 0 <= one.start_time < one.end_time <= MINUTES_PER_DAY:
            raise InvalidInput(f"{field}[{at}].endTime", "The end is not after the start.")
    keys = list(days) or [None] * len(ranges)
    order = sorted(range(len(ranges)), key=lambda at: (str(keys[at]), ranges[at].start_time))
    for before, after in pairwise(order):
        if keys[before] == keys[after] and ranges[after].start_time < ranges[before].end_time:
            raise InvalidInput(f"{field}[{max(before, after)}]", "This range overlaps another one.")


def check_period(first: date, last: date | None) -> None:
    """Refuse a period that is out of this world, or ends before it begins."""
    for name, day in (("fromDate", first), ("untilDate", last)):
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise InvalidInput(name, "This date is out of range.")
    if last is not None and last < first:
        raise InvalidInput("untilDate", "The last day is before the first.")


async def counter_id(ground: Ground, given: str | None) -> int | None:
    """Return a counter in use of the office; raises NotFound."""
    if given is None:
        return None
    identity = id_from(given, field="counterId")
    key = {"office_id": ground.office.id, "id": identity, "retired": False}
    if not await rows.values(ground.connection, Counter, **key):
        raise NotFound("There is no such counter at this office.")
    return identity


async def take_out(
    connection: Connection, first: date, last: date | None, layers: Iterable[str] = Layer, **whose: object
) -> None:
    """Take a period out of what recurs on some layers; `whose` are columns of the openings meant."""
    for row in await rows.values(connection, Opening, on_date=None, **whose):
        if row["layer"] not in set(layers):
            continue
        was = _recurring(row)
        kept = outside(was, first, last)
        if kept == [was]:
            continue
        await rows.remove(connection, Opening, id=row["id"])
        others = {name: value for name, value in row.items() if name != "id"}
        for one in kept:
            around = {"from_date": one.from_date, "until_date": one.until_date}
            await rows.add(connection, Opening(**others | around))


def _recurring(row: dict[str, Any]) -> Recurring:
    names = ("from_date", "until_date", "every_weeks", "start_minute", "end_minute")
    return Recurring(weekdays=frozenset(row["weekdays"]), **{name: row[name] for name in names})
