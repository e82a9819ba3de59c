"""Appointments and their present seats: the rows that may never overlap.

What may live here: the tables under exclusion constraints. Why: even a bug of the engine cannot double-book. A hold
is an appointment in state HELD. Constraints are deferrable, so several can move in one transaction; all writers lock
their `office_day` rows first, in order. Do not add a writer that does not (`tidying.py` touches days long over).
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field, SQLModel

from rdv.models.columns import Instant, big, identity

LIVE = "status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS') and stranded_since is null"
COUNTER_ONCE = "appointment_counter_once"
AGENT_ONCE = "appointment_agent_once"


class Usager(SQLModel, table=True):
    """Who comes. Personal data: stays out of logs, addresses, error messages and exported instances."""

    __table_args__ = (
        Index("usager_email", text("lower(email)")),
        *(Index(f"usager_{name}", name) for name in ("phone", "tax_number", "company_number")),
    )

    id: int | None = identity()
    public_id: UUID = Field(unique=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")})
    subject: str | None = Field(default=None, unique=True)
    first_name: str
    last_name: str
    email: str | None = None
    phone: str | None = None
    tax_number: str | None = None
    company_number: str | None = None
    locale: str = "fr"


class Appointment(SQLModel, table=True):
    """A hold or an appointment, with the counter where it stands now."""

    __table_args__ = (
        CheckConstraint("starts_at < ends_at and ends_at <= occupied_until", name="appointment_range"),
        ExcludeConstraint(
            (text("int8range(counter_id, counter_id, '[]')"), "&&"),
            (text("tstzrange(starts_at, occupied_until)"), "&&"),
            using="gist",
            where=text(LIVE),
            deferrable=True,
            initially="IMMEDIATE",
            name=COUNTER_ONCE,
        ),
        # Of all that statements ask of an office's days: PostgreSQL has to see that a condition implies the index's.
        Index("appointment_of_office_day", "office_id", "day", postgresql_where=text("status <> 'CANCELLED'")),
        Index("appointment_held", "office_id", "day", postgresql_where=text("status = 'HELD'")),
        Index("appointment_stranded", "office_id", postgresql_where=text("stranded_since is not null")),
        Index("appointment_proposal", "proposal_for", postgresql_where=text("proposal_for is not null")),
        Index(
            "appointment_of_delegation", "delegation_id", "status", postgresql_where=text("delegation_id is not null")
        ),
        Index("appointment_delegated", "delegated_by", "day", postgresql_where=text("delegated_by is not null")),
    )

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    reference: str = Field(unique=True)
    status: str
    reason_id: int = big(foreign_key="reason.id")
    usager_id: int | None = big(default=None, foreign_key="usager.id", nullable=True, index=True)
    day: date
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    occupied_until: datetime = Field(sa_type=Instant)
    channel: str
    modality: str
    counter_id: int = big(foreign_key="counter.id")
    pinned: bool = False
    comment: str | None = None
    cancelled_why: str | None = None
    video_url: str | None = None
    hold_token_hash: str | None = Field(default=None, unique=True)
    access_code_hash: str | None = None
    held_by: str | None = Field(default=None, index=True)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    stranded_since: datetime | None = Field(
        default=None,
        sa_type=Instant,
        description="since when it fits nowhere: it takes no room, and somebody has to call",
    )
    proposal_for: int | None = big(
        default=None, foreign_key="appointment.id", nullable=True, description="the stranded one that a hold is for"
    )
    delegated_by: int | None = big(
        default=None, foreign_key="office.id", nullable=True, description="the office whose usager it is"
    )
    delegation_id: int | None = big(
        default=None, foreign_key="delegation.id", nullable=True, description="the delegation that brought it"
    )


class AppointmentAgent(SQLModel, table=True):
    """An agent who serves an appointment now; its range and life follow the appointment's by trigger."""

    __tablename__ = "appointment_agent"
    __table_args__ = (
        ExcludeConstraint(
            (text("int8range(agent_id, agent_id, '[]')"), "&&"),
            (text("tstzrange(starts_at, occupied_until)"), "&&"),
            using="gist",
            where=text("live"),
            deferrable=True,
            initially="IMMEDIATE",
            name=AGENT_ONCE,
        ),
    )

    office_id: int = big(foreign_key="office.id")
    appointment_id: int = big(foreign_key="appointment.id", primary_key=True, ondelete="CASCADE")
    agent_id: int = big(foreign_key="agent.id", primary_key=True)
    starts_at: datetime = Field(sa_type=Instant)
    occupied_until: datetime = Field(sa_type=Instant)
    live: bool = True


class OfficeDay(SQLModel, table=True):
    """One row an office and day: what a booking locks, and the version a reader compares."""

    __tablename__ = "office_day"

    office_id: int = big(foreign_key="office.id", primary_key=True)
    day: date = Field(primary_key=True)
    version: int = big(default=0)


class IdempotencyKey(SQLModel, table=True):
    """A key that was used: the digest of its body, and the id of what it made."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("idempotency_key_created", "created_at", postgresql_using="brin"),)

    scope: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body_digest: str
    made_id: int | None = big(default=None, nullable=True)
    created_at: datetime = Field(sa_type=Instant)
