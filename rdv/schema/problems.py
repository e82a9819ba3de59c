"""Expected failures as types: each refusal of the error tree has the type of its own name."""

from dataclasses import asdict
from datetime import datetime

import strawberry

from rdv import errors
from rdv.schema.slots import Slot
from rdv.schema.texts import Translate


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


@strawberry.type(description="The idempotency key was used before, with another body.")
class IdempotencyConflict(Problem):
    pass


ProblemType = (
    InvalidInput | NotAllowed | NotFound | SlotTaken | HoldExpired | TooManyAppointments | TooLate | IdempotencyConflict
)

PLAIN: dict[type[errors.Refusal], type[NotAllowed | NotFound | HoldExpired | IdempotencyConflict]] = {
    errors.NotAllowed: NotAllowed,
    errors.NotFound: NotFound,
    errors.HoldExpired: HoldExpired,
    errors.IdempotencyConflict: IdempotencyConflict,
}


def problem(refusal: errors.Refusal, translate: Translate) -> ProblemType:
    """Return a refusal as the type of its name."""
    given = {"message": translate(refusal.message, **refusal.values), "code": refusal.code}
    match refusal:
        case errors.InvalidInput():
            return InvalidInput(**given, field=refusal.field)
        case errors.SlotTaken():
            return SlotTaken(**given, alternatives=[Slot(**asdict(free)) for free in refusal.alternatives])
        case errors.TooManyAppointments():
            return TooManyAppointments(**given, limit=refusal.limit)
        case errors.TooLate():
            return TooLate(**given, deadline=refusal.deadline)
    return PLAIN[type(refusal)](**given)
