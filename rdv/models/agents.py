"""Agents by their accounts."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.models.appointment_reads import AgentRecord

BY_SUBJECT = "select id, display_name from agent where subject = :subject"


async def agent_of(connection: AsyncConnection, subject: str) -> AgentRecord | None:
    """Return the agent with an account."""
    row = (await connection.execute(text(BY_SUBJECT), {"subject": subject})).one_or_none()
    return None if row is None else AgentRecord(id=row.id, display_name=row.display_name)
