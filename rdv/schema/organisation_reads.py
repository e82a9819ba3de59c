"""An office's organisation as it is written down: for those who plan it, to see what they may change."""

import datetime as dt  # types have a field called `date`
from zoneinfo import ZoneInfo

import strawberry

from rdv import errors
from rdv.models.offices import Agent as AgentRow
from rdv.models.organisation_reads import OrganisationRows
from rdv.models.planning import Opening as OpeningRow
from rdv.models.templates import PlanningTemplate as TemplateRow
from rdv.schema.context import Info
from rdv.schema.enums import Channel, Modality
from rdv.schema.offices import Office
from rdv.schema.reasons import Reason
from rdv.schema.scalars import LocalTime
from rdv.usecases import organisation_reads as use_case
from rdv.usecases.offices import id_from
from rdv.usecases.opening_changes import Layer, Weekday
from rdv.usecases.templates import TemplateKind

DAYS = list(Weekday)
COUNTER = "The counter it is for; null: the office."


@strawberry.type(description="A recurring range of hours, or of somebody's presence.")
class RecurringRange:
    layer: Layer = strawberry.field(description="What these hours are for.")
    source: str = strawberry.field(description="Who says so: office, or the directory they were imported from.")
    counter_id: strawberry.ID | None = strawberry.field(description=COUNTER)
    template_application_id: strawberry.ID | None = strawberry.field(
        description="The application of a template they come from; null: none."
    )
    on_date: dt.date | None = strawberry.field(description="The only day; null: it recurs.")
    weekdays: list[Weekday] = strawberry.field(description="On which days of the week.")
    from_date: dt.date | None = strawberry.field(description="The first day; null: always.")
    until_date: dt.date | None = strawberry.field(description="The last day; null: without end.")
    every_weeks: int = strawberry.field(description="Every n-th week, counted from the first day.")
    nth_of_month: list[int] | None = strawberry.field(
        description="Only the n-th such weekdays of a month, -1: the last; null: all."
    )
    start_time: LocalTime = strawberry.field(description="From when on.")
    end_time: LocalTime = strawberry.field(description="Until when.")


@strawberry.type(description="What replaces one day's recurring hours.")
class SingleDay:
    on_date: dt.date = strawberry.field(description="The day.")
    counter_id: strawberry.ID | None = strawberry.field(description=COUNTER)
    start_time: LocalTime | None = strawberry.field(description="From when on; null: closed all day.")
    end_time: LocalTime | None = strawberry.field(description="Until when; null: closed all day.")
    from_roster: bool = strawberry.field(description="Whether a generated planning says so.")


@strawberry.type(description="Time taken away.")
class TimeAway:
    id: strawberry.ID = strawberry.field(description="Identifies it: `removeClosure`, `removeAbsence`.")
    counter_ids: list[strawberry.ID] | None = strawberry.field(description="From which counters; null: all of them.")
    from_date: dt.date = strawberry.field(description="Its first day.")
    from_time: LocalTime = strawberry.field(description="From when on.")
    to_date: dt.date = strawberry.field(description="Its last day.")
    to_time: LocalTime = strawberry.field(description="Until when.")


