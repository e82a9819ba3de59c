"""What intended changes of an office would lead to."""

import datetime as dt  # types have a field called `date`
from typing import Annotated

import strawberry

from rdv.models.office_reads import CounterRecord
from rdv.schema.appointments import Agent, Appointment, appointments
from rdv.schema.context import Info
from rdv.schema.enums import Channel
from rdv.schema.gateway import about
from rdv.schema.offices import Office
from rdv.schema.planning import PlanningChangeInput, intended
from rdv.schema.reasons import Reason
from rdv.schema.scalars import LocalTime
from rdv.schema.selection import named
from rdv.schema.slots import Slot, WhyNot, slot
from rdv.schema.why_words import Words
from rdv.usecases import preview as use_case
from rdv.usecases.changing import ChangeRequest


@strawberry.input(description="Intended changes, and the days whose slots are compared.")
class PlanningPreviewInput:
    office_id: strawberry.ID = strawberry.field(description="The office.")
    changes: list[PlanningChangeInput] = strawberry.field(description="The changes, in order; at most 200.")
    from_: dt.date = strawberry.field(name="from", description="The first local day, today at the earliest.")
    to: dt.date = strawberry.field(description="The last local day, included; at most 370 days in all.")
    channel: Channel | None = strawberry.field(default=Channel.INTERNET, description="For whom slots are counted.")
    reason_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Only these reasons; left out: all that can be booked."
    )


@strawberry.type(description="A range of one local day.")
class OpenRange:
    date: dt.date = strawberry.field(description="The local day.")
    start: LocalTime = strawberry.field(description="From when on.")
    end: LocalTime = strawberry.field(description="Until when.")


@strawberry.type(description="A counter before and after changes.")
class CounterPreview:
    id: strawberry.ID | None = strawberry.field(description="The counter; null when it is only to be made.")
    label_before: str | None = strawberry.field(description="What it is called now; null when it is to be made.")
    label_after: str | None = strawberry.field(description="What it is called then; null when it is given up.")
    before: list[OpenRange] = strawberry.field(
        description="When it is open now, closures taken away.", directives=[about(30)]
    )
    after: list[OpenRange] = strawberry.field(description="When it is open then.", directives=[about(30)])


@strawberry.type(description="How many starts a day offers.")
class DayPreview:
    date: dt.date = strawberry.field(description="The local day.")
    before: int = strawberry.field(description="Starts offered now, whatever the booking horizon.")
    after: int = strawberry.field(description="Starts offered then.")


@strawberry.type(description="A reason's slots before and after changes.")
class ReasonPreview:
    reason: Reason = strawberry.field(description="The reason, as the office would have it.")
    slots_before: int = strawberry.field(description="Starts offered now, all days together.")
    slots_after: int = strawberry.field(
        description="Starts offered then, before other times are held for those who lose their place."
    )
    days: list[DayPreview] = strawberry.field(
        description="The days with a start before or after, ascending.", directives=[about(60)]
    )
    why: list[WhyNot] = strawberry.field(
        description="Why days without any start after the changes have none.", directives=[about(20)]
    )


@strawberry.type(description="An appointment that would lose its place.")
class StrandedAppointment:
    appointment: Appointment = strawberry.field(description="The appointment.")
    alternatives: list[Slot] = strawberry.field(description="Free starts nearest to it after the changes, ascending.")


@strawberry.type(description="An agent's load on the days of the preview, in minutes.")
class AgentLoad:
    agent: Agent = strawberry.field(description="The agent.")
    present_minutes_before: int = strawberry.field(description="How long they are there now.")
    present_minutes_after: int = strawberry.field(description="How long they are there then.")
    served_minutes_before: int = strawberry.field(description="How long they receive now.")
    served_minutes_after: int = strawberry.field(description="How long they receive then.")


