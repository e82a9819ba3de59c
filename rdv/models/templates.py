"""Day, week and month templates: reusable open ranges, versioned, and where they are applied."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Integer
from sqlmodel import Field, SQLModel

from rdv.models.columns import Instant, big, identity


class PlanningTemplate(SQLModel, table=True):
    """A named template of an office; what it says is in its versions."""

    __tablename__ = "planning_template"
    __table_args__ = (
        CheckConstraint("kind in ('DAY', 'WEEK', 'MONTH')", name="template_kind"),
        Index("planning_template_of_office", "office_id"),
    )

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    kind: str
    name: str
    retired: bool = False


class TemplateVersion(SQLModel, table=True):
    """What a template says from one edit to the next; never changed, so that an application keeps its meaning.

    `ranges` are objects of `layer`, `weekday` (WEEK and MONTH), `nth` (MONTH), `start_minute` and `end_minute`.
    """

    __tablename__ = "template_version"

    template_id: int = big(foreign_key="planning_template.id", primary_key=True)
    number: int = Field(primary_key=True)
    ranges: list[dict[str, Any]] = Field(sa_type=JSONB)
    made_at: datetime = Field(sa_type=Instant)


class TemplateApplication(SQLModel, table=True):
    """A version of a template that holds for an office, or one of its counters, between two dates (inclusive).

    The openings that follow from it carry its id. `weekdays` are for a DAY template only.
    """

    __tablename__ = "template_application"
    __table_args__ = (Index("template_application_of_office", "office_id"),)

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    template_id: int = big(foreign_key="planning_template.id")
    version_number: int
    counter_id: int | None = big(default=None, foreign_key="counter.id", nullable=True)
    from_date: date
    until_date: date | None = None
    every_weeks: int = 1
    weekdays: list[int] = Field(default_factory=list, sa_type=ARRAY(Integer))
