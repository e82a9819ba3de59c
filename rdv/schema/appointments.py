"""Appointments and whose they are, as those see them who may."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import strawberry

from rdv import errors
from rdv.models.appointment_pages import Page
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.office_reads import OfficeRecord
from rdv.models.usagers import UsagerRecord
from rdv.schema import pages
from rdv.schema.context import Context, Info
from rdv.schema.enums import AppointmentStatus, Channel, Modality
from rdv.schema.gateway import MANAGES_APPOINTMENTS, page_of
from rdv.schema.offices import Counter, Office
from rdv.schema.pages import cursor_of, page_size, place_of
from rdv.schema.reasons import Reason
from rdv.usecases.appointment_access import may_manage
from rdv.usecases.secrets import grouped
from rdv.usecases.slots import check_range
from rdv.usecases.writes import change_deadline


@strawberry.federation.type(keys=["id"], description="A person who receives.")
class Agent:
    id: strawberry.ID = strawberry.field(description="Identifies the agent.")
    display_name: str = strawberry.field(description="The name shown to usagers and colleagues.")


@strawberry.federation.type(shareable=True, description="Where one page of a list begins and ends.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there are more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there are more before this page.")
    start_cursor: str | None = strawberry.field(description="The first item's cursor.")
    end_cursor: str | None = strawberry.field(description="The last item's cursor: give it as `after`.")


@strawberry.type(description="An appointment in a list.")
class AppointmentEdge:
    node: "Appointment" = strawberry.field(description="The appointment.")
    cursor: str = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of appointments.")
class AppointmentConnection:
    edges: list[AppointmentEdge] = strawberry.field(description="The appointments of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page begins and ends.")
    total_count: int = strawberry.field(description="How many there are on all pages.")


@strawberry.federation.type(keys=["id"], description="The person (or company) who comes.")
class Usager:
    record: strawberry.Private[UsagerRecord]

    @strawberry.field(description="Identifies the usager; it cannot be guessed.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.record.public_id))

    @strawberry.field(description="First and last name.")
    def display_name(self) -> str:
        return self.record.display_name

    @strawberry.federation.field(
        description="Their appointments, the latest first, past and cancelled ones included: all for themselves, "
        "those at their own offices for those who manage appointments.",
        authenticated=True,
        directives=[page_of(20)],
    )
    async def appointments(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="How many at most, up to 100.")] = 20,
        after: Annotated[str | None, strawberry.argument(description="A cursor: those after it.")] = None,
    ) -> AppointmentConnection:
        first, before = page_size(first, 20), place_of(after)
        found = await pages.of_usager(info.context, self.record, pages.UsagerPage(before, first + 1))
        return await connection_of(info.context, found, first, begun=before is not None)


@strawberry.type(description="How to reach the usager of an appointment.")
class Contact:
    phone: str | None = strawberry.field(description="In the international form: +33…; null when they gave none.")
    email: str | None = strawberry.field(description="Null when they gave none.")
    locale: str = strawberry.field(description="The language to speak or write in: fr or en.")


@strawberry.type(description="Another time that is held for somebody who lost theirs.")
class Proposal:
    start: datetime = strawberry.field(description="When it starts.")
    end: datetime = strawberry.field(description="When it ends.")
    expires_at: datetime = strawberry.field(description="Until when it is held.")


@strawberry.federation.type(
    keys=["reference"],
    description="An appointment. Its time is promised; counter and agents may change until the day.",
)
class Appointment:
    record: strawberry.Private[AppointmentRecord]
    of_office: strawberry.Private[OfficeRecord]

    @strawberry.field(description="What to give on the phone; unguessable, without 0, O, 1 and I.")
    def reference(self) -> str:
        return grouped(self.record.reference)

    @strawberry.field(description="What has become of it.")
    def status(self) -> AppointmentStatus:
        return AppointmentStatus(self.record.status)

    @strawberry.field(description="When it starts.")
    def start(self) -> datetime:
        return self._local(self.record.starts_at)

    @strawberry.field(description="When it ends.")
    def end(self) -> datetime:
        return self._local(self.record.ends_at)

    @strawberry.field(description="How the usager is received.")
    def modality(self) -> Modality:
        return Modality(self.record.modality)

    @strawberry.field(description="Where the booking came from; of one that was moved, where that came from.")
    def channel(self) -> Channel:
        return Channel(self.record.channel)

    @strawberry.field(description="Where it is.")
    def office(self) -> Office:
        return Office(record=self.of_office)

    @strawberry.field(description="What it is for.")
    async def reason(self, info: Info) -> Reason:
        nodes = await info.context.reasons.load(self.record.office_id)
        return Reason(node=nodes[self.record.reason_id], nodes=nodes, tree=await info.context.tree())

    @strawberry.field(description="Who comes; null for a hold.")
    def usager(self) -> Usager | None:
        return None if self.record.usager is None else Usager(record=self.record.usager)

    @strawberry.federation.field(
        description="How to reach who comes, for those who manage the office's appointments; else null.",
        policy=MANAGES_APPOINTMENTS,
    )
    async def contact(self, info: Info) -> Contact | None:
        usager = self.record.usager
        if usager is None or not await self._managed(info):
            return None
        return Contact(phone=usager.phone, email=usager.email, locale=usager.locale)

    @strawberry.federation.field(
        description="Where it stands now, for those who manage the office's appointments; else null, as of one that "
        "has lost its place.",
        policy=MANAGES_APPOINTMENTS,
    )
    async def counter(self, info: Info) -> Counter | None:
        if self.record.stranded_since is not None or not await self._managed(info):
            return None
        counters = await info.context.counters.load(self.record.office_id)
        return next((Counter(record=one) for one in counters if one.id == self.record.counter_id), None)

    @strawberry.field(description="Who receives as things stand, for those who manage the office's appointments.")
    async def agents(self, info: Info) -> list[Agent]:
        if self.record.stranded_since is not None or not await self._managed(info):
            return []
        return [Agent(id=strawberry.ID(str(a.id)), display_name=a.display_name) for a in self.record.agents]

    @strawberry.field(description="What the usager wrote.")
    def comment(self) -> str | None:
        return self.record.comment

    @strawberry.field(description="Where to join by video; null until the office has given an address.")
    def video_url(self) -> str | None:
        return self.record.video_url

    @strawberry.field(description="Until when the usager may move or cancel it; null when it cannot be changed.")
    def can_be_changed_until(self) -> datetime | None:
        if self.record.status != "BOOKED":
            return None
        return change_deadline(self.record, self.of_office)

    @strawberry.field(description="Since when it has no place any more and needs another time; null when it has one.")
    def stranded_since(self) -> datetime | None:
        return None if self.record.stranded_since is None else self._local(self.record.stranded_since)

    @strawberry.field(
        description="Another time that is held for one that has no place any more: `rescheduleAppointment` to its "
        "start takes it; null when none is held."
    )
    async def proposal(self, info: Info) -> Proposal | None:
        if self.record.stranded_since is None:
            return None
        held = await info.context.proposals.load(self.record.id)
        if held is None or held.expires_at is None:
            return None
        start, end, until = map(self._local, (held.starts_at, held.ends_at, held.expires_at))
        return Proposal(start=start, end=end, expires_at=until)

    @strawberry.field(description="The office that has given it to this one; null when it is the office's own.")
    async def delegated_by(self, info: Info) -> Office | None:
        giver = await self._giver(info)
        return None if giver is None else Office(record=giver)

    async def _giver(self, info: Info) -> OfficeRecord | None:
        return None if self.record.delegated_by is None else await info.context.offices.load(self.record.delegated_by)

    async def _managed(self, info: Info) -> bool:
        giver = await self._giver(info)
        return may_manage(info.context.viewer, [self.of_office] if giver is None else [self.of_office, giver])

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.of_office.time_zone))


async def appointment(context: Context, record: AppointmentRecord) -> Appointment:
    """Return an appointment with its office."""
    office = await context.offices.load(record.office_id)
    if office is None:
        raise errors.NotFound("There is no such office.")
    return Appointment(record=record, of_office=office)


async def appointments(context: Context, ids: Sequence[int]) -> list[Appointment]:
    """Return appointments in the order of their ids; what there is none of is left out."""
    found = await context.appointments.load_many(ids)
    return [await appointment(context, record) for record in found if record is not None]


async def of_office(
    info: Info, office: OfficeRecord, days: tuple[date, date], *, first: int | None, after: str | None
) -> AppointmentConnection | None:
    """Return a page of an office's appointments, for those who manage them; else None."""
    check_range(*days)
    first, begins = page_size(first, 50), place_of(after)
    if not may_manage(info.context.viewer, [office]):
        return None
    found = await pages.of_office(info.context, office.id, pages.DaysPage(*days, begins, first + 1))
    return await connection_of(info.context, found, first, begun=begins is not None)


async def connection_of(context: Context, found: Page, first: int, *, begun: bool) -> AppointmentConnection:
    """Return at most so many of the appointments of a page that was read with one more."""
    shown = found.records[:first]
    edges = [AppointmentEdge(node=await appointment(context, one), cursor=cursor_of(one)) for one in shown]
    page = PageInfo(
        has_next_page=len(found.records) > first,
        has_previous_page=begun,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return AppointmentConnection(edges=edges, page_info=page, total_count=found.total)
