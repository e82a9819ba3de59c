"""Making a generated planning the office's own."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from rdv.engine.outlook import Outlook, Range
from rdv.engine.roster.values import Shift, openings_of
from rdv.errors import InvalidInput, NotFound
from rdv.models import drafts, rows
from rdv.models.drafts import PlanningDraft, RosterShift
from rdv.models.office_reads import load_counters
from rdv.models.offices import Agent
from rdv.models.planning import DayException
from rdv.models.situation import load_situations
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground
from rdv.usecases.offices import id_from

READY = {"DONE", "INFEASIBLE", "PUBLISHED"}
ROSTER = "ROSTER"
Times = list[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyDraft:
    """A generated planning that holds from now on: counters are open while somebody is at them.

    What was written for single days by hand stays beneath it, and comes back when the day's roster is taken away.
    """

    code: ClassVar[str] = "APPLY_DRAFT"
    module: ClassVar[Module] = Module.PLANNING

    draft_id: str
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound or InvalidInput."""
        draft = await drafts.whole_draft(ground.connection, id_from(self.draft_id, field="draftId"))
        if draft is None or draft.office_id != ground.office.id:
            raise NotFound("There is no such planning at this office.")
        if draft.status not in READY or draft.result is None:
            raise InvalidInput("draftId", "This planning is not ready.")
        ground.refuse_frozen("draftId", draft.from_date, over=self.over_frozen_day)
        shifts = [shift(one) for one in draft.result["shifts"]]
        await _refuse_gone(ground, shifts)
        await _refuse_outside(ground, draft, shifts)
        await drafts.clear_roster(ground.connection, ground.office.id, draft.from_date, draft.until_date)
        await rows.add_all(ground.connection, [_row(ground, one) for one in shifts])
        await rows.add_all(ground.connection, _exceptions(ground, draft.result, shifts))
        await rows.change(ground.connection, PlanningDraft, {"id": draft.id}, status="PUBLISHED")


def shift(row: list[Any]) -> Shift:
    """Return a shift from how a draft keeps it."""
    day, start, end, agent, counter = row
    return Shift(
        date=date.fromisoformat(day), start_minute=start, end_minute=end, agent=str(agent), counter=str(counter)
    )


def _row(ground: Ground, one: Shift) -> RosterShift:
    return RosterShift(
        office_id=ground.office.id,
        agent_id=int(one.agent),
        counter_id=int(one.counter),
        on_date=one.date,
        start_minute=one.start_minute,
        end_minute=one.end_minute,
    )


async def _refuse_gone(ground: Ground, shifts: list[Shift]) -> None:
    """Refuse a planning with somebody, or a counter, that is not there any more."""
    counters = {str(one.id) for one in await load_counters(ground.connection, [ground.office.id])}
    found = await rows.values(ground.connection, Agent, office_id=ground.office.id, retired=False)
    agents = {str(one["id"]) for one in found}
    if any(one.counter not in counters or one.agent not in agents for one in shifts):
        raise InvalidInput("draftId", "A counter or an agent of this planning is not there any more: generate it anew.")


async def _refuse_outside(ground: Ground, draft: PlanningDraft, shifts: list[Shift]) -> None:
    """Refuse a planning in which somebody is not there any more at some time, or a counter may not be open."""
    found = await load_situations(
        ground.connection,
        ground.nation,
        [ground.office.id],
        first=draft.from_date,
        last=draft.until_date,
        now=ground.now,
        rostered=False,
    )
    outlook = Outlook(found[ground.office.id].instance, draft.from_date, draft.until_date)
    there = {one: outlook.presence(one) for one in {shift.agent for shift in shifts}}
    open_at = {one: outlook.ranges(one) for one in {shift.counter for shift in shifts}}
    for one in shifts:
        if not (_within(one, there[one.agent]) and _within(one, open_at[one.counter])):
            raise InvalidInput(
                "draftId", "Hours or presence on {day} were changed since: generate it anew.", day=one.date
            )


def _within(one: Shift, ranges: list[Range]) -> bool:
    return any(day == one.date and start <= one.start_minute and one.end_minute <= end for day, start, end in ranges)


def _exceptions(ground: Ground, result: dict[str, Any], shifts: list[Shift]) -> list[DayException]:
    """Return when counters are open and agents there on each day that was planned; without a shift, not at all."""
    open_at = openings_of(tuple(shifts))
    there: dict[tuple[str, date], Times] = {}
    for one in shifts:
        there.setdefault((one.agent, one.date), []).append((one.start_minute, one.end_minute))
    found = []
    for column, planned, times in (("counter_id", result["counters"], open_at), ("agent_id", result["agents"], there)):
        for name, days in planned.items():
            for day in map(date.fromisoformat, days):
                ranges: list[tuple[int | None, int | None]] = [*times.get((name, day), [])]
                found += [
                    DayException(
                        office_id=ground.office.id,
                        **{column: int(name)},
                        on_date=day,
                        start_minute=start,
                        end_minute=end,
                        source=ROSTER,
                    )
                    for start, end in ranges or [(None, None)]
                ]
    return found
