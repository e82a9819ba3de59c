"""Generated plannings before and after they are published."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from rdv.models.columns import Instant, big, identity


class PlanningDraft(SQLModel, table=True):
    """A planning being generated, or generated: nobody outside sees it before it is published.

    `demand` is the table it was asked to serve, NULL = forecast from past appointments; `result` holds openings and
    roster; `gap` how far it may be from the best one (0.02 = 2 %).
    """

    __tablename__ = "planning_draft"
    __table_args__ = (
        CheckConstraint(
            "status in ('QUEUED', 'RUNNING', 'DONE', 'INFEASIBLE', 'CANCELLED', 'FAILED', 'PUBLISHED')",
            name="planning_draft_status",
        ),
        CheckConstraint("from_date <= until_date", name="planning_draft_dates"),
        Index("planning_draft_of_office", "office_id", "id"),
    )

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    from_date: date
    until_date: date
    seconds: int = Field(description="the work budget of the solver")
    status: str = "QUEUED"
    progress_percent: int = 0
    gap: float | None = None
    demand: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB)
    result: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    infeasible: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB)
    requested_by: str | None = None
    requested_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)


class RosterShift(SQLModel, table=True):
    """Who is at which counter when, as published; minutes of the local day."""

    __tablename__ = "roster_shift"
    __table_args__ = (
        CheckConstraint(
            "0 <= start_minute and start_minute < end_minute and end_minute <= 1440", name="roster_shift_range"
        ),
        Index("roster_shift_of_office", "office_id", "on_date"),
    )

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    agent_id: int = big(foreign_key="agent.id")
    counter_id: int = big(foreign_key="counter.id")
    on_date: date
    start_minute: int
    end_minute: int
