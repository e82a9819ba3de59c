"""What can be followed."""

import datetime as dt
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from rdv.schema.appointments import Appointment, appointment
from rdv.schema.context import Info
from rdv.schema.offices import Office
from rdv.schema.reasons import Reason
from rdv.usecases import following


@strawberry.type(description="The free slots of an office for a reason have changed, or this is where they stand.")
class SlotsChanged:
    office: Office = strawberry.field(description="Where.")
    reason: Reason = strawberry.field(description="What for.")
    days: list[dt.date] = strawberry.field(
        description="The local days whose free slots differ from what was told before: ask for these. None at first."
    )
    count: int = strawberry.field(description="How many starts there are now, over two months.")
    version: str = strawberry.field(description="The version of the office's planning, as in `slots`.")


@strawberry.type(description="What can be followed, by graphql-transport-ws or server-sent events.")
class Subscription:
    @strawberry.subscription(
        description="The free slots of an office for a reason, as the caller would be offered them in person: where "
        "they stand at once, then each time that they have changed; what changes in a moment is told once."
    )
    async def slots_changed(
        self,
        info: Info,
        office_id: Annotated[strawberry.ID, strawberry.argument(description="Where.")],
        reason_id: Annotated[strawberry.ID, strawberry.argument(description="What for: a reason that can be booked.")],
    ) -> AsyncGenerator[SlotsChanged, None]:
        context = info.context
        async with aclosing(following.slots(context.services, context.who, office_id, reason_id)) as changes:
            async for change in changes:
                situation = change.found.agenda.situation
                yield SlotsChanged(
                    office=Office(record=situation.office),
                    reason=Reason(node=change.found.reason, nodes=situation.reasons, tree=situation.tree),
                    days=list(change.days),
                    count=len(change.found.answer.starts),
                    version=str(situation.version),
                )

    @strawberry.subscription(
        description="An appointment, as `appointment` gives it: at once, then each time that it has changed (what "
        "concerns its usager alone, within a minute). Ends when the caller may no longer see it."
    )
    async def appointment_changed(
        self,
        info: Info,
        reference: Annotated[
            str, strawberry.argument(description="However it is written: blanks, dashes, small letters.")
        ],
        access_code: Annotated[str | None, strawberry.argument(description="For who is not signed in.")] = None,
    ) -> AsyncGenerator[Appointment, None]:
        context = info.context
        async with aclosing(following.appointment(context.services, context.who, reference, access_code)) as records:
            async for record in records:
                context.forget()  # what was loaded for the one before may have changed since
                yield await appointment(context, record)
