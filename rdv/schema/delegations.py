"""Delegations: an office hands reasons to another."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import strawberry

from rdv import errors
from rdv.models.delegation import Delegation as DelegationRow
from rdv.models.office_reads import OfficeRecord
from rdv.schema.changes import PlanningChangeResult, change_input, change_mutation
from rdv.schema.context import Info
from rdv.schema.enums import AppointmentStatus, Channel, described
from rdv.schema.offices import Office
from rdv.schema.reasons import Reason
from rdv.usecases import delegating
from rdv.usecases import delegations as use_case
from rdv.usecases.offices import id_from

described(
    use_case.DelegationStatus,
    "What has become of a delegation.",
    PROPOSED="The other office has not answered yet.",
    ACCEPTED="The other office receives, from its first day to its last.",
    REFUSED="The other office does not receive.",
    ENDED="It was ended; appointments that were made stay where they are.",
)


@change_input(delegating.ProposeDelegation, "Reasons an office would hand to another.")
class DelegationProposal:
    to_office_id: strawberry.ID = strawberry.field(description="The office that would receive; it has to accept.")
    reason_id: strawberry.ID = strawberry.field(description="The reason, with everything under it.")
    from_date: date = strawberry.field(description="The first day of appointments, today at the earliest.")
    until_date: date | None = strawberry.field(default=None, description="The last day; left out: without end.")
    share_percent: int = strawberry.field(
        default=100,
        description="100: the office offers none itself. Less: of a day's appointments of both, rounded up, at most "
        "this share goes to the other.",
    )
    channels: list[Channel] | None = strawberry.field(
        default=None, description="For bookings through these channels; left out: all."
    )


@change_input(delegating.AcceptDelegation, "Another office's reasons that this one receives from now on.")
class DelegationAcceptance:
    delegation_id: strawberry.ID = strawberry.field(description="The delegation.")


@change_input(delegating.RefuseDelegation, "Another office's reasons that this one does not take.")
class DelegationRefusal:
    delegation_id: strawberry.ID = strawberry.field(description="The delegation.")


@change_input(delegating.EndDelegation, "A delegation that ends; appointments that were made stay where they are.")
class DelegationEnd:
    delegation_id: strawberry.ID = strawberry.field(description="The delegation.")
    until_date: date | None = strawberry.field(default=None, description="Its last day; left out: it ends at once.")


@strawberry.type(description="How many appointments came of a delegation: those of the one office, at the other.")
class DelegatedCount:
    status: AppointmentStatus = strawberry.field(description="What has become of them.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="Reasons that one office hands to another.")
class Delegation:
    row: strawberry.Private[DelegationRow]
    of_office: strawberry.Private[OfficeRecord]
    to: strawberry.Private[OfficeRecord]
    made: strawberry.Private[dict[str, int]]

    @strawberry.field(description="Identifies it.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field(description="The office that hands over.")
    def office(self) -> Office:
        return Office(record=self.of_office)

    @strawberry.field(description="The office that receives.")
    def to_office(self) -> Office:
        return Office(record=self.to)

    @strawberry.field(description="The reason, with everything under it.")
    async def reason(self, info: Info) -> Reason:
        nodes, tree = await info.context.reasons.load(self.row.office_id), await info.context.tree()
        return Reason(node=nodes[self.row.reason_id], nodes=nodes, tree=tree)

    @strawberry.field(description="How much of it; 100: all.")
    def share_percent(self) -> int:
        return self.row.share_percent

    @strawberry.field(description="For bookings through these channels; null: all.")
    def channels(self) -> list[Channel] | None:
        return None if self.row.channels is None else [Channel(one) for one in self.row.channels]

    @strawberry.field(name="from", description="The first day of appointments.")
    def from_(self) -> date:
        return self.row.from_date

    @strawberry.field(description="The last day; null: without end.")
    def to_date(self) -> date | None:
        return self.row.until_date

    @strawberry.field(description="What has become of it.")
    def status(self) -> use_case.DelegationStatus:
        return use_case.DelegationStatus(self.row.status)

    @strawberry.field(description="When it was proposed.")
    def proposed_at(self) -> datetime:
        return self.row.proposed_at.astimezone(ZoneInfo(self.of_office.time_zone))

    @strawberry.field(description="When it was accepted, refused or ended.")
    def answered_at(self) -> datetime | None:
        answered = self.row.answered_at
        return None if answered is None else answered.astimezone(ZoneInfo(self.of_office.time_zone))

    @strawberry.field(description="The appointments it brought, by what has become of them; the same for both offices.")
    def appointments(self) -> list[DelegatedCount]:
        return [
            DelegatedCount(status=AppointmentStatus(status), count=count) for status, count in sorted(self.made.items())
        ]


@strawberry.type
class DelegationMutation:
    propose_delegation: PlanningChangeResult = change_mutation(
        DelegationProposal, "ProposeDelegation", "Propose to another office that it receives for some reasons."
    )
    accept_delegation: PlanningChangeResult = change_mutation(
        DelegationAcceptance, "AcceptDelegation", "Receive for another office, as it has proposed."
    )
    refuse_delegation: PlanningChangeResult = change_mutation(
        DelegationRefusal, "RefuseDelegation", "Do not receive for another office."
    )
    end_delegation: PlanningChangeResult = change_mutation(
        DelegationEnd, "EndDelegation", "End a delegation, for either office; a proposal is withdrawn."
    )


async def delegations(info: Info, office_id: strawberry.ID) -> list[Delegation]:
    context = info.context
    office = await context.offices.load(id_from(office_id, field="officeId"))
    if office is None:
        raise errors.NotFound("There is no such office.")
    found = await use_case.delegations(context.services, context.viewer, office)
    return [
        Delegation(row=one.row, of_office=one.office, to=one.to_office, made=dict(one.appointments)) for one in found
    ]
