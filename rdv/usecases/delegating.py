"""Handing reasons to another office: proposed, accepted or refused, ended.

What is delegated cannot be delegated on, so there are no chains and no loops; what is delegated to one cannot be
delegated to another at the same time. Appointments that were made stay where they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar

from rdv.engine.values import Channel
from rdv.errors import InvalidInput, NotFound, VersionConflict
from rdv.models import delegation, rows
from rdv.models.database import Connection
from rdv.models.delegation import Delegation
from rdv.models.office_reads import load_offices, load_overrides
from rdv.models.reason_tree import ReasonNode
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground, version_of
from rdv.usecases.offices import id_from
from rdv.usecases.opening_changes import FIRST_YEAR, LAST_YEAR

LIVE = ("PROPOSED", "ACCEPTED")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeDelegation:
    """Reasons an office would hand to another, which has to accept; None = any channel, for ever."""

    code: ClassVar[str] = "PROPOSE_DELEGATION"
    module: ClassVar[Module] = Module.PLANNING
    over_frozen_day: ClassVar[bool] = False

    to_office_id: str
    reason_id: str
    from_date: date
    until_date: date | None = None
    share_percent: int = 100
    channels: Sequence[Channel] | None = None

    async def touches(self, connection: Connection) -> set[int]:
        """Return the other office."""
        del connection
        return {id_from(self.to_office_id, field="toOfficeId")}

    async def write(self, ground: Ground) -> None:
        """Write it; its id is the next of those made. Raises InvalidInput, NotFound or VersionConflict."""
        await _alone(ground)
        row = Delegation(
            office_id=ground.office.id,
            to_office_id=id_from(self.to_office_id, field="toOfficeId"),
            reason_id=id_from(self.reason_id, field="reasonId"),
            share_percent=self.share_percent,
            channels=None if self.channels is None else sorted({one.value for one in self.channels}),
            from_date=self.from_date,
            until_date=self.until_date,
            proposed_at=ground.now,
        )
        _check(ground, row)
        await _check_reason(ground, row)
        await _check_others(ground, row)
        ground.made.append(await rows.add(ground.connection, row))


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptDelegation:
    """Another office's reasons that this one receives from now on."""

    code: ClassVar[str] = "ACCEPT_DELEGATION"
    module: ClassVar[Module] = Module.PLANNING
    over_frozen_day: ClassVar[bool] = False

    delegation_id: str

    async def touches(self, connection: Connection) -> set[int]:
        """Return both offices."""
        return await _both(connection, self.delegation_id)

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound, InvalidInput or VersionConflict."""
        await _alone(ground)
        row = await _proposed(ground, self.delegation_id)
        if row.until_date is not None and row.until_date < ground.today:
            raise InvalidInput("delegationId", "This delegation is over already.")
        await _check_reason(ground, row, field="delegationId")
        await _check_others(ground, row, field="delegationId")
        await _answer(ground, row, "ACCEPTED")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseDelegation:
    """Another office's reasons that this one does not take."""

    code: ClassVar[str] = "REFUSE_DELEGATION"
    module: ClassVar[Module] = Module.PLANNING
    over_frozen_day: ClassVar[bool] = False

    delegation_id: str

    async def touches(self, connection: Connection) -> set[int]:
        """Return both offices."""
        return await _both(connection, self.delegation_id)

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound or InvalidInput."""
        await _answer(ground, await _proposed(ground, self.delegation_id), "REFUSED")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDelegation:
    """A delegation that ends, for either office; None = at once. Appointments that were made stay."""

    code: ClassVar[str] = "END_DELEGATION"
    module: ClassVar[Module] = Module.PLANNING
    over_frozen_day: ClassVar[bool] = False

    delegation_id: str
    until_date: date | None = None

    async def touches(self, connection: Connection) -> set[int]:
        """Return both offices."""
        return await _both(connection, self.delegation_id)

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound or InvalidInput."""
        row = await _known(ground, self.delegation_id)
        if ground.office.id not in (row.office_id, row.to_office_id):
            raise NotFound("There is no such delegation at this office.")
        if row.status not in LIVE:
            raise InvalidInput("delegationId", "This delegation has ended already.")
        if self.until_date is None:
            await rows.change(ground.connection, Delegation, {"id": row.id}, status="ENDED", answered_at=ground.now)
            return
        earliest = max(row.from_date, ground.today)
        if self.until_date < earliest or (row.until_date is not None and row.until_date < self.until_date):
            raise InvalidInput(
                "untilDate", "It can only end earlier than is agreed, and not before {day}.", day=earliest
            )
        await rows.change(ground.connection, Delegation, {"id": row.id}, until_date=self.until_date)