@strawberry.type(description="What intended changes would lead to; nothing is changed by looking.")
class PlanningPreview:
    found: strawberry.Private[use_case.Preview]
    office: Office = strawberry.field(description="The office as it would be.")
    version: str = strawberry.field(description="Give it to `publishPlanning` to make exactly these changes.")
    reasons: list[ReasonPreview] = strawberry.field(
        description="Slots by reason and day, before and after.", directives=[about(20)]
    )
    agents: list[AgentLoad] = strawberry.field(description="Agents' loads; empty where agents are not assigned.")
    moved: int = strawberry.field(description="How many appointments would get another counter or agent.")

    @strawberry.field(description="Counters before and after.")
    def counters(
        self,
        only_changed: Annotated[
            bool, strawberry.argument(description="Leave out counters that stay as they are on these days.")
        ] = True,
    ) -> list[CounterPreview]:
        return [_counter(one) for one in self.found.counters if one.changed or not only_changed]

    @strawberry.field(description="Appointments that would lose their place, in order of time, with other starts.")
    async def stranded(self, info: Info) -> list[StrandedAppointment]:
        shown = await appointments(info.context, [one.appointment_id for one in self.found.stranded])
        by_id = {one.record.id: one for one in shown}
        return [
            StrandedAppointment(
                appointment=by_id[one.appointment_id],
                alternatives=[slot(start, one.duration_minutes, 1, one.modality) for start in one.alternatives],
            )
            for one in self.found.stranded
        ]

    @strawberry.field(description="Appointments that have lost their place already and would have one again.")
    async def placed_again(self, info: Info) -> list[Appointment]:
        return await appointments(info.context, self.found.effect.placed_again)


async def planning_preview(info: Info, wanted: PlanningPreviewInput) -> PlanningPreview:
    found = await use_case.preview(
        info.context.services,
        info.context.viewer,
        use_case.PreviewRequest(
            change=ChangeRequest(office_id=wanted.office_id, changes=intended(wanted.changes), listed=True),
            first=wanted.from_,
            last=wanted.to,
            channel=wanted.channel or Channel.INTERNET,
            reason_ids=wanted.reason_ids,
            explain="why" in named(info),
        ),
    )
    return PlanningPreview(
        found=found,
        office=Office(record=found.office),
        version=found.version,
        reasons=[_reason(info, found, one) for one in found.reasons],
        agents=[_load(one) for one in found.agents],
        moved=len(found.effect.moves),
    )


def _reason(info: Info, found: use_case.Preview, one: use_case.ReasonPreview) -> ReasonPreview:
    words = Words(found=one.found, translate=info.context.translate, with_counters=True)
    return ReasonPreview(
        reason=Reason(node=one.node, nodes=found.situation.reasons, tree=found.situation.tree),
        slots_before=sum(one.before.values()),
        slots_after=sum(one.after.values()),
        days=[
            DayPreview(date=day, before=one.before.get(day, 0), after=one.after.get(day, 0))
            for day in sorted({*one.before, *one.after})
        ],
        why=[WhyNot(date=w.date, code=w.code, starts=w.starts, detail=words.of(w)) for w in one.why],
    )


def _counter(one: use_case.CounterPreview) -> CounterPreview:
    def label(record: CounterRecord | None) -> str | None:
        return None if record is None else record.label

    return CounterPreview(
        id=None if one.was is None else strawberry.ID(str(one.was.id)),
        label_before=label(one.was),
        label_after=label(one.will_be),
        before=[OpenRange(date=day, start=LocalTime(start), end=LocalTime(end)) for day, start, end in one.before],
        after=[OpenRange(date=day, start=LocalTime(start), end=LocalTime(end)) for day, start, end in one.after],
    )


def _load(one: use_case.AgentPreview) -> AgentLoad:
    return AgentLoad(
        agent=Agent(id=strawberry.ID(str(one.agent.id)), display_name=one.agent.display_name),
        present_minutes_before=one.present_before,
        present_minutes_after=one.present_after,
        served_minutes_before=one.served_before,
        served_minutes_after=one.served_after,
    )
