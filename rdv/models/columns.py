"""Column kinds that several tables share; the one for instants refuses naive datetimes."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Identity
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text, TypeDecorator
from sqlmodel import Field


class Instant(TypeDecorator[datetime]):
    """A `timestamptz`; binding a naive datetime is an error, not a guess."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value


def identity() -> Any:  # noqa: ANN401 - Field() itself is untyped
    return Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(),))


def labels() -> Any:  # noqa: ANN401
    return Field(sa_type=JSONB)


def texts(*, default: Any = None) -> Any:  # noqa: ANN401
    """An array of texts; NULL = no restriction, empty = none."""
    return Field(default=default, sa_type=ARRAY(Text))


def ids() -> Any:  # noqa: ANN401
    """An array of ids; NULL = no restriction, empty = none."""
    return Field(default=None, sa_type=ARRAY(BigInteger))


def big(**options: Any) -> Any:  # noqa: ANN401
    return Field(sa_type=BigInteger, **options)
