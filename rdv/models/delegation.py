"""Delegations: an office hands reasons to another for a time."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from rdv.models.columns import Instant, big, identity, texts


class Delegation(SQLModel, table=True):
    """`office_id` hands a node of the reason tree to `to_office_id`, which has to accept.

    `share_percent` of the appointments may go there, 100 = all, and then the office offers none itself; `channels`
    NULL = whatever the channel. An ended one keeps the appointments already made.
    """

    __table_args__ = (
        CheckConstraint("office_id <> to_office_id", name="delegation_to_another"),
        CheckConstraint("share_percent between 1 and 100", name="delegation_share"),
        CheckConstraint("until_date is null or from_date <= until_date", name="delegation_dates"),
        CheckConstraint("status in ('PROPOSED', 'ACCEPTED', 'REFUSED', 'ENDED')", name="delegation_status"),
        Index("delegation_of_office", "office_id", "status"),
        Index("delegation_to_office", "to_office_id", "status"),
    )

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    to_office_id: int = big(foreign_key="office.id")
    reason_id: int = big(foreign_key="reason.id")
    share_percent: int = 100
    channels: list[str] | None = texts()
    from_date: date
    until_date: date | None = None
    status: str = "PROPOSED"
    proposed_at: datetime = Field(sa_type=Instant)
    answered_at: datetime | None = Field(default=None, sa_type=Instant)
