"""Quotas of reasons and time kept for channels, as an office sets them; `rationing` is what follows from them."""

from dataclasses import dataclass
from typing import ClassVar

from rdv.engine.values import Channel
from rdv.errors import InvalidInput
from rdv.models import rows
from rdv.models.quotas import ChannelShare, ReasonQuota
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground
from rdv.usecases.offices import id_from
from rdv.usecases.rationing import MOST_A_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReasonQuota:
    """At most so many appointments a day for a reason and everything under it; None = no quota any more."""

    code: ClassVar[str] = "SET_REASON_QUOTA"
    module: ClassVar[Module] = Module.PLANNING
    over_frozen_day: ClassVar[bool] = False

    reason_id: str
    most_a_day: int | None = None

    async def write(self, ground: Ground) -> None:
        """Write it; raises InvalidInput."""
        reason = id_from(self.reason_id, field="reasonId")
        if reason not in ground.nation.tree.nodes:
            raise InvalidInput("reasonId", "There is no such reason.")
        if self.most_a_day is not None and not 0 <= self.most_a_day <= MOST_A_DAY:
            raise InvalidInput("mostADay", "Give a number from {least} to {most}.", least=0, most=MOST_A_DAY)
        key = {"office_id": ground.office.id, "reason_id": reason}
        await rows.remove(ground.connection, ReasonQuota, **key)
        if self.most_a_day is not None:
            await rows.add(ground.connection, ReasonQuota(**key, most_a_day=self.most_a_day))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetChannelShare:
    """A percentage of each day's open time that is kept for a channel; None = nothing is kept any more."""

    code: ClassVar[str] = "SET_CHANNEL_SHARE"
    module: ClassVar[Module] = Module.PLANNING
    over_frozen_day: ClassVar[bool] = False

    channel: Channel
    percent: int | None = None

    async def write(self, ground: Ground) -> None:
        """Write it; raises InvalidInput when more than all is kept."""
        others = await rows.values(ground.connection, ChannelShare, office_id=ground.office.id)
        kept = sum(one["percent"] for one in others if one["channel"] != self.channel)
        if self.percent is not None and not 1 <= self.percent <= 100 - kept:
            raise InvalidInput("percent", "Give a number from {least} to {most}.", least=1, most=100 - kept)
        office, channel = ground.office.id, self.channel.value
        await rows.remove(ground.connection, ChannelShare, office_id=office, channel=channel)
        if self.percent is not None:
            await rows.add(ground.connection, ChannelShare(office_id=office, channel=channel, percent=self.percent))
