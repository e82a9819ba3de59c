"""Single days that are not like the others: one occurrence is edited, the others stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from rdv.errors import InvalidInput, NotFound
from rdv.models import rows
from rdv.models.planning import DayException
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground
from rdv.usecases.opening_changes import FIRST_YEAR, LAST_YEAR, TimeRange, check_ranges, counter_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SetException:
    """What replaces one day's recurring hours, of the office or of one counter; no range = closed that day."""

    code: ClassVar[str] = "SET_EXCEPTION"
    module: ClassVar[Module] = Module.PLANNING

    on_date: date
    counter_id: str | None = None
    ranges: Sequence[TimeRange] = ()
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it in the place of an earlier one for the day; raises InvalidInput or NotFound."""
        if not FIRST_YEAR <= self.on_date.year <= LAST_YEAR:
            raise InvalidInput("onDate", "This date is out of range.")
        check_ranges(self.ranges)
        ground.refuse_frozen("onDate", self.on_date, over=self.over_frozen_day)
        key: dict[str, Any] = {
            "office_id": ground.office.id,
            "counter_id": await counter_id(ground, self.counter_id),
            "agent_id": None,
            "on_date": self.on_date,
        }
        await rows.remove(ground.connection, DayException, **key)
        closed: list[tuple[int | None, int | None]] = [(None, None)]
        ranges = [(one.start_time, one.end_time) for one in self.ranges] or closed
        await rows.add_all(
            ground.connection, [DayException(**key, start_minute=start, end_minute=end) for start, end in ranges]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveException:
    """A day that is like the others again."""

    code: ClassVar[str] = "REMOVE_EXCEPTION"
    module: ClassVar[Module] = Module.PLANNING

    on_date: date
    counter_id: str | None = None
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Remove it; raises NotFound."""
        ground.refuse_frozen("onDate", self.on_date, over=self.over_frozen_day)
        counter = await counter_id(ground, self.counter_id)
        key = {"office_id": ground.office.id, "counter_id": counter, "agent_id": None, "on_date": self.on_date}
        if not await rows.remove(ground.connection, DayException, **key):
            raise NotFound("This day has no exception.")
