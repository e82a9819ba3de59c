"""Whom an office has to call because they lost their place."""

from typing import Annotated

import strawberry

from rdv.schema.appointments import Appointment, appointment
from rdv.schema.context import Info
from rdv.schema.gateway import COUNTRY, STAFF
from rdv.schema.mutations import or_problem
from rdv.schema.problems import NotAllowed, NotFound
from rdv.usecases import call_backs


@strawberry.input(description="An office whose usagers lost their place.")
class ProposeAlternativesInput:
    office_id: strawberry.ID = strawberry.field(description="The office.")


@strawberry.type(description="Another time is held for everybody for whom there is one.")
class AlternativesProposed:
    appointments: list[Appointment] = strawberry.field(description="Whom to call, the first to come first.")


ProposeAlternativesResult = Annotated[
    AlternativesProposed | NotAllowed | NotFound,
    strawberry.union("ProposeAlternativesResult", description="Whom to call, or why that is not said."),
]


@strawberry.type
class CallBackMutation:
    @strawberry.federation.mutation(
        description="Hold another time for everybody whom an office has to call and who has none yet, and list them; "
        "at most 200 at a time.",
        requires_scopes=STAFF,
        directives=[COUNTRY],
    )
    async def propose_alternatives(self, info: Info, input: ProposeAlternativesInput) -> ProposeAlternativesResult:
        async def act() -> AlternativesProposed:
            context = info.context
            waiting = await call_backs.propose(context.services, context.viewer, input.office_id)
            return AlternativesProposed(appointments=[await appointment(context, one) for one in waiting])

        return await or_problem(info, act)
