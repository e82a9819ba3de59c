"""Agents by their accounts, and by their offices."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.models.appointment_reads import AgentRecord
from rdv.models.offices import Agent

OF_OFFICES = "select * from agent where office_id = any(:offices) order by office_id, id"

BY_IDS = "select id, display_name, subject, office_id from agent where id = any(:ids)"

BY_SUBJECT = "select id, display_name from agent where subject = :subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeAgentRecord:
    """An agent with their account and office."""

    id: int
    display_name: str
    subject: str | None
    office_id: int


async def agents_by_id(connection: AsyncConnection, ids: Sequence[int]) -> list[OfficeAgentRecord]:
    """Return the known ones of the agents."""
    rows = (await connection.execute(text(BY_IDS), {"ids": list(ids)})).mappings()
    return [OfficeAgentRecord(**row) for row in rows]


async def agent_of(connection: AsyncConnection, subject: str) -> AgentRecord | None:
    """Return the agent with an account."""
    row = (await connection.execute(text(BY_SUBJECT), {"subject": subject})).one_or_none()
    return None if row is None else AgentRecord(id=row.id, display_name=row.display_name)


async def load_agents(connection: AsyncConnection, offices: Sequence[int]) -> list[Agent]:
    """Return everybody who receives, or did, at some offices."""
    found = await connection.execute(text(OF_OFFICES), {"offices": list(offices)})
    return [Agent(**row) for row in found.mappings()]
