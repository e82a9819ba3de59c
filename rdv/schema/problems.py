"""Expected failures as types: each refusal of the error tree has the type of its own name."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import strawberry

from rdv import errors
from rdv.schema.appointments import Appointment, appointments
from rdv.schema.context import Info
from rdv.schema.scalars import instant
from rdv.schema.slots import Slot
from rdv.schema.texts import Translate
from rdv.usecases.booking import FreeSlot


@strawberry.interface(description="A request was refused, and nothing was changed.")
class Problem:
    message: str = strawberry.field(description="Why, in the language of the request.")
    code: str = strawberry.field(description="Why, as a constant.")


@strawberry.type(description="One field's value is not acceptable.")
class InvalidInput(Problem):
    field: str = strawberry.field(description="The path of the field within the input.")


@strawberry.type(description="The caller may not do this.")
class NotAllowed(Problem):
    pass


@strawberry.type(description="There is no such thing, or the caller may not know of it.")
class NotFound(Problem):
    pass


@strawberry.type(description="The start is not free, or no longer.")
class SlotTaken(Problem):
    alternatives: list[Slot] = strawberry.field(description="Free starts near the wanted one, ascending.")


@strawberry.type(description="The hold is unknown or over.")
class HoldExpired(Problem):
    pass


@strawberry.type(description="The usager already has as many live appointments as the office allows.")
class TooManyAppointments(Problem):
    limit: int = strawberry.field(description="How many the office allows.")


@strawberry.type(description="The deadline for changing the appointment has passed.")
class TooLate(Problem):
    deadline: datetime = strawberry.field(description="Until when it could be changed.")


@strawberry.type(description="The office is not any more what the caller has seen.")
class VersionConflict(Problem):
    version: str = strawberry.field(description="The office's present version.")


@strawberry.type(description="The change would leave appointments without a place; say acceptStranded to go on.")
class WouldStrand(Problem):
    ids: strawberry.Private[tuple[int, ...]]

    @strawberry.field(description="How many appointments.")
    def count(self) -> int:
        return len(self.ids)

    @strawberry.field(description="These appointments, in order of time.")
    async def appointments(self, info: Info) -> list[Appointment]:
        return await appointments(info.context, self.ids)


@strawberry.type(description="The idempotency key was used before, with another body.")
class IdempotencyConflict(Problem):
    pass


ProblemType = (
    InvalidInput
    | NotAllowed
    | NotFound
    | SlotTaken
    | HoldExpired
    | TooManyAppointments
    | TooLate
    | VersionConflict
    | WouldStrand
    | IdempotencyConflict
)

TYPES: dict[type[errors.Refusal], Callable[..., ProblemType]] = {
    errors.InvalidInput: InvalidInput,
    errors.NotAllowed: NotAllowed,
    errors.NotFound: NotFound,
    errors.SlotTaken: SlotTaken,
    errors.HoldExpired: HoldExpired,
    errors.TooManyAppointments: TooManyAppointments,
    errors.TooLate: TooLate,
    errors.VersionConflict: VersionConflict,
    errors.WouldStrand: WouldStrand,
    errors.IdempotencyConflict: IdempotencyConflict,
}


def problem(refusal: errors.Refusal, translate: Translate) -> ProblemType:
    """Return a refusal as the type of its name."""
    more: dict[str, Any] = {}
    match refusal:
        case errors.InvalidInput():
            more = {"field": refusal.field}
        case errors.SlotTaken():
            more = {"alternatives": [_slot(free) for free in refusal.alternatives]}
        case errors.TooManyAppointments():
            more = {"limit": refusal.limit}
        case errors.TooLate():
            more = {"deadline": refusal.deadline}
        case errors.VersionConflict():
            more = {"version": refusal.version}
        case errors.WouldStrand():
            more = {"ids": refusal.appointments}
    message = translate(refusal.message, **refusal.values)
    return TYPES[type(refusal)](message=message, code=refusal.code, **more)


def _slot(free: FreeSlot) -> Slot:
    return Slot(**asdict(free) | {"start": instant(free.start), "end": instant(free.end)})
