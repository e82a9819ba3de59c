"""The documents by which plannings are generated and made to hold."""

from typing import Any

from tests.api.conftest import Api
from tests.api.query_cases.journey import Case
from tests.api.staff import change, head_of
from tests.places import Place

WEEK = {"from": "2027-03-08", "to": "2027-03-12", "seconds": 5}


async def asked(api: Api, place: Place) -> dict[str, Any]:
    await change(api, place, "set_parameters", staffed=True)
    await change(api, place, "create_agent", displayName="Agathe")
    demand = {"date": "2027-03-08", "startTime": "09:00", "reasonId": place.reasons["declare"], "minutes": 30}
    wanted = {"officeId": place.office, "demand": [demand]} | WEEK
    return await api.data("generate_planning", {"input": wanted}, who=head_of(api, place))


async def done(api: Api, place: Place) -> str:
    identity = (await asked(api, place))["generatePlanning"]["id"]
    await api.work()
    return str(identity)


async def cancel_generation(api: Api, place: Place) -> dict[str, Any]:
    identity = (await asked(api, place))["generatePlanning"]["id"]
    return await api.data("cancel_generation", {"input": {"draftId": identity}}, who="head")


async def generate_plannings(api: Api, place: Place) -> dict[str, Any]:
    await change(api, place, "set_parameters", staffed=True)
    return await api.data("generate_plannings", {"input": {"departement": "75"} | WEEK}, who=head_of(api, place))


async def planning_draft(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("planning_draft", {"id": await done(api, place)}, who="head")


async def planning_drafts(api: Api, place: Place) -> dict[str, Any]:
    await asked(api, place)
    return await api.data("planning_drafts", {"officeId": place.office}, who="head")


async def apply_draft(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "apply_draft", draftId=await done(api, place))


CASES: dict[str, tuple[Case, str, Any]] = {
    "generate_planning": (asked, "generatePlanning.status", "QUEUED"),
    "cancel_generation": (cancel_generation, "cancelGeneration.status", "CANCELLED"),
    "generate_plannings": (generate_plannings, "generatePlannings.drafts.0.status", "QUEUED"),
    "planning_draft": (planning_draft, "planningDraft.shifts.0.start", "09:00"),
    "planning_drafts": (planning_drafts, "planningDrafts.0.from", "2027-03-08"),
    "apply_draft": (apply_draft, "revision", 3),
}