@strawberry.type(description="Somebody who receives, as the office has written it down.")
class OrganisedAgent:
    row: strawberry.Private[AgentRow]
    plan: strawberry.Private[OrganisationRows]

    @strawberry.field(description="Identifies the agent.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field(description="The name shown to usagers and colleagues.")
    def display_name(self) -> str:
        return self.row.display_name

    @strawberry.field(description="Their account, as their token names it: `updateAgent` takes it away if left out.")
    def subject(self) -> str | None:
        return self.row.subject

    @strawberry.field(description="Whether they do not receive any more.")
    def retired(self) -> bool:
        return self.row.retired

    @strawberry.field(description="What they can do, each with everything under it; null: everything.")
    async def reasons(self, info: Info) -> list[Reason] | None:
        return None if self.row.reason_ids is None else await _reasons(info, self.row.office_id, self.row.reason_ids)

    @strawberry.field(description="Where they receive; null: anywhere.")
    def counter_ids(self) -> list[strawberry.ID] | None:
        return _ids(self.row.counter_ids)

    @strawberry.field(description="Where a generated planning would rather have them; null: anywhere.")
    def preferred_counter_ids(self) -> list[strawberry.ID] | None:
        return _ids(self.row.preferred_counter_ids)

    @strawberry.field(description="The longest a generated planning lets them receive on one day.")
    def most_minutes_a_day(self) -> int:
        return self.row.most_minutes_a_day

    @strawberry.field(description="The longest a generated planning lets them receive in one week.")
    def most_minutes_a_week(self) -> int:
        return self.row.most_minutes_a_week

    @strawberry.field(description="When they are there; empty: whenever the office is open.")
    def presence(self) -> list[RecurringRange]:
        return [_recurring(one) for one in self.plan.openings if one.agent_id == self.row.id]

    @strawberry.field(description="Single days on which they are there at other times.")
    def exceptions(self) -> list[SingleDay]:
        return _single_days(self.plan, agent=self.row.id)

    @strawberry.field(description="When they are away.")
    def absences(self) -> list[TimeAway]:
        return _away(self.plan, agent=self.row.id)


@strawberry.type(description="A range of a template.")
class TemplateRange:
    layer: Layer = strawberry.field(description="What these hours are for.")
    weekday: Weekday | None = strawberry.field(description="Of week and month templates.")
    nth: int | None = strawberry.field(description="Of month templates: the n-th such weekday; -1: the last.")
    start_time: LocalTime = strawberry.field(description="From when on.")
    end_time: LocalTime = strawberry.field(description="Until when.")


@strawberry.type(description="What a template said from one revision to the next.")
class TemplateVersion:
    number: int = strawberry.field(description="1 for the first.")
    made_at: dt.datetime = strawberry.field(description="When.")
    ranges: list[TemplateRange] = strawberry.field(description="The hours.")


@strawberry.type(description="Where and when a version of a template holds.")
class TemplateApplication:
    id: strawberry.ID = strawberry.field(description="Identifies it: `endTemplateApplication`.")
    version_number: int = strawberry.field(description="The version that holds.")
    counter_id: strawberry.ID | None = strawberry.field(description=COUNTER)
    from_date: dt.date = strawberry.field(description="The first day.")
    until_date: dt.date | None = strawberry.field(description="The last day; null: without end.")
    every_weeks: int = strawberry.field(description="Every n-th week.")
    weekdays: list[Weekday] = strawberry.field(description="Of a day template: on which days.")


@strawberry.type(description="A day, week or month template of an office.")
class Template:
    row: strawberry.Private[TemplateRow]
    plan: strawberry.Private[OrganisationRows]
    zone: strawberry.Private[ZoneInfo]

    @strawberry.field(description="Identifies the template.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field(description="What it describes.")
    def kind(self) -> TemplateKind:
        return TemplateKind(self.row.kind)

    @strawberry.field(description="What it is called.")
    def name(self) -> str:
        return self.row.name

    @strawberry.field(description="Whether it is not offered any more.")
    def retired(self) -> bool:
        return self.row.retired

    @strawberry.field(description="Its versions, the first one first.")
    def versions(self) -> list[TemplateVersion]:
        mine = [one for one in self.plan.versions if one.template_id == self.row.id]
        return [
            TemplateVersion(
                number=one.number,
                made_at=one.made_at.astimezone(self.zone),
                ranges=[
                    TemplateRange(
                        layer=Layer(r["layer"]),
                        weekday=None if r.get("weekday") is None else DAYS[r["weekday"] - 1],
                        nth=r.get("nth"),
                        start_time=LocalTime(r["start_minute"]),
                        end_time=LocalTime(r["end_minute"]),
                    )
                    for r in one.ranges
                ],
            )
            for one in sorted(mine, key=lambda version: version.number)
        ]

    @strawberry.field(description="Where and when it holds.")
    def applications(self) -> list[TemplateApplication]:
        return [
            TemplateApplication(
                id=strawberry.ID(str(one.id)),
                version_number=one.version_number,
                counter_id=_id(one.counter_id),
                from_date=one.from_date,
                until_date=one.until_date,
                every_weeks=one.every_weeks,
                weekdays=[DAYS[day - 1] for day in one.weekdays],
            )
            for one in self.plan.applications
            if one.template_id == self.row.id
        ]


@strawberry.type(description="What holds at an office for a reason and everything under it; null: as elsewhere.")
class OfficeReason:
    reason: Reason = strawberry.field(description="The reason.")
    served: bool | None = strawberry.field(description="Whether the office serves it.")
    duration_minutes: int | None = strawberry.field(description="How long it takes.")
    buffer_minutes: int | None = strawberry.field(description="How long the counter is needed afterwards.")
    agents_required: int | None = strawberry.field(description="How many agents receive together.")
    modalities: list[Modality] | None = strawberry.field(description="How one may be received.")


@strawberry.type(description="At most so many appointments a day for a reason and everything under it.")
class ReasonQuota:
    reason: Reason = strawberry.field(description="The reason.")
    most_a_day: int = strawberry.field(description="How many.")


@strawberry.type(description="The part of each day's open time that is kept for a channel.")
class ChannelShare:
    channel: Channel = strawberry.field(description="The channel.")
    percent: int = strawberry.field(description="How much.")


@strawberry.type(description="An office's organisation as it is written down; what is over is left out.")
class Organisation:
    found: strawberry.Private[use_case.OrganisationFound]

    @strawberry.field(description="The office, with its counters and parameters.")
    def office(self) -> Office:
        return Office(record=self.found.office)

    @strawberry.field(description="Give it to a change, which is then refused when something was changed meanwhile.")
    def version(self) -> str:
        return self.found.version

    @strawberry.field(description="Everybody who receives, or did.")
    def agents(self) -> list[OrganisedAgent]:
        return [OrganisedAgent(row=one, plan=self.found.plan) for one in self.found.plan.agents]

    @strawberry.field(description="Its templates, with versions and where they hold.")
    def templates(self) -> list[Template]:
        zone = ZoneInfo(self.found.office.time_zone)
        return [Template(row=one, plan=self.found.plan, zone=zone) for one in self.found.plan.templates]

    @strawberry.field(description="Recurring hours of the office and its counters, those from templates included.")
    def openings(self) -> list[RecurringRange]:
        return [_recurring(one) for one in self.found.plan.openings if one.agent_id is None]

    @strawberry.field(description="Single days with other hours.")
    def exceptions(self) -> list[SingleDay]:
        return _single_days(self.found.plan, agent=None)

    @strawberry.field(description="Time taken away from the office or some counters.")
    def closures(self) -> list[TimeAway]:
        return _away(self.found.plan, agent=None)

    @strawberry.field(description="What the office makes of reasons.")
    async def office_reasons(self, info: Info) -> list[OfficeReason]:
        return [
            OfficeReason(
                reason=(await _reasons(info, one.office_id, [one.reason_id]))[0],
                served=one.served,
                duration_minutes=one.duration_minutes,
                buffer_minutes=one.buffer_minutes,
                agents_required=one.agents_required,
                modalities=None if one.modalities is None else [Modality(m) for m in one.modalities],
            )
            for one in self.found.plan.reasons
        ]

    @strawberry.field(description="Quotas by reason.")
    async def reason_quotas(self, info: Info) -> list[ReasonQuota]:
        return [
            ReasonQuota(reason=(await _reasons(info, one.office_id, [one.reason_id]))[0], most_a_day=one.most_a_day)
            for one in self.found.plan.quotas
        ]

    @strawberry.field(description="What is kept for channels.")
    def channel_shares(self) -> list[ChannelShare]:
        return [ChannelShare(channel=Channel(one.channel), percent=one.percent) for one in self.found.plan.shares]


@strawberry.type(description="When an office is open on a day, whichever counter.")
class OfficeHours:
    date: dt.date = strawberry.field(description="The local day.")
    layer: Layer = strawberry.field(description="With an appointment, or without.")
    start: LocalTime = strawberry.field(description="From when on.")
    end: LocalTime = strawberry.field(description="Until when.")


async def organisation(info: Info, office_id: strawberry.ID, since: dt.date | None) -> Organisation:
    found = await use_case.organisation(info.context.services, info.context.viewer, office_id, since)
    return Organisation(found=found)


async def office_hours(info: Info, office_id: strawberry.ID, first: dt.date, last: dt.date) -> list[OfficeHours]:
    office = await info.context.offices.load(id_from(office_id, field="officeId"))
    if office is None:
        raise errors.NotFound("There is no such office.")
    found = await use_case.hours(info.context.services, office, first, last)
    return [
        OfficeHours(date=day, layer=layer, start=LocalTime(start), end=LocalTime(end))
        for (day, layer), spans in sorted(found.items())
        for start, end in spans
    ]


def _recurring(one: OpeningRow) -> RecurringRange:
    return RecurringRange(
        layer=Layer(one.layer),
        source=one.source,
        counter_id=_id(one.counter_id),
        template_application_id=_id(one.application_id),
        on_date=one.on_date,
        weekdays=[DAYS[day - 1] for day in one.weekdays],
        from_date=one.from_date,
        until_date=one.until_date,
        every_weeks=one.every_weeks,
        nth_of_month=one.nth_of_month,
        start_time=LocalTime(one.start_minute),
        end_time=LocalTime(one.end_minute),
    )


def _single_days(plan: OrganisationRows, *, agent: int | None) -> list[SingleDay]:
    return [
        SingleDay(
            on_date=one.on_date,
            counter_id=_id(one.counter_id),
            start_time=None if one.start_minute is None else LocalTime(one.start_minute),
            end_time=None if one.end_minute is None else LocalTime(one.end_minute),
            from_roster=one.source is not None,
        )
        for one in sorted(plan.exceptions, key=lambda one: (one.on_date, one.start_minute or 0))
        if one.agent_id == agent
    ]


def _away(plan: OrganisationRows, *, agent: int | None) -> list[TimeAway]:
    return [
        TimeAway(
            id=strawberry.ID(str(one.id)),
            counter_ids=_ids(one.counter_ids),
            from_date=one.from_date,
            from_time=LocalTime(one.from_minute),
            to_date=one.to_date,
            to_time=LocalTime(one.to_minute),
        )
        for one in plan.closures
        if one.agent_id == agent
    ]


async def _reasons(info: Info, office: int, ids: list[int]) -> list[Reason]:
    nodes, tree = await info.context.reasons.load(office), await info.context.tree()
    return [Reason(node=nodes[one], nodes=nodes, tree=tree) for one in ids if one in nodes]


def _id(value: int | None) -> strawberry.ID | None:
    return None if value is None else strawberry.ID(str(value))


def _ids(values: list[int] | None) -> list[strawberry.ID] | None:
    return None if values is None else [strawberry.ID(str(one)) for one in values]
