"""Offices, their counters and parameters."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

from rdv.models.office_reads import CounterRecord, OfficeRecord
from rdv.schema.context import Info
from rdv.schema.enums import Channel, Modality, SlotPolicy
from rdv.schema.gateway import MANAGES_APPOINTMENTS, about, page_of
from rdv.schema.reasons import Reason
from rdv.schema.scalars import LocalTime

if TYPE_CHECKING:
    from rdv.schema.appointments import AppointmentConnection


@strawberry.type(description="Where an office is.")
class Address:
    lines: list[str] = strawberry.field(description="The lines before postcode and commune.")
    postcode: str = strawberry.field(description="The postcode of the address (a CEDEX one for many offices).")
    commune_code: str = strawberry.field(description="The commune's official code (INSEE).")
    commune_name: str = strawberry.field(description="The commune's name.")


@strawberry.type(description="How slots of an office come about.")
class PlanningParameters:
    step_minutes: int = strawberry.field(
        description="The distance between two starts, in minutes; 0: each reason's own duration."
    )
    min_lead_minutes: int = strawberry.field(
        description="How long before its start a slot can be booked at the latest."
    )
    max_lead_days: int = strawberry.field(description="How many days ahead slots can be booked; -1: without limit.")
    auto_open: bool = strawberry.field(description="Whether new days open by themselves as time goes on.")
    slot_policy: SlotPolicy = strawberry.field(description="Which of the feasible starts are offered.")
    hold_seconds: int = strawberry.field(description="How long a hold lasts, in seconds.")
    lead_in_open_days: bool = strawberry.field(
        description="Whether only days on which a counter is open count for `maxLeadDays`."
    )
    open_time: LocalTime = strawberry.field(description="At what time of the day another day opens to booking.")
    published_until: date | None = strawberry.field(
        description="The last day that can be booked where days do not open by themselves."
    )
    resale_delay_minutes: int = strawberry.field(description="How long a cancelled time is not offered again.")
    freeze_time: LocalTime = strawberry.field(
        description="From when on nobody's counter or agents change any more for new bookings of a day."
    )
    freeze_days_before: int = strawberry.field(description="How many days before that day `freezeTime` is.")
    change_deadline_minutes: int = strawberry.field(
        description="How long before it starts usagers may change an appointment at the latest."
    )
    max_appointments_per_usager: int = strawberry.field(
        description="How many appointments to come one usager may have at a time."
    )
    most_per_usager_in_period: int = strawberry.field(
        description="How many appointments of one usager may lie less than `usagerPeriodDays` apart; -1: any number."
    )
    usager_period_days: int = strawberry.field(description="That period, in days.")
    staffed: bool = strawberry.field(description="Whether agents are assigned as well as counters.")
    proposal_hold_hours: int = strawberry.field(
        description="How long another time is held for whoever lost theirs, in hours."
    )


@strawberry.federation.type(keys=["id"], description="A place with exactly one agenda.")
class Counter:
    record: strawberry.Private[CounterRecord]

    @strawberry.field(description="Identifies the counter.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.record.id))

    @strawberry.field(description="What is written at the counter.")
    def label(self) -> str:
        return self.record.label

    @strawberry.field(description="Whether it takes bookings.")
    def exposed(self) -> bool:
        return self.record.exposed

    @strawberry.field(description="The reasons it is for, each with everything under it; null: no restriction.")
    async def reasons(self, info: Info) -> list[Reason] | None:
        if self.record.reason_ids is None:
            return None
        nodes = await info.context.reasons.load(self.record.office_id)
        tree = await info.context.tree()
        return [Reason(node=nodes[one], nodes=nodes, tree=tree) for one in self.record.reason_ids if one in nodes]

    @strawberry.field(description="The channels it is for; null: no restriction.")
    def channels(self) -> list[Channel] | None:
        return None if self.record.channels is None else [Channel(channel) for channel in self.record.channels]

    @strawberry.field(description="The modalities it is for; null: no restriction.")
    def modalities(self) -> list[Modality] | None:
        return None if self.record.modalities is None else [Modality(one) for one in self.record.modalities]


@strawberry.federation.type(keys=["id", "code"], description="A local office of the administration.")
class Office:
    record: strawberry.Private[OfficeRecord]

    @strawberry.field(description="Identifies the office.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.record.id))

    @strawberry.field(description="The office's code in the administration's directory.")
    def code(self) -> str:
        return self.record.code

    @strawberry.field(description="The office's official name.")
    def name(self) -> str:
        return self.record.name

    @strawberry.field(description="What sort of office: SIP, SIE, SPF, CDIF, TRESORERIE …")
    def kind(self) -> str:
        return self.record.kind

    @strawberry.field(description="The office's time zone (IANA name).")
    def time_zone(self) -> str:
        return self.record.time_zone

    @strawberry.field(description="Where it is.")
    def address(self) -> Address:
        record = self.record
        return Address(
            lines=list(record.address_lines),
            postcode=record.postcode,
            commune_code=record.commune_code,
            commune_name=record.commune_name,
        )

    @strawberry.field(description="Degrees north; null when not known.")
    def latitude(self) -> float | None:
        return self.record.latitude

    @strawberry.field(description="Degrees east; null when not known.")
    def longitude(self) -> float | None:
        return self.record.longitude

    @strawberry.field(description="The phone number of the office; null when not known.")
    def phone(self) -> str | None:
        return self.record.phone

    @strawberry.field(description="Whether it takes appointments.")
    def open_to_booking(self) -> bool:
        return self.record.open_to_booking

    @strawberry.field(
        description="The reasons it serves that can be booked, in display order, with its own durations.",
        directives=[about(50)],
    )
    async def reasons(self, info: Info) -> list[Reason]:
        nodes = await info.context.reasons.load(self.record.id)
        tree = await info.context.tree()
        leaves = (nodes[node.id] for node in tree.descendants(None) if node.id in nodes)
        return [Reason(node=n, nodes=nodes, tree=tree) for n in leaves if n.bookable and n.served]

    @strawberry.field(description="Its counters in use.", directives=[about(10)])
    async def counters(self, info: Info) -> list[Counter]:
        return [Counter(record=record) for record in await info.context.counters.load(self.record.id)]

    @strawberry.federation.field(
        description="Whom it expects, and has received, on some local days, in order of time, without holds and what "
        "was cancelled: for those who manage its appointments; null for everybody else.",
        policy=MANAGES_APPOINTMENTS,
        directives=[page_of(50)],
    )
    async def appointments(
        self,
        info: Info,
        from_: Annotated[date, strawberry.argument(name="from", description="The first local day.")],
        to: Annotated[date, strawberry.argument(description="The last one, included; at most 62 days in all.")],
        first: Annotated[int | None, strawberry.argument(description="How many at most, up to 100.")] = 50,
        after: Annotated[str | None, strawberry.argument(description="A cursor: those after it.")] = None,
    ) -> Annotated["AppointmentConnection", strawberry.lazy("rdv.schema.appointments")] | None:
        from rdv.schema.appointments import of_office  # noqa: PLC0415 - an appointment knows its office as well

        return await of_office(info, self.record, (from_, to), first=first, after=after)

    @strawberry.field(description="How its slots come about.")
    def parameters(self) -> PlanningParameters:
        record = self.record
        return PlanningParameters(
            step_minutes=record.step_minutes or 0,
            min_lead_minutes=record.min_lead_minutes,
            max_lead_days=-1 if record.max_lead_days is None else record.max_lead_days,
            auto_open=record.auto_open,
            slot_policy=SlotPolicy(record.slot_policy),
            hold_seconds=record.hold_seconds,
            lead_in_open_days=record.lead_in_open_days,
            open_time=LocalTime(record.open_minute),
            published_until=record.published_until,
            resale_delay_minutes=record.resale_delay_minutes,
            freeze_time=LocalTime(record.freeze_minute),
            freeze_days_before=record.freeze_days_before,
            change_deadline_minutes=record.change_deadline_minutes,
            max_appointments_per_usager=record.max_appointments_per_usager,
            most_per_usager_in_period=-1
            if record.most_per_usager_in_period is None
            else record.most_per_usager_in_period,
            usager_period_days=record.usager_period_days,
            staffed=record.staffed,
            proposal_hold_hours=record.proposal_hold_hours,
        )