def _check(ground: Ground, row: Delegation) -> None:
    if row.to_office_id == row.office_id:
        raise InvalidInput("toOfficeId", "An office cannot delegate to itself.")
    if not 1 <= row.share_percent <= 100:
        raise InvalidInput("sharePercent", "Give a number from {least} to {most}.", least=1, most=100)
    if row.channels is not None and not row.channels:
        raise InvalidInput("channels", "Name at least one channel, or leave it out for all of them.")
    if not ground.today <= row.from_date or row.from_date.year > LAST_YEAR:
        raise InvalidInput("fromDate", "A delegation begins today at the earliest.")
    if row.until_date is not None and not FIRST_YEAR <= row.until_date.year <= LAST_YEAR:
        raise InvalidInput("untilDate", "This date is out of range.")
    if row.until_date is not None and row.until_date < row.from_date:
        raise InvalidInput("untilDate", "The last day is before the first.")


async def _check_reason(ground: Ground, row: Delegation, *, field: str = "reasonId") -> None:
    """Refuse what the giving office does not serve itself, or the other one does not."""
    offices = await load_offices(ground.connection, [row.office_id, row.to_office_id])
    if row.to_office_id not in offices:
        raise NotFound("There is no such office.")
    tree = ground.nation.tree
    overrides = await load_overrides(ground.connection, list(offices))

    def served(office: int) -> set[int]:
        nodes = tree.at_office(offices[office].kind, overrides.get(office, {}))
        return {leaf for leaf in tree.leaves(row.reason_id) if _served(nodes[leaf])}

    mine = served(row.office_id)
    if not mine:
        raise InvalidInput(field, "This office does not serve this reason.")
    if not mine <= served(row.to_office_id):
        raise InvalidInput(field, "The other office does not serve all of this reason.")


def _served(node: ReasonNode) -> bool:
    return node.bookable and node.served


async def _check_others(ground: Ground, row: Delegation, *, field: str = "reasonId") -> None:
    """Refuse a second delegation of the same, and one of what is delegated already; others may only be proposed."""
    for other in await _touching(ground, row):
        if other.id == row.id or not _overlap(ground, row, other):
            continue
        if other.office_id == row.office_id:
            raise InvalidInput(field, "This is delegated at that time already.")
        raise InvalidInput(field, "What is delegated cannot be delegated on: one of the two offices would do so.")


async def _touching(ground: Ground, row: Delegation) -> list[Delegation]:
    """Return live delegations of the giving office, to it, and of the receiving one."""
    found = []
    for key in ({"office_id": row.office_id}, {"to_office_id": row.office_id}, {"office_id": row.to_office_id}):
        for status in LIVE:
            found += await rows.values(ground.connection, Delegation, **key, status=status)
    return [Delegation(**one) for one in found]


def _overlap(ground: Ground, one: Delegation, other: Delegation) -> bool:
    tree = ground.nation.tree
    same_time = one.from_date <= _end(other) and other.from_date <= _end(one)
    same_channel = one.channels is None or other.channels is None or set(one.channels) & set(other.channels)
    return bool(same_time and same_channel and tree.leaves(one.reason_id) & tree.leaves(other.reason_id))


def _end(one: Delegation) -> date:
    return one.until_date or date.max - timedelta(days=1)


async def _both(connection: Connection, given: str) -> set[int]:
    """Return the offices of a delegation."""
    found = await rows.values(connection, Delegation, id=id_from(given, field="delegationId"))
    return {one[name] for one in found for name in ("office_id", "to_office_id")}


async def _alone(ground: Ground) -> None:
    if not await delegation.alone(ground.connection):
        raise VersionConflict(
            "Delegations are being changed at this moment: try again.",
            version=version_of(ground.office, ground.nation),
        )


async def _known(ground: Ground, given: str) -> Delegation:
    found = await rows.values(ground.connection, Delegation, id=id_from(given, field="delegationId"))
    if not found:
        raise NotFound("There is no such delegation at this office.")
    return Delegation(**found[0])


async def _proposed(ground: Ground, given: str) -> Delegation:
    """Return a delegation that waits for this office's answer."""
    row = await _known(ground, given)
    if row.to_office_id != ground.office.id:
        raise NotFound("There is no such delegation at this office.")
    if row.status != "PROPOSED":
        raise InvalidInput("delegationId", "This delegation was answered already.")
    return row


async def _answer(ground: Ground, row: Delegation, status: str) -> None:
    values: dict[str, Any] = {"status": status, "answered_at": ground.now}
    await rows.change(ground.connection, Delegation, {"id": row.id}, **values)
