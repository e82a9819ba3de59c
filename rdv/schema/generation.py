"""Generated plannings: asked for, looked at, given up; `applyDraft` makes one the office's own."""

import datetime as dt  # types have a field called `date`
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import strawberry

from rdv import errors
from rdv.engine.roster.values import openings_of
from rdv.models import drafts as models
from rdv.models.office_reads import CounterRecord, OfficeRecord
from rdv.models.offices import Agent as AgentRow
from rdv.schema.appointments import Agent
from rdv.schema.changes import KEY, change_input
from rdv.schema.context import Info
from rdv.schema.enums import described
from rdv.schema.gateway import ENGINE, MANY_OFFICES, STAFF
from rdv.schema.mutations import or_problem
from rdv.schema.offices import Counter, Office
from rdv.schema.problems import IdempotencyConflict, InvalidInput, NotAllowed, NotFound
from rdv.schema.reasons import Reason
from rdv.schema.roster_words import words
from rdv.schema.scalars import LocalTime
from rdv.usecases import drafts as publishing
from rdv.usecases import generation as use_case
from rdv.usecases.drafts import shift
from rdv.usecases.offices import id_from

described(
    use_case.DraftStatus,
    "What has become of a generated planning.",
    QUEUED="It waits for a worker.",
    RUNNING="A worker looks for a better one; what has been found so far can be read.",
    DONE="It is ready, and keeps all rules.",
    INFEASIBLE="It is ready, but some rules cannot be kept: see `conflicts`.",
    CANCELLED="It was given up before it was ready.",
    FAILED="There is none: see `failure`.",
    PUBLISHED="It was made to hold by `applyDraft`.",
)


@strawberry.input(description="How many agents have to be there for a reason, whenever a counter may be open.")
class LeastByReasonInput:
    reason_id: strawberry.ID = strawberry.field(description="The reason, with everything under it.")
    agents: int = strawberry.field(description="How many who can serve it.")

    def value(self) -> use_case.LeastByReason:
        return use_case.LeastByReason(reason_id=self.reason_id, agents=self.agents)


@strawberry.input(description="Hard rules of a roster; maxima of single agents are their own (`updateAgent`).")
class GenerationRulesInput:
    block_minutes: int = strawberry.field(default=30, description="Shifts begin and end on this grid; divides a day.")
    shortest_shift_minutes: int = strawberry.field(default=120, description="Nobody sits at a counter for less.")
    longest_shift_minutes: int = strawberry.field(default=240, description="Nobody sits at a counter for longer.")
    break_minutes: int = strawberry.field(default=30, description="At least this between two shifts of somebody.")
    least_counters: int = strawberry.field(default=0, description="At least so many are open while any may be.")
    least_by_reason: list[LeastByReasonInput] = strawberry.field(
        default_factory=list, description="For which reasons somebody has to be there."
    )

    def value(self) -> use_case.GenerationRules:
        least = [one.value() for one in self.least_by_reason]
        return use_case.GenerationRules(**vars(self) | {"least_by_reason": least})


@strawberry.input(description="How much is expected of a reason in a block.")
class DemandInput:
    date: dt.date = strawberry.field(description="The day.")
    start_time: LocalTime = strawberry.field(description="When the block begins.")
    reason_id: strawberry.ID = strawberry.field(description="The reason; of a node: shared out among what is under it.")
    minutes: int = strawberry.field(description="How many minutes of reception are expected in this block.")

    def value(self) -> use_case.ExpectedDemand:
        return use_case.ExpectedDemand(**vars(self))


