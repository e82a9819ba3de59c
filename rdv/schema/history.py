"""What was changed in an office, by whom, and when."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import strawberry
from strawberry.scalars import JSON

from rdv import errors
from rdv.models.revisions import Revision
from rdv.schema.changes import as_given, change_input
from rdv.schema.context import Info
from rdv.usecases import history as use_case
from rdv.usecases.changing import RESULT
from rdv.usecases.offices import id_from


@change_input(use_case.RestorePlanning, "An office as it was after a change of its history.")
class Restoration:
    revision: int = strawberry.field(description="The number of the change in the history; 0: before the first one.")
    over_frozen_day: bool = strawberry.field(
        default=False, description="Go on although settled days change, whose agents were told."
    )


@strawberry.type(description="One of several changes that were made together.")
class MadeChange:
    code: str = strawberry.field(description="What sort of change: CREATE_COUNTER, ADD_CLOSURE …; RESULT: its outcome.")
    given: JSON = strawberry.field(
        description="What it said, as its input takes it; of RESULT: `madeIds`, and how many `moved`, `stranded` and "
        "`placedAgain`."
    )


@strawberry.type(description="Changes of an office that were made together.")
class PlanningRevision:
    record: strawberry.Private[Revision]
    zone: strawberry.Private[ZoneInfo]

    @strawberry.field(description="Its number in the office's history; `restorePlanning` goes back to it.")
    def number(self) -> int:
        return self.record.number

    @strawberry.field(description="When.")
    def made_at(self) -> datetime:
        return self.record.made_at.astimezone(self.zone)

    @strawberry.field(description="The account that made it; null for the system.")
    def made_by(self) -> str | None:
        return self.record.made_by

    @strawberry.field(description="What was changed, in order; last what came of it.")
    def changes(self) -> list[MadeChange]:
        return [MadeChange(code=one["code"], given=_given(one)) for one in self.record.what]


def _given(one: dict[str, Any]) -> JSON:
    if one["code"] == RESULT:
        return JSON(
            {
                "madeIds": [str(made) for made in one.get("made", ())],
                "moved": one.get("moved", 0),
                "stranded": len(one.get("stranded", ())),
                "placedAgain": len(one.get("placed_again", ())),
            }
        )
    return JSON(as_given(one["code"], one))


async def history(info: Info, office_id: strawberry.ID, before: int | None, first: int) -> list[PlanningRevision]:
    context = info.context
    office = await context.offices.load(id_from(office_id, field="officeId"))
    if office is None:
        raise errors.NotFound("There is no such office.")
    found = await use_case.history(context.services, context.viewer, office, before=before, first=first)
    return [PlanningRevision(record=one, zone=ZoneInfo(office.time_zone)) for one in found]
