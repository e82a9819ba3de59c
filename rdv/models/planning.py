"""When an office is open: wall-clock rules as dates and minutes of the day, so that no naive datetime exists."""

from datetime import date

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Integer
from sqlmodel import Field, SQLModel

from rdv.models.columns import big, identity, ids


class Opening(SQLModel, table=True):
    """A recurring or dated open range of the office, of one counter, or an agent's presence."""

    __table_args__ = (
        CheckConstraint("0 <= start_minute and start_minute < end_minute and end_minute <= 1440", name="opening_range"),
        CheckConstraint("(on_date is null) = (cardinality(weekdays) > 0)", name="opening_when"),
        CheckConstraint("num_nonnulls(counter_id, agent_id) <= 1", name="opening_whose"),
        Index("opening_of_office", "office_id"),
        Index("opening_of_application", "application_id", postgresql_where=text("application_id is not null")),
    )

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    counter_id: int | None = big(default=None, foreign_key="counter.id", nullable=True)
    agent_id: int | None = big(default=None, foreign_key="agent.id", nullable=True)
    layer: str = Field(default="APPOINTMENT", description="APPOINTMENT, or WALK_IN for hours without appointment")
    source: str = Field(default="office", description="who says so: the office, a directory, or derived from others")
    application_id: int | None = big(
        default=None, foreign_key="template_application.id", nullable=True, ondelete="CASCADE"
    )
    on_date: date | None = None
    weekdays: list[int] = Field(default_factory=list, sa_type=ARRAY(Integer))
    from_date: date | None = None
    until_date: date | None = None
    every_weeks: int = 1
    nth_of_month: list[int] | None = Field(default=None, sa_type=ARRAY(Integer))
    start_minute: int
    end_minute: int


class DayException(SQLModel, table=True):
    """What replaces one day's recurring openings; one row a range, both minutes NULL = closed all day.

    Those of a published roster (`source` ROSTER) come before what somebody wrote, which stays beneath them.
    """

    __tablename__ = "day_exception"
    __table_args__ = (
        CheckConstraint(
            "0 <= start_minute and start_minute < end_minute and end_minute <= 1440", name="exception_range"
        ),
        CheckConstraint("source = 'ROSTER'", name="exception_source"),
        Index("day_exception_of_office", "office_id", "on_date"),
    )

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    counter_id: int | None = big(default=None, foreign_key="counter.id", nullable=True)
    agent_id: int | None = big(default=None, foreign_key="agent.id", nullable=True)
    on_date: date
    start_minute: int | None = None
    end_minute: int | None = None
    source: str | None = None


class Closure(SQLModel, table=True):
    """Time taken away: from all counters (NULL), from some, or from one agent (an absence)."""

    __table_args__ = (
        CheckConstraint("(from_date, from_minute) < (to_date, to_minute)", name="closure_range"),
        Index("closure_of_office", "office_id", "to_date"),
    )

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    counter_ids: list[int] | None = ids()
    agent_id: int | None = big(default=None, foreign_key="agent.id", nullable=True)
    from_date: date
    from_minute: int
    to_date: date
    to_minute: int


class Holiday(SQLModel, table=True):
    """A territory's word on a day, over the `holidays` package: closed, or open although it is a holiday."""

    territory: str = Field(primary_key=True)
    on_date: date = Field(primary_key=True)
    closed: bool = True
