"""Delegations: an office hands reasons to another for a time."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from rdv.models.columns import Instant, big, identity, texts
from rdv.models.reason_tree import ReasonTree


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """An accepted delegation of an office as its slots are searched with; `leaves` are the reasons it is for."""

    id: int
    to_office: int
    leaves: frozenset[int]
    share_percent: int
    channels: frozenset[str] | None
    first: date
    last: date | None

    def covers(self, reason: int, channel: str, day: date) -> bool:
        """Tell whether an appointment on a day is a matter of it."""
        return self.concerns(reason, channel) and self.first <= day and (self.last is None or day <= self.last)

    def concerns(self, reason: int, channel: str) -> bool:
        """Tell whether it is for a reason and a channel, on whichever day."""
        return reason in self.leaves and (self.channels is None or channel in self.channels)

    @property
    def whole(self) -> bool:
        """Whether the office offers nothing of it itself."""
        return self.share_percent == 100


# Locked until the transaction ends: whoever ends it waits for bookings under way.
BINDING = """
select id, to_office_id, reason_id, share_percent, channels, from_date, until_date from delegation
where office_id = :office and to_office_id = :to_office and status = 'ACCEPTED' for share
"""

OF_OFFICE = "select * from delegation where office_id = :office or to_office_id = :office order by id desc limit 500"

# Two that are written at once could make a loop; the second one is to try again.
ALONE = "select pg_try_advisory_xact_lock(hashtext('delegation'))"

_COUNTED = """reason_id = any(:reasons) and day between :first and :last
  and status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS', 'DONE') and (status <> 'HELD' or expires_at > :now)"""

# What an office, or another for it, has of some reasons on some days: each by its own index.
SHARES = f"""
select day, sum(own)::int as own, sum(given)::int as given
from (
  select day, 1 as own, 0 as given from appointment where office_id = :office and {_COUNTED}
  union all
  select day, 0, 1 from appointment where delegated_by = :office and {_COUNTED}
) each
group by day
"""

# What became of the appointments that one office made for another; holds that came to nothing are none.
MADE = """
select delegation_id, status, count(*) from appointment
where delegation_id = any(:ids) and usager_id is not null group by delegation_id, status
"""


def delegated_from(rows: Iterable[Sequence[Any]], tree: ReasonTree) -> tuple[Delegated, ...]:
    """Return delegations of rows `[id, to_office, reason, share, channels, from, until]`; dates may be ISO texts."""
    return tuple(
        Delegated(
            id=number,
            to_office=to_office,
            leaves=tree.leaves(reason),
            share_percent=share,
            channels=None if channels is None else frozenset(channels),
            first=_date(first),
            last=None if last is None else _date(last),
        )
        for number, to_office, reason, share, channels, first, last in rows
    )


def _date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


async def binding(connection: AsyncConnection, office: int, to_office: int, tree: ReasonTree) -> tuple[Delegated, ...]:
    """Return what an office has delegated to another, which stays so until the transaction ends."""
    rows = await connection.execute(text(BINDING), {"office": office, "to_office": to_office})
    return delegated_from([tuple(row) for row in rows], tree)


async def of_office(connection: AsyncConnection, office: int) -> list[Delegation]:
    """Return what an office has handed to others or received from them, the latest first."""
    return [Delegation(**row) for row in (await connection.execute(text(OF_OFFICE), {"office": office})).mappings()]


async def alone(connection: AsyncConnection) -> bool:
    """Tell whether nobody else writes delegations, and let nobody until the transaction ends."""
    return bool((await connection.execute(text(ALONE))).scalar())


async def shares(
    connection: AsyncConnection, office: int, reasons: Iterable[int], *, first: date, last: date, now: datetime
) -> dict[date, tuple[int, int]]:
    """Return by day how many appointments of some reasons an office has itself, and has given to others."""
    bound = {"office": office, "reasons": list(reasons), "first": first, "last": last, "now": now}
    return {row.day: (row.own, row.given) for row in await connection.execute(text(SHARES), bound)}


async def made(connection: AsyncConnection, delegations: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return, by delegation and status, how many appointments came of it."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for number, status, count in await connection.execute(text(MADE), {"ids": list(delegations)}):
        found[number][status] = count
    return found
