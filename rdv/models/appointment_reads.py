"""An appointment as people see it: one statement, with its usager, counter and agents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.models.usagers import UsagerRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord:
    """A person who receives."""

    id: int
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentRecord:
    """A hold or an appointment; `day` is the office's. Personal data: `usager`, `comment`."""

    id: int
    office_id: int
    reference: str
    status: str
    reason_id: int
    day: date
    starts_at: datetime
    ends_at: datetime
    occupied_until: datetime
    channel: str
    modality: str
    counter_id: int
    comment: str | None
    video_url: str | None
    hold_token_hash: str | None
    access_code_hash: str | None
    held_by: str | None
    expires_at: datetime | None
    stranded_since: datetime | None
    delegated_by: int | None
    usager: UsagerRecord | None
    agents: tuple[AgentRecord, ...]


SELECT = """
select a.id, a.office_id, a.reference, a.status, a.reason_id, a.day, a.starts_at, a.ends_at, a.occupied_until,
       a.channel, a.modality, a.counter_id, a.comment, a.video_url, a.hold_token_hash, a.access_code_hash, a.held_by,
       a.expires_at, a.stranded_since, a.delegated_by,
       u.id as usager_id, u.public_id, u.subject, u.first_name, u.last_name, u.email, u.phone, u.tax_number,
       u.company_number, u.locale,
       (select array_agg(array[g.id::text, g.display_name] order by g.id)
        from appointment_agent p join agent g on g.id = p.agent_id where p.appointment_id = a.id) as agents
from appointment a left join usager u on u.id = a.usager_id
"""

# The appointment with a reference, an id, or the token of its hold.
BY_REFERENCE = SELECT + "where a.reference = :key"
BY_ID = SELECT + "where a.id = :key"
BY_TOKEN = SELECT + "where a.hold_token_hash = :key"
BY_IDS = SELECT + "where a.id = any(:ids)"
BY_REFERENCES = SELECT + "where a.reference = any(:references)"

# Whom an office has to call: they lost their place and have not chosen another time; the first to come first.
TO_CALL_BACK = (
    SELECT
    + """
where a.office_id = :office and a.stranded_since is not null and a.status = 'BOOKED' and a.ends_at > :now
order by a.starts_at, a.id limit :at_most
"""
)

# The holds that propose another time to those who lost theirs.
PROPOSALS = SELECT.replace("select a.id", "select a.proposal_for, a.id") + (
    "where a.proposal_for = any(:ids) and a.status = 'HELD' and a.expires_at > :now"
)


async def find(connection: AsyncConnection, statement: str, key: str | int) -> AppointmentRecord | None:
    """Return the appointment that one of the statements above finds."""
    row = (await connection.execute(text(statement), {"key": key})).mappings().one_or_none()
    return None if row is None else record(row)


async def by_ids(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, AppointmentRecord]:
    """Return the known ones of the appointments, by id."""
    rows = (await connection.execute(text(BY_IDS), {"ids": list(ids)})).mappings()
    return {row["id"]: record(row) for row in rows}


async def load_appointments(connection: AsyncConnection, references: Sequence[str]) -> dict[str, AppointmentRecord]:
    """Return the known ones of the appointments and holds, by reference."""
    rows = (await connection.execute(text(BY_REFERENCES), {"references": list(references)})).mappings()
    return {row["reference"]: record(row) for row in rows}


async def to_call_back(
    connection: AsyncConnection, office: int, now: datetime, *, at_most: int
) -> list[AppointmentRecord]:
    """Return whom an office has to call, the first to come first."""
    bound = {"office": office, "now": now, "at_most": at_most}
    return [record(row) for row in (await connection.execute(text(TO_CALL_BACK), bound)).mappings()]


async def proposals(connection: AsyncConnection, ids: Sequence[int], now: datetime) -> dict[int, AppointmentRecord]:
    """Return the live proposals, by the appointment that each is for."""
    rows = (await connection.execute(text(PROPOSALS), {"ids": list(ids), "now": now})).mappings()
    return {row["proposal_for"]: record(row) for row in rows}


def record(row: Mapping[Any, Any]) -> AppointmentRecord:
    """Return the appointment of a row of `SELECT`."""
    given = {
        name: row[name] for name in (f.name for f in fields(AppointmentRecord)) if name not in ("usager", "agents")
    }
    usager = None
    if row["usager_id"] is not None:
        usager = UsagerRecord(**{f.name: row["usager_id" if f.name == "id" else f.name] for f in fields(UsagerRecord)})
    agents = tuple(AgentRecord(id=int(identity), display_name=name) for identity, name in row["agents"] or ())
    return AppointmentRecord(**given, usager=usager, agents=agents)
