"""The same changes in a whole set of offices, and public holidays."""

import datetime as dt  # an input has a field called `date`
from typing import Annotated

import strawberry

from rdv.schema.changes import PlanningChanged, planning_changed
from rdv.schema.context import Info
from rdv.schema.gateway import MANY_OFFICES, STAFF
from rdv.schema.mutations import or_problem
from rdv.schema.planning import PlanningChangeInput, intended
from rdv.schema.problems import InvalidInput, NotAllowed, NotFound, VersionConflict, WouldStrand
from rdv.usecases import many_offices as use_case
from rdv.usecases.public_holidays import HolidayRequest, set_holiday

ACCEPT = "Go on although appointments lose their place; they are listed to be called back."


@strawberry.input(description="The same changes for a set of offices, all of them or none.")
class ChangeOfficesInput:
    office_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="These offices; at most 500.")
    departement: str | None = strawberry.field(
        default=None, description="Or else those of a département that take bookings."
    )
    changes: list[PlanningChangeInput] = strawberry.field(description="The changes, in order.")
    accept_stranded: bool = strawberry.field(default=False, description=ACCEPT)


@strawberry.input(description="Whether a day is a public holiday in a territory.")
class SetHolidayInput:
    territory: str = strawberry.field(description="FR: everywhere; or the code of a département, which comes first.")
    date: dt.date = strawberry.field(description="The day.")
    closed: bool | None = strawberry.field(
        default=None, description="Whether it is a holiday; left out: as the calendar of public holidays says."
    )
    accept_stranded: bool = strawberry.field(default=False, description=ACCEPT)


@strawberry.type(description="The offices are changed.")
class OfficesChanged:
    changed: list[PlanningChanged] = strawberry.field(description="Each office with what came of it.")
    later: int = strawberry.field(
        default=0,
        description="At how many offices a worker goes on: a holiday that concerns many holds at once, and their "
        "histories tell what came of it.",
    )


ChangeOfficesResult = Annotated[
    OfficesChanged | WouldStrand | VersionConflict | InvalidInput | NotAllowed | NotFound,
    strawberry.union("ChangeOfficesResult", description="The changed offices, or why none was changed."),
]


@strawberry.type
class ManyOfficesMutation:
    @strawberry.federation.mutation(
        description="Make the same changes in a whole set of offices: close them, for example.",
        requires_scopes=STAFF,
        directives=[MANY_OFFICES],
    )
    async def change_offices(self, info: Info, input: ChangeOfficesInput) -> ChangeOfficesResult:
        async def act() -> OfficesChanged:
            request = use_case.ManyRequest(
                office_ids=input.office_ids,
                departement=input.departement,
                changes=intended(input.changes),
                accept_stranded=input.accept_stranded,
            )
            done = await use_case.change_offices(info.context.services, info.context.viewer, request)
            return OfficesChanged(changed=[planning_changed(one) for one in done])

        return await or_problem(info, act)

    @strawberry.federation.mutation(
        description="Say whether a day is a public holiday, for national administrators; answers with the offices that "
        "expect somebody that day. Where many do, it needs acceptStranded, as there is no time to name first everybody "
        "who would lose their place, and a worker goes on. An office's own exception for the day comes first.",
        requires_scopes=STAFF,
        directives=[MANY_OFFICES],
    )
    async def set_holiday(self, info: Info, input: SetHolidayInput) -> ChangeOfficesResult:
        async def act() -> OfficesChanged:
            request = HolidayRequest(
                territory=input.territory,
                day=input.date,
                closed=input.closed,
                accept_stranded=input.accept_stranded,
            )
            done = await set_holiday(info.context.services, info.context.viewer, request)
            return OfficesChanged(changed=[planning_changed(one) for one in done.changed], later=done.later)

        return await or_problem(info, act)
