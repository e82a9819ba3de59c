"""The history of an office's organisation: who changed what, and everything as it was before and after.

A revision keeps the office's rows as one JSON document, made and read back by PostgreSQL itself, so that going back
needs no code per table. Rows that others refer to (counters, agents, templates) are never deleted: one that a revision
does not know is retired.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from rdv.models.columns import Instant, big


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