@strawberry.input(description="What is to be planned, and by which rules.")
class Generation:
    from_: dt.date = strawberry.field(name="from", description="The first local day, today at the earliest.")
    to: dt.date = strawberry.field(description="The last local day, included; at most 92 days in all.")
    seconds: int = strawberry.field(
        default=30, description="How long to look for a better planning, 1 to 600: a first one is there at once."
    )
    rules: GenerationRulesInput = strawberry.field(default_factory=GenerationRulesInput, description="The hard rules.")
    demand: list[DemandInput] | None = strawberry.field(
        default=None, description="What is expected; left out: forecast from the appointments of the last weeks."
    )

    def request(self) -> use_case.GenerationRequest:
        return use_case.GenerationRequest(
            first=self.from_,
            last=self.to,
            seconds=self.seconds,
            rules=self.rules.value(),
            demand=None if self.demand is None else [one.value() for one in self.demand],
        )


@strawberry.input(description="A planning of one office.")
class GeneratePlanningInput(Generation):
    office_id: strawberry.ID = strawberry.field(description="The office; it has to assign agents (`staffed`).")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Plannings of all offices of a département that take bookings and assign agents.")
class GeneratePlanningsInput(Generation):
    departement: str = strawberry.field(description="The département's code.")


@strawberry.input(description="A generated planning that is not wanted any more.")
class CancelGenerationInput:
    draft_id: strawberry.ID = strawberry.field(description="The planning.")


@change_input(publishing.ApplyDraft, "A generated planning that holds from now on.")
class DraftApplication:
    draft_id: strawberry.ID = strawberry.field(description="The planning.")
    over_frozen_day: bool = strawberry.field(
        default=False, description="Go on although settled days change, whose agents were told."
    )


@strawberry.type(description="Somebody is at a counter for a while.")
class RosterShift:
    date: dt.date = strawberry.field(description="The local day.")
    start: LocalTime = strawberry.field(description="From when on.")
    end: LocalTime = strawberry.field(description="Until when.")
    agent: Agent = strawberry.field(description="Who.")
    counter: Counter | None = strawberry.field(description="Where; null when the counter is not in use any more.")


@strawberry.type(description="A counter is open because somebody is at it.")
class RosterOpening:
    date: dt.date = strawberry.field(description="The local day.")
    start: LocalTime = strawberry.field(description="From when on.")
    end: LocalTime = strawberry.field(description="Until when.")
    counter: Counter | None = strawberry.field(description="Which; null when it is not in use any more.")


@strawberry.type(description="How much of what is expected a planning serves.")
class ServedDemand:
    reason: Reason = strawberry.field(description="The reason.")
    wanted_minutes: int = strawberry.field(description="How many minutes are booked or expected.")
    served_minutes: int = strawberry.field(description="How many of them somebody is there for.")


@strawberry.type(description="A rule that cannot be kept, and when.")
class RosterConflict:
    code: str = strawberry.field(
        description="TOO_FEW_COUNTERS: not enough may be open, or are for the reason; TOO_FEW_PRESENT: not enough "
        "agents are there; TOO_FEW_SKILLED: not enough who can serve the reason; TOO_FEW_HOURS: enough, but maxima, "
        "breaks and the shortest shift leave too little."
    )
    date: dt.date = strawberry.field(description="The local day.")
    start: LocalTime = strawberry.field(description="From when on.")
    end: LocalTime = strawberry.field(description="Until when.")
    needed: int = strawberry.field(description="How many the rule wants.")
    possible: int = strawberry.field(description="How many there can be.")
    reason: Reason | None = strawberry.field(description="The reason the rule is for; null: any.")
    detail: str = strawberry.field(description="The same in words, in the language of the request.")


