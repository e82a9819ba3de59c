"""Generated plannings before and after they are published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel, col

from rdv.models import rows
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
    rules: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    demand: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB)
    result: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    infeasible: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB)
    failure: str | None = Field(default=None, description="why it FAILED: TOO_FINE, TOO_LARGE, UNDECIDED, GIVEN_UP")
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
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


MOST_ATTEMPTS = 5

# Whoever came, or was expected to: what a counter would have been needed for.
VISITS = """
select day, (extract(hour from local) * 60 + extract(minute from local))::int as start_minute,
       ceil(extract(epoch from occupied_until - starts_at) / 60)::int as minutes, reason_id
from (select *, starts_at at time zone :zone as local from appointment
      where office_id = :office and day between :first and :last
       and (status in ('BOOKED', 'ARRIVED', 'IN_PROGRESS', 'DONE', 'NO_SHOW')
            or status = 'HELD' and expires_at > :now)) a
order by a.id
"""

# A job that takes its worker down with it is not taken up for ever.
BEGIN = """
update planning_draft set attempts = attempts + 1, progress_percent = 0,
       status = case when attempts < :most then 'RUNNING' else 'FAILED' end,
       failure = case when attempts < :most then null else 'GIVEN_UP' end
where id = :id and status in ('QUEUED', 'RUNNING')
returning status = 'RUNNING'
"""

PROGRESS = """
update planning_draft set progress_percent = :percent, gap = :gap where id = :id and status = 'RUNNING' returning id
"""

CANCEL = """
update planning_draft set status = 'CANCELLED', finished_at = :now where id = :id and status in ('QUEUED', 'RUNNING')
returning id
"""

UNDER_WAY = """
select id from planning_draft
where office_id = :office and status in ('QUEUED', 'RUNNING') and from_date <= :last and until_date >= :first limit 1
"""

COUNT_UNDER_WAY = """
select count(*) from planning_draft where office_id = :office and status in ('QUEUED', 'RUNNING')
"""

# Without what may be large: `demand`, `result`, `infeasible`.
LIGHT = """
id, office_id, from_date, until_date, seconds, status, progress_percent, gap, failure, attempts, requested_by,
requested_at, finished_at
"""

DRAFT = f"select {LIGHT} from planning_draft where id = :id"

RESULTS = "select id, result, infeasible from planning_draft where id = any(:ids)"

LATEST = f"""
select {LIGHT} from planning_draft where office_id = :office and (cast(:before as bigint) is null or id < :before)
order by id desc limit :first
"""


# A roster and the hours that came from it; the bounds are dates.
CLEAR_ROSTER = (
    "delete from roster_shift where office_id = :office and on_date between :first and :last",
    "delete from day_exception where office_id = :office and on_date between :first and :last and source = 'ROSTER'",
)


@dataclass(frozen=True, slots=True)
class VisitRow:
    """An appointment as a forecast sees it; minutes include the buffer."""

    day: date
    start_minute: int
    minutes: int
    reason_id: int


async def visits(
    connection: AsyncConnection, office: int, zone: str, *, first: date, last: date, now: datetime
) -> list[VisitRow]:
    """Return an office's appointments of some local days."""
    bound = {"office": office, "zone": zone, "first": first, "last": last, "now": now}
    return [VisitRow(*row) for row in await connection.execute(text(VISITS), bound)]


async def draft(connection: AsyncConnection, identity: int) -> PlanningDraft | None:
    """Return a draft without what may be large."""
    row = (await connection.execute(text(DRAFT), {"id": identity})).mappings().one_or_none()
    return None if row is None else PlanningDraft(**row)


async def published(connection: AsyncConnection, office: int, first: date, last: date) -> list[dict[str, Any]]:
    """Return who is at which counter when on some days, as published."""
    days = col(RosterShift.on_date).between(first, last)
    return await rows.values(connection, RosterShift, days, office_id=office)


async def whole_draft(connection: AsyncConnection, identity: int) -> PlanningDraft | None:
    """Return a draft with all of it."""
    found = await rows.values(connection, PlanningDraft, id=identity)
    return PlanningDraft(**found[0]) if found else None


async def results(
    connection: AsyncConnection, ids: Sequence[int]
) -> dict[int, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return what was planned, and what could not be kept, by draft."""
    found = await connection.execute(text(RESULTS), {"ids": list(ids)})
    return {row.id: (row.result or {}, row.infeasible or []) for row in found}


async def latest(connection: AsyncConnection, office: int, *, before: int | None, first: int) -> list[PlanningDraft]:
    """Return an office's drafts, the latest first."""
    found = await connection.execute(text(LATEST), {"office": office, "before": before, "first": first})
    return [PlanningDraft(**row) for row in found.mappings()]


async def under_way(connection: AsyncConnection, office: int, first: date, last: date) -> bool:
    """Tell whether some of the days are being planned."""
    bound = {"office": office, "first": first, "last": last}
    return (await connection.execute(text(UNDER_WAY), bound)).scalar() is not None


async def count_under_way(connection: AsyncConnection, office: int) -> int:
    """Return how many plannings of an office are being generated, or are to be."""
    return int((await connection.execute(text(COUNT_UNDER_WAY), {"office": office})).scalar_one())


async def begin(connection: AsyncConnection, identity: int) -> bool:
    """Note that a draft is being worked out; False when it was cancelled, is done, or was tried too often."""
    bound = {"id": identity, "most": MOST_ATTEMPTS}
    return bool((await connection.execute(text(BEGIN), bound)).scalar())


async def progress(connection: AsyncConnection, identity: int, percent: int, gap: float | None) -> bool:
    """Note how far a draft is; False when it was cancelled."""
    bound = {"id": identity, "percent": percent, "gap": gap}
    return (await connection.execute(text(PROGRESS), bound)).scalar() is not None


async def cancel(connection: AsyncConnection, identity: int, now: datetime) -> bool:
    """Note that a draft is not wanted any more; False when it was ready before."""
    return (await connection.execute(text(CANCEL), {"id": identity, "now": now})).scalar() is not None


async def finish(connection: AsyncConnection, identity: int, **found: object) -> None:
    """Write what became of a draft, unless it was cancelled."""
    await rows.change(connection, PlanningDraft, {"id": identity, "status": "RUNNING"}, **found)


async def clear_roster(connection: AsyncConnection, office: int, first: date, last: date) -> None:
    """Take away what was published for some days."""
    for statement in CLEAR_ROSTER:
        await connection.execute(text(statement), {"office": office, "first": first, "last": last})
