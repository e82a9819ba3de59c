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


_SELECT = """
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
BY_REFERENCE = _SELECT + "where a.reference = :key"
BY_ID = _SELECT + "where a.id = :key"
BY_TOKEN = _SELECT + "where a.hold_token_hash = :key"
BY_IDS = _SELECT + "where a.id = any(:ids)"
BY_REFERENCES = _SELECT + "where a.reference = any(:references)"

# A usager's appointments, the latest first, from one place on; holds are not theirs yet.
OF_USAGER = (
    _SELECT
    + """
where a.usager_id = :usager and a.status <> 'HELD'
  and (a.office_id = any(:offices) or a.delegated_by = any(:offices))
  and (cast(:before_start as timestamptz) is null or (a.starts_at, a.id) < (:before_start, :before_id))
order by a.starts_at desc, a.id desc limit :at_most
"""
)

COUNT_OF_USAGER = """
select count(*) from appointment where usager_id = :usager and status <> 'HELD'
  and (office_id = any(:offices) or delegated_by = any(:offices))
"""

# Whom an office has to call: they lost their place and have not chosen another time; the first to come first.
TO_CALL_BACK = (
    _SELECT
    + """
where a.office_id = :office and a.stranded_since is not null and a.status = 'BOOKED' and a.ends_at > :now
order by a.starts_at, a.id limit :at_most
"""
)

# The holds that propose another time to those who lost theirs.
PROPOSALS = _SELECT.replace("select a.id", "select a.proposal_for, a.id") + (
    "where a.proposal_for = any(:ids) and a.status = 'HELD' and a.expires_at > :now"
)

# Those that gave it to another office as well.
OFFICES_OF_USAGER = """
select distinct unnest(array[office_id, delegated_by]) from appointment
where usager_id = :usager and status <> 'HELD'
"""


async def find(connection: AsyncConnection, statement: str, key: str | int) -> AppointmentRecord | None:
    """Return the appointment that one of the statements above finds."""
    row = (await connection.execute(text(statement), {"key": key})).mappings().one_or_none()
    return None if row is None else _record(row)


async def by_ids(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, AppointmentRecord]:
    """Return the known ones of the appointments, by id."""
    rows = (await connection.execute(text(BY_IDS), {"ids": list(ids)})).mappings()
    return {row["id"]: _record(row) for row in rows}


async def load_appointments(connection: AsyncConnection, references: Sequence[str]) -> dict[str, AppointmentRecord]:
    """Return the known ones of the appointments and holds, by reference."""
    rows = (await connection.execute(text(BY_REFERENCES), {"references": list(references)})).mappings()
    return {row["reference"]: _record(row) for row in rows}


async def to_call_back(
    connection: AsyncConnection, office: int, now: datetime, *, at_most: int
) -> list[AppointmentRecord]:
    """Return whom an office has to call, the first to come first."""
    bound = {"office": office, "now": now, "at_most": at_most}
    return [_record(row) for row in (await connection.execute(text(TO_CALL_BACK), bound)).mappings()]


async def proposals(connection: AsyncConnection, ids: Sequence[int], now: datetime) -> dict[int, AppointmentRecord]:
    """Return the live proposals, by the appointment that each is for."""
    rows = (await connection.execute(text(PROPOSALS), {"ids": list(ids), "now": now})).mappings()
    return {row["proposal_for"]: _record(row) for row in rows}


async def of_usager(
    connection: AsyncConnection,
    usager: int,
    *,
    offices: Sequence[int],
    before: tuple[datetime, int] | None,
    at_most: int,
) -> Sequence[AppointmentRecord]:
    """Return a usager's appointments at some offices, the latest first, after the one that starts at `before`."""
    start, last = before or (None, 0)
    bound = {"usager": usager, "offices": list(offices), "before_start": start, "before_id": last, "at_most": at_most}
    return [_record(row) for row in (await connection.execute(text(OF_USAGER), bound)).mappings()]


async def count_of_usager(connection: AsyncConnection, usager: int, *, offices: Sequence[int]) -> int:
    """Count a usager's appointments at some offices, past and cancelled ones included."""
    bound = {"usager": usager, "offices": list(offices)}
    return int((await connection.execute(text(COUNT_OF_USAGER), bound)).scalar_one())


async def offices_of_usager(connection: AsyncConnection, usager: int) -> list[int]:
    """Return the offices where a usager has or had appointments."""
    found = (await connection.execute(text(OFFICES_OF_USAGER), {"usager": usager})).scalars()
    return [office for office in found if office is not None]


def _record(row: Mapping[Any, Any]) -> AppointmentRecord:
    given = {
        name: row[name] for name in (f.name for f in fields(AppointmentRecord)) if name not in ("usager", "agents")
    }
    usager = None
    if row["usager_id"] is not None:
        usager = UsagerRecord(**{f.name: row["usager_id" if f.name == "id" else f.name] for f in fields(UsagerRecord)})
    agents = tuple(AgentRecord(id=int(identity), display_name=name) for identity, name in row["agents"] or ())
    return AppointmentRecord(**given, usager=usager, agents=agents)
