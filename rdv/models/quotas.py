"""What an office keeps back: how many appointments of a reason a day takes, and what only one channel may book."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from rdv.models.columns import big


class ReasonQuota(SQLModel, table=True):
    """At most so many live appointments a day for a node of the reason tree with everything under it."""

    __tablename__ = "reason_quota"
    __table_args__ = (CheckConstraint("most_a_day >= 0", name="reason_quota_most"),)

    office_id: int = big(foreign_key="office.id", primary_key=True)
    reason_id: int = big(foreign_key="reason.id", primary_key=True)
    most_a_day: int


class ChannelShare(SQLModel, table=True):
    """The part of a day's open counter time that is kept for one channel."""

    __tablename__ = "channel_share"
    __table_args__ = (CheckConstraint("percent between 1 and 100", name="channel_share_percent"),)

    office_id: int = big(foreign_key="office.id", primary_key=True)
    channel: str = Field(primary_key=True)
    percent: int


@dataclass(frozen=True, slots=True)
class Quotas:
    """An office's quotas: the most appointments a day by node, and the percentage kept by channel."""

    most_a_day: Mapping[int, int] = field(default_factory=dict)
    kept_percent: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.most_a_day or self.kept_percent)


def quotas_from(quotas: Iterable[tuple[int, int]], shares: Iterable[tuple[str, int]]) -> Quotas:
    """Return the quotas of rows."""
    return Quotas(dict(quotas), dict(shares))
