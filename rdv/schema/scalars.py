"""Dates and instants on the wire: ISO 8601, an instant always with its offset."""

from datetime import date, datetime

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition


def _instant(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise GraphQLError("A DateTime is written like 2027-03-01T09:30:00+01:00, with an offset.")
    return moment


def _day(text: object) -> date:
    try:
        day = date.fromisoformat(text) if isinstance(text, str) and len(text) == len("2027-03-01") else None
    except ValueError:
        day = None
    if day is None:
        raise GraphQLError("A Date is written like 2027-03-01.")
    return day


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant, ISO 8601 with an offset: `2027-03-01T09:30:00+01:00`; answers carry the office's.",
        serialize=datetime.isoformat,
        parse_value=_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A local day of the office, ISO 8601: `2027-03-01`.",
        serialize=date.isoformat,
        parse_value=_day,
    ),
}
