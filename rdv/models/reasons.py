"""Reasons: the national tree, and what one office makes of it."""

from sqlmodel import Field, SQLModel

from rdv.models.columns import big, identity, labels, texts


class Reason(SQLModel, table=True):
    """A node of the tree; leaves are bookable. `labels` by language; `source` says where the duration comes from.

    Offices of `office_kinds` serve it, unless an OfficeReason says otherwise.
    """

    id: int | None = identity()
    code: str = Field(unique=True)
    parent_id: int | None = big(default=None, foreign_key="reason.id", nullable=True, index=True)
    labels: dict[str, str] = labels()
    level: int
    position: int = 0
    audience: str = "INDIVIDUAL"
    duration_minutes: int = 30
    buffer_minutes: int = 0
    agents_required: int = 1
    modalities: list[str] = texts(default=...)
    bookable: bool = False
    office_kinds: list[str] = texts(default=...)
    source: str = "assumption"


class OfficeReason(SQLModel, table=True):
    """What an office makes of a node and its whole subtree; the nearest row at or above a leaf decides, field by field.

    `served` None = as the office's kind does; an override of None = the national value.
    """

    __tablename__ = "office_reason"

    office_id: int = big(foreign_key="office.id", primary_key=True)
    reason_id: int = big(foreign_key="reason.id", primary_key=True)
    served: bool | None = None
    duration_minutes: int | None = None
    buffer_minutes: int | None = None
    agents_required: int | None = None
    modalities: list[str] | None = texts()
