"""What can be done. Each mutation answers with its success or with the refusal that is expected."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import strawberry

from rdv import errors
from rdv.schema.agents import AgentsMutation
from rdv.schema.appointments import Appointment, appointment
from rdv.schema.call_backs import CallBackMutation
from rdv.schema.context import Info
from rdv.schema.delegations import DelegationMutation
from rdv.schema.enums import Modality
from rdv.schema.gateway import ONCE
from rdv.schema.generation import GenerationMutation
from rdv.schema.hours import HoursMutation
from rdv.schema.many_offices import ManyOfficesMutation
from rdv.schema.mutations import or_problem
from rdv.schema.offices import Office
from rdv.schema.organisation import OrganisationMutation
from rdv.schema.parameters import ParametersMutation
from rdv.schema.planning import PlanningMutation
from rdv.schema.problems import (
    HoldExpired,
    IdempotencyConflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    SlotTaken,
    TooLate,
    TooManyAppointments,
)
from rdv.schema.reasons import Reason
from rdv.schema.scalars import instant
from rdv.schema.slots import Slot
from rdv.usecases import appointments as use_case
from rdv.usecases import cancelling
from rdv.usecases.usager_input import UsagerRequest

KEY = "Repeating a request with the same key and body gives the same answer; keys must not be guessable."


@strawberry.input(description="Who comes.")
class UsagerInput:
    first_name: str = strawberry.field(description="First name, at most 100 characters.")
    last_name: str = strawberry.field(description="Last name, or a company's name.")
    email: str | None = strawberry.field(default=None, description="An e-mail address.")
    phone: str | None = strawberry.field(
        default=None, description="A phone number, French unless it begins with +; needed for an appointment by phone."
    )
    tax_number: str | None = strawberry.field(default=None, description="A French tax number.")
    company_number: str | None = strawberry.field(default=None, description="A SIREN or SIRET.")
    locale: str | None = strawberry.field(default="fr", description="The language to write in: fr or en.")


@strawberry.input(description="A slot to be held.")
class HoldSlotInput:
    office_id: strawberry.ID = strawberry.field(description="Where.")
    reason_id: strawberry.ID = strawberry.field(description="What for.")
    start: datetime = strawberry.field(description="One of the offered starts.")
    modality: Modality | None = strawberry.field(default=Modality.IN_PERSON, description="How the usager is received.")
    delegated_by: strawberry.ID | None = strawberry.field(
        default=None, description="The office for which this one receives: of a slot that was found `elsewhere`."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="A slot reserved for a short time, while a form is filled.")
class Hold:
    token: str = strawberry.field(description="Confirms the hold; a secret.")
    expires_at: datetime = strawberry.field(description="Until when.")
    slot: Slot = strawberry.field(description="What is held; `remaining` counts what is left after it.")
    office: Office = strawberry.field(description="Where.")
    reason: Reason = strawberry.field(description="What for.")


@strawberry.input(description="A hold that is not wanted any more.")
class ReleaseHoldInput:
    hold_token: str = strawberry.field(description="The token of the hold.")


@strawberry.type(description="The hold is given up, and its slot free for everybody.")
class HoldReleased:
    office: Office = strawberry.field(description="Where it was.")
    start: datetime = strawberry.field(description="When it would have begun.")


@strawberry.input(description="A hold that becomes an appointment.")
class ConfirmAppointmentInput:
    hold_token: str = strawberry.field(description="The token of the hold.")
    usager: UsagerInput | None = strawberry.field(
        default=None, description="Who comes; may be left out by a usager who is signed in."
    )
    comment: str | None = strawberry.field(default=None, description="For the office, at most 1,000 characters.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The appointment is made.")
class AppointmentConfirmed:
    appointment: Appointment = strawberry.field(description="The appointment.")
    access_code: str = strawberry.field(description="With the reference, lets its holder see, move and cancel it.")


@strawberry.input(description="Another time for an appointment.")
class RescheduleAppointmentInput:
    reference: str = strawberry.field(description="Which appointment.")
    access_code: str | None = strawberry.field(default=None, description="For who is not signed in.")
    start: datetime = strawberry.field(description="One of the starts offered by `slots(replacing: …)`.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="An appointment to be cancelled.")
class CancelAppointmentInput:
    reference: str = strawberry.field(description="Which appointment.")
    access_code: str | None = strawberry.field(default=None, description="For who is not signed in.")
    why: str | None = strawberry.field(default=None, description="For the office, at most 1,000 characters.")


@strawberry.type(description="The appointment is cancelled; its time is free.")
class AppointmentCancelled:
    appointment: Appointment = strawberry.field(description="The appointment.")


HoldSlotResult = Annotated[
    Hold | SlotTaken | InvalidInput | NotAllowed | NotFound | TooManyAppointments | IdempotencyConflict,
    strawberry.union("HoldSlotResult", description="A hold, or why there is none."),
]
ReleaseHoldResult = Annotated[
    HoldReleased | HoldExpired | NotAllowed,
    strawberry.union("ReleaseHoldResult", description="The hold is given up, or why there is none to be."),
]
ConfirmAppointmentResult = Annotated[
    AppointmentConfirmed | HoldExpired | InvalidInput | NotAllowed | TooManyAppointments | IdempotencyConflict,
    strawberry.union("ConfirmAppointmentResult", description="The appointment, or why there is none."),
]
RescheduleAppointmentResult = Annotated[
    AppointmentConfirmed | SlotTaken | InvalidInput | NotAllowed | NotFound | TooLate | IdempotencyConflict,
    strawberry.union("RescheduleAppointmentResult", description="The appointment at its new time, or why not."),
]
CancelAppointmentResult = Annotated[
    AppointmentCancelled | NotAllowed | NotFound | TooLate,
    strawberry.union("CancelAppointmentResult", description="The cancelled appointment, or why it is not."),
]


@strawberry.type(description="What can be done.")
class Mutation(
    OrganisationMutation,
    AgentsMutation,
    PlanningMutation,
    HoursMutation,
    GenerationMutation,
    DelegationMutation,
    ManyOfficesMutation,
    ParametersMutation,
    CallBackMutation,
):
    @strawberry.mutation(
        description="Reserve a slot for a few minutes; it takes one place from everybody else.", directives=[ONCE]
    )
    async def hold_slot(self, info: Info, input: HoldSlotInput) -> HoldSlotResult:
        async def act() -> Hold:
            held = await use_case.hold(
                info.context.services,
                info.context.viewer,
                use_case.HoldRequest(
                    office_id=input.office_id,
                    reason_id=input.reason_id,
                    start=input.start,
                    modality=input.modality or Modality.IN_PERSON,
                    delegated_by=input.delegated_by,
                    idempotency_key=input.idempotency_key,
                ),
            )
            return _hold(held)

        return await or_problem(info, act)

    @strawberry.mutation(
        description="Give a hold back before it is over, to choose another slot: holds count towards what one usager "
        "may have at a time."
    )
    async def release_hold(self, info: Info, input: ReleaseHoldInput) -> ReleaseHoldResult:
        async def act() -> HoldReleased:
            record = await cancelling.release(info.context.services, info.context.viewer, input.hold_token)
            released = await appointment(info.context, record)
            return HoldReleased(office=released.office(), start=released.start())

        return await or_problem(info, act)

    @strawberry.mutation(description="Turn a hold into an appointment.")
    async def confirm_appointment(self, info: Info, input: ConfirmAppointmentInput) -> ConfirmAppointmentResult:
        async def act() -> AppointmentConfirmed:
            confirmed = await use_case.confirm(
                info.context.services,
                info.context.viewer,
                use_case.ConfirmRequest(
                    hold_token=input.hold_token,
                    usager=None if input.usager is None else UsagerRequest(**vars(input.usager)),
                    comment=input.comment,
                    idempotency_key=input.idempotency_key,
                ),
            )
            return await _confirmed(info, confirmed)

        return await or_problem(info, act)

    @strawberry.mutation(
        description="Move an appointment; the old time is given back only if the new one is got.", directives=[ONCE]
    )
    async def reschedule_appointment(
        self,
        info: Info,
        input: RescheduleAppointmentInput,
    ) -> RescheduleAppointmentResult:
        async def act() -> AppointmentConfirmed:
            confirmed = await use_case.reschedule(
                info.context.services,
                info.context.viewer,
                use_case.RescheduleRequest(
                    reference=input.reference,
                    start=input.start,
                    access_code=input.access_code,
                    idempotency_key=input.idempotency_key,
                ),
            )
            return await _confirmed(info, confirmed)

        return await or_problem(info, act)

    @strawberry.mutation(description="Cancel an appointment; cancelling again changes nothing.")
    async def cancel_appointment(self, info: Info, input: CancelAppointmentInput) -> CancelAppointmentResult:
        async def act() -> AppointmentCancelled:
            record = await cancelling.cancel(
                info.context.services, info.context.viewer, input.reference, input.access_code, input.why
            )
            return AppointmentCancelled(appointment=await appointment(info.context, record))

        return await or_problem(info, act, unexpected=(errors.InvalidInput,))


def _hold(held: use_case.Held) -> Hold:
    record = held.record
    if record.expires_at is None:  # no hold is without
        raise errors.HoldExpired("This hold is over: choose a slot again.")
    situation = held.situation
    zone = ZoneInfo(situation.office.time_zone)
    return Hold(
        token=held.token,
        expires_at=record.expires_at.astimezone(zone),
        slot=Slot(
            start=instant(record.starts_at.astimezone(zone)),
            end=instant(record.ends_at.astimezone(zone)),
            remaining=held.left,
            modality=Modality(record.modality),
        ),
        office=Office(record=situation.office),
        reason=Reason(node=situation.reasons[record.reason_id], nodes=situation.reasons, tree=situation.tree),
    )


async def _confirmed(info: Info, confirmed: use_case.Confirmed) -> AppointmentConfirmed:
    return AppointmentConfirmed(
        appointment=await appointment(info.context, confirmed.record), access_code=confirmed.access_code
    )