@strawberry.type(description="A planning that is generated, or is being generated; nobody outside sees it.")
class PlanningDraft:
    row: strawberry.Private[models.PlanningDraft]
    of_office: strawberry.Private[OfficeRecord]

    @strawberry.field(description="Identifies it.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field(description="The office it is for.")
    def office(self) -> Office:
        return Office(record=self.of_office)

    @strawberry.field(name="from", description="The first day.")
    def from_(self) -> dt.date:
        return self.row.from_date

    @strawberry.field(description="The last day, included.")
    def to(self) -> dt.date:
        return self.row.until_date

    @strawberry.field(description="What has become of it.")
    def status(self) -> use_case.DraftStatus:
        return use_case.DraftStatus(self.row.status)

    @strawberry.field(
        description="Why it FAILED: TOO_FINE (so many shifts are possible that blocks or shifts have to be longer), "
        "UNDECIDED (more seconds are needed), GIVEN_UP (its workers died); null: something unforeseen, or it did not."
    )
    def failure(self) -> str | None:
        return self.row.failure

    @strawberry.field(description="How far it is; a whole planning is there from 10 on.")
    def progress_percent(self) -> int:
        return self.row.progress_percent

    @strawberry.field(description="How far it may be from the best one: 0.02 = 2 %, proven; null while not known.")
    def gap(self) -> float | None:
        return self.row.gap

    @strawberry.field(description="When it was asked for.")
    def requested_at(self) -> dt.datetime:
        return self.row.requested_at.astimezone(ZoneInfo(self.of_office.time_zone))

    @strawberry.field(description="When it was ready, or given up.")
    def finished_at(self) -> dt.datetime | None:
        done = self.row.finished_at
        return None if done is None else done.astimezone(ZoneInfo(self.of_office.time_zone))

    @strawberry.field(description="Who is at which counter when, in order of time; empty until it is ready.")
    async def shifts(self, info: Info) -> list[RosterShift]:
        counters, agents = await self._counters(info), await self._agents(info)
        return [
            RosterShift(
                date=one.date,
                start=LocalTime(one.start_minute),
                end=LocalTime(one.end_minute),
                agent=Agent(id=strawberry.ID(one.agent), display_name=agents[int(one.agent)].display_name),
                counter=_counter(counters, one.counter),
            )
            for one in map(shift, await self._result(info, "shifts"))
        ]

    @strawberry.field(description="When counters are open: while somebody is at them.")
    async def openings(self, info: Info) -> list[RosterOpening]:
        counters = await self._counters(info)
        open_at = openings_of(tuple(map(shift, await self._result(info, "shifts"))))
        return [
            RosterOpening(date=day, start=LocalTime(start), end=LocalTime(end), counter=_counter(counters, counter))
            for (counter, day), ranges in sorted(open_at.items(), key=lambda item: (item[0][1], int(item[0][0])))
            for start, end in ranges
        ]

    @strawberry.field(description="What is expected by reason, and how much of it is served.")
    async def demand(self, info: Info) -> list[ServedDemand]:
        wanted, served = dict(await self._result(info, "wanted")), dict(await self._result(info, "served"))
        nodes, tree = await info.context.reasons.load(self.row.office_id), await info.context.tree()
        return [
            ServedDemand(
                reason=Reason(node=nodes[int(reason)], nodes=nodes, tree=tree),
                wanted_minutes=minutes,
                served_minutes=served.get(reason, 0),
            )
            for reason, minutes in sorted(wanted.items(), key=lambda item: int(item[0]))
        ]

    @strawberry.field(description="Rules that cannot be kept; the planning keeps all others.")
    async def conflicts(self, info: Info) -> list[RosterConflict]:
        nodes, tree = await info.context.reasons.load(self.row.office_id), await info.context.tree()
        return [
            RosterConflict(
                code=one["code"],
                date=dt.date.fromisoformat(one["date"]),
                start=LocalTime(one["start_minute"]),
                end=LocalTime(one["end_minute"]),
                needed=one["needed"],
                possible=one["possible"],
                reason=None
                if one["reason"] is None
                else Reason(node=nodes[int(one["reason"])], nodes=nodes, tree=tree),
                detail=words(info, one, None if one["reason"] is None else nodes[int(one["reason"])]),
            )
            for one in (await info.context.draft_results.load(self.row.id or 0))[1]
        ]

    async def _result(self, info: Info, part: str) -> Any:  # noqa: ANN401 - JSON
        return (await info.context.draft_results.load(self.row.id or 0))[0].get(part, ())

    async def _counters(self, info: Info) -> dict[int, CounterRecord]:
        return {one.id: one for one in await info.context.counters.load(self.row.office_id)}

    async def _agents(self, info: Info) -> dict[int, AgentRow]:
        return {one.id or 0: one for one in await info.context.agents.load(self.row.office_id)}


@strawberry.type(description="Plannings that were asked for.")
class PlanningDrafts:
    drafts: list[PlanningDraft] = strawberry.field(description="One for each office.")


DraftResult = Annotated[
    PlanningDraft | InvalidInput | NotAllowed | NotFound | IdempotencyConflict,
    strawberry.union("PlanningDraftResult", description="The planning, or why there is none."),
]
DraftsResult = Annotated[
    PlanningDrafts | InvalidInput | NotAllowed | NotFound,
    strawberry.union("PlanningDraftsResult", description="The plannings, or why none was asked for."),
]


@strawberry.type
class GenerationMutation:
    @strawberry.federation.mutation(
        description="Have a planning of an office generated: counters' openings and who is at which counter when. A "
        "worker works it out; look at it with `planningDraft`, preview it, and `applyDraft` makes it hold.",
        requires_scopes=STAFF,
        directives=[ENGINE],
    )
    async def generate_planning(self, info: Info, input: GeneratePlanningInput) -> DraftResult:
        async def act() -> PlanningDraft:
            context = info.context
            made = await use_case.generate(
                context.services, context.viewer, input.office_id, input.request(), input.idempotency_key
            )
            return await _draft(info, made)

        return await or_problem(info, act)

    @strawberry.federation.mutation(
        description="Have plannings of all offices of a département generated, by any number of workers.",
        requires_scopes=STAFF,
        directives=[MANY_OFFICES],
    )
    async def generate_plannings(self, info: Info, input: GeneratePlanningsInput) -> DraftsResult:
        async def act() -> PlanningDrafts:
            context = info.context
            made = await use_case.generate_everywhere(
                context.services, context.viewer, input.departement, input.request()
            )
            return PlanningDrafts(drafts=[await _draft(info, one) for one in made])

        return await or_problem(info, act)

    @strawberry.federation.mutation(
        description="Give up a planning that is not ready; its worker stops.", requires_scopes=STAFF
    )
    async def cancel_generation(self, info: Info, input: CancelGenerationInput) -> DraftResult:
        async def act() -> PlanningDraft:
            context = info.context
            return await _draft(info, await use_case.cancel(context.services, context.viewer, input.draft_id))

        return await or_problem(info, act)


async def planning_draft(info: Info, draft_id: strawberry.ID) -> PlanningDraft | None:
    context = info.context
    try:
        async with context.services.database.reading() as connection:
            found = await use_case.find(connection, context.viewer, draft_id)
        return await _draft(info, found)
    except errors.NotFound:
        return None


async def planning_drafts(
    info: Info, office_id: strawberry.ID, before: strawberry.ID | None, first: int
) -> list[PlanningDraft]:
    context = info.context
    office = await context.offices.load(id_from(office_id, field="officeId"))
    if office is None:
        raise errors.NotFound("There is no such office.")
    until = None if before is None else id_from(before, field="before")
    found = await use_case.latest(context.services, context.viewer, office, before=until, first=first)
    return [PlanningDraft(row=one, of_office=office) for one in found]


async def _draft(info: Info, row: models.PlanningDraft) -> PlanningDraft:
    office = await info.context.offices.load(row.office_id)
    if office is None:
        raise errors.NotFound("There is no such office.")
    return PlanningDraft(row=row, of_office=office)


def _counter(counters: dict[int, CounterRecord], name: str) -> Counter | None:
    found = counters.get(int(name))
    return None if found is None else Counter(record=found)
