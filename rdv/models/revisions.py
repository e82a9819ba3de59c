"""The history of an office's organisation: who changed what, and everything as it was before and after.

A revision keeps the office's rows as one JSON document, made and read back by PostgreSQL itself, so that going back
needs no code per table. Rows that others refer to (counters, agents) are never deleted: one that a
revision does not know is retired. Single days, closures and shifts that are over are neither kept nor changed: an
office has more of them each year, and what is past was so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from rdv.models.columns import Instant, big
from rdv.models.drafts import RosterShift
from rdv.models.offices import Agent, Counter, Office
from rdv.models.planning import Closure, DayException, Opening
from rdv.models.quotas import ChannelShare, ReasonQuota
from rdv.models.reasons import OfficeReason
from rdv.models.templates import TemplateApplication


class OfficeRevision(SQLModel, table=True):
    """A change of an office's organisation. `what` names the changes; `snapshot` is the office after them."""

    __tablename__ = "office_revision"

    office_id: int = big(foreign_key="office.id", primary_key=True)
    number: int = Field(primary_key=True)
    made_at: datetime = Field(sa_type=Instant)
    made_by: str | None = None
    made_by_kind: str
    what: list[dict[str, Any]] = Field(sa_type=JSONB)
    snapshot: dict[str, Any] = Field(sa_type=JSONB)


# What others refer to: written over, or retired.
_KEPT: tuple[type[SQLModel], ...] = (Counter, Agent)
# What only hangs on these: written anew. In the order in which it can be written.
_REPLACED: tuple[type[SQLModel], ...] = (
    TemplateApplication,
    Opening,
    DayException,
    Closure,
    OfficeReason,
    ReasonQuota,
    ChannelShare,
    RosterShift,
)
# Of these, only what is not over.
_AHEAD: dict[type[SQLModel], str] = {
    DayException: "on_date >= :today",
    Closure: "to_date >= :today",
    RosterShift: "on_date >= :today",
}
_NOT_PARAMETERS = {"id", "code", "site_id", "name", "kind", "departement", "time_zone", "phone", "email", "version"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A line of an office's history."""

    number: int
    made_at: datetime
    made_by: str | None
    made_by_kind: str
    what: list[dict[str, Any]]


def _columns(model: type[SQLModel]) -> list[str]:
    return [column.name for column in model.__table__.columns]  # type: ignore[attr-defined]  # SQLModel adds it


def _name(model: type[SQLModel]) -> str:
    return str(model.__tablename__)


_PARAMETERS = [name for name in _columns(Office) if name not in _NOT_PARAMETERS]

# Everything of an office that a change may touch, as one document.
_PARTS = ", ".join(
    f"'{_name(model)}', (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from {_name(model)} t "
    f"where office_id = :office and {_AHEAD.get(model, 'true')})"
    for model in (*_KEPT, *_REPLACED)
)
SNAPSHOT = f"""
select jsonb_build_object('office', (select to_jsonb(o) from office o where o.id = :office), {_PARTS})
"""

REMEMBER = f"""
insert into office_revision (office_id, number, made_at, made_by, made_by_kind, what, snapshot)
select :office, (select coalesce(max(number), 0) + 1 from office_revision where office_id = :office),
       :now, :by, :kind, cast(:what as jsonb), ({SNAPSHOT})
returning number
"""

# The office before its first change, so that there is something to go back to.
REMEMBER_FIRST = f"""
insert into office_revision (office_id, number, made_at, made_by_kind, what, snapshot)
select :office, 0, :now, 'SYSTEM', '[]', ({SNAPSHOT})
where not exists (select 1 from office_revision where office_id = :office)
"""

HISTORY = """
select number, made_at, made_by, made_by_kind, what from office_revision
where office_id = :office and (cast(:before as int) is null or number < :before)
order by number desc limit :at_most
"""

FIND = """
select number, made_at, made_by, made_by_kind, what from office_revision where office_id = :office and number = :number
"""

_DOCUMENT = "(select snapshot from office_revision where office_id = :office and number = :number)"


def _restoring() -> list[str]:
    """Return the statements that make an office what a revision says."""
    statements = [
        f"delete from {_name(model)} where office_id = :office and {_AHEAD.get(model, 'true')}"
        for model in reversed(_REPLACED)
    ]
    for model in _KEPT:
        name, columns = _name(model), [c for c in _columns(model) if c not in ("office_id", "id")]
        statements.append(
            f"update {name} set retired = true where office_id = :office and id not in "
            f"(select id from jsonb_populate_recordset(null::{name}, {_DOCUMENT} -> '{name}'))"
        )
        kept = ", ".join(f"{column} = was.{column}" for column in columns)
        statements.append(
            f"update {name} t set {kept} from jsonb_populate_recordset(null::{name}, {_DOCUMENT} -> '{name}') was "
            "where t.office_id = :office and t.id = was.id"
        )
    for model in _REPLACED:
        name, every = _name(model), ", ".join(_columns(model))
        statements.append(
            f"insert into {name} ({every}) overriding system value select {every} "
            f"from jsonb_populate_recordset(null::{name}, {_DOCUMENT} -> '{name}') where {_AHEAD.get(model, 'true')}"
        )
    parameters = ", ".join(f"{column} = was.{column}" for column in _PARAMETERS)
    statements.append(
        f"update office o set {parameters} from jsonb_populate_record(null::office, {_DOCUMENT} -> 'office') was "
        "where o.id = :office"
    )
    return statements


async def remember(
    connection: AsyncConnection,
    office: int,
    *,
    now: datetime,
    today: date,
    by: str | None,
    kind: str,
    what: Sequence[dict[str, Any]],
) -> int:
    """Write down a change that was made in this transaction and return its number."""
    bound = {
        "office": office,
        "now": now,
        "today": today,
        "by": by,
        "kind": kind,
        "what": orjson.dumps(list(what)).decode(),
    }
    return int((await connection.execute(text(REMEMBER), bound)).scalar_one())


async def remember_first(connection: AsyncConnection, office: int, now: datetime, today: date) -> None:
    """Keep the office as it is before its first change."""
    await connection.execute(text(REMEMBER_FIRST), {"office": office, "now": now, "today": today})


async def history(connection: AsyncConnection, office: int, *, before: int | None, at_most: int) -> list[Revision]:
    """Return an office's changes, the latest first."""
    rows = await connection.execute(text(HISTORY), {"office": office, "before": before, "at_most": at_most})
    return [Revision(**row) for row in rows.mappings()]


async def find(connection: AsyncConnection, office: int, number: int) -> Revision | None:
    """Return one line of an office's history."""
    row = (await connection.execute(text(FIND), {"office": office, "number": number})).mappings().one_or_none()
    return None if row is None else Revision(**row)


async def restore(connection: AsyncConnection, office: int, number: int, today: date) -> None:
    """Make the office what it was after a change, from today on."""
    for statement in _restoring():
        await connection.execute(text(statement), {"office": office, "number": number, "today": today})
