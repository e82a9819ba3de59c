"""Time taken away from an office or from some of its counters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from rdv.errors import InvalidInput, NotFound
from rdv.models import rows
from rdv.models.office_reads import load_counters
from rdv.models.planning import Closure
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground
from rdv.usecases.offices import id_from

FIRST_YEAR, LAST_YEAR = 1971, 2199


@dataclass(frozen=True, slots=True, kw_only=True)
class AddClosure:
    """From one wall-clock time to another the office, or some counters, are closed; None = all counters."""

    code: ClassVar[str] = "ADD_CLOSURE"
    module: ClassVar[Module] = Module.PLANNING

    from_date: date
    from_time: int = 0
    to_date: date
    to_time: int = 24 * 60
    counter_ids: Sequence[str] | None = None
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; its id is the next of those made."""
        check_range(self.from_date, self.from_time, self.to_date, self.to_time)
        ground.refuse_frozen("fromDate", self.from_date, over=self.over_frozen_day)
        made = await rows.add(
            ground.connection,
            Closure(
                office_id=ground.office.id,
                counter_ids=await counter_ids(ground, self.counter_ids),
                from_date=self.from_date,
                from_minute=self.from_time,
                to_date=self.to_date,
                to_minute=self.to_time,
            ),
        )
        ground.made.append(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveClosure:
    """A closure that is taken back."""

    code: ClassVar[str] = "REMOVE_CLOSURE"
    module: ClassVar[Module] = Module.PLANNING
    over_frozen_day: ClassVar[bool] = False

    closure_id: str

    async def write(self, ground: Ground) -> None:
        """Remove it; raises NotFound."""
        key = {"office_id": ground.office.id, "id": id_from(self.closure_id, field="closureId"), "agent_id": None}
        if not await rows.remove(ground.connection, Closure, **key):
            raise NotFound("There is no such closure at this office.")


def check_range(from_date: date, from_time: int, to_date: date, to_time: int) -> None:
    """Refuse a range of wall-clock time that is out of this world, or ends before it begins."""
    for name, day in (("fromDate", from_date), ("toDate", to_date)):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise InvalidInput(name, "This date is out of range.")
    if (from_date, from_time) >= (to_date, to_time):
        raise InvalidInput("toDate" if from_date != to_date else "toTime", "The end is not after the start.")


async def counter_ids(ground: Ground, ids: Sequence[str] | None, *, field: str = "counterIds") -> list[int] | None:
    """Return counters in use of the office; raises InvalidInput."""
    if ids is None:
        return None
    found = sorted({id_from(one, field=field) for one in ids})
    if not found:
        raise InvalidInput(field, "Name at least one counter, or leave it out for all of them.")
    known = {one.id for one in await load_counters(ground.connection, [ground.office.id])}
    if not known.issuperset(found):
        raise InvalidInput(field, "There is no such counter at this office.")
    return found
