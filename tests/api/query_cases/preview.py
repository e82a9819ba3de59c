"""The documents by which changes are previewed, and their consequences dealt with."""

from typing import Any

from tests.api.conftest import Api
from tests.api.query_cases.journey import Case
from tests.api.staff import change, head_of, preview
from tests.api.steps import booked
from tests.places import Place


async def planning_preview(api: Api, place: Place) -> dict[str, Any]:
    closure = {"fromDate": "2027-03-03", "toDate": "2027-03-03"}
    return {"planningPreview": await preview(api, place, [{"addClosure": closure}])}


async def propose_alternatives(api: Api, place: Place) -> dict[str, Any]:
    await booked(api, place, "2027-03-03T10:00:00+01:00")
    await change(api, place, "add_closure", fromDate="2027-03-03", toDate="2027-03-03", acceptStranded=True)
    wanted = {"officeId": place.office}
    return await api.data("propose_alternatives", {"input": wanted}, who=head_of(api, place))


async def planning_history(api: Api, place: Place) -> dict[str, Any]:
    await change(api, place, "create_counter", label="B")
    return await api.data("planning_history", {"officeId": place.office}, who="head")


async def restore_planning(api: Api, place: Place) -> dict[str, Any]:
    await change(api, place, "update_counter", counterId=place.counters[0], label="Accueil")
    return await change(api, place, "restore_planning", revision=0)


CASES: dict[str, tuple[Case, str, Any]] = {
    "propose_alternatives": (
        propose_alternatives,
        "proposeAlternatives.appointments.0.proposal.start",
        "2027-03-02T11:30:00+01:00",
    ),
    "planning_history": (planning_history, "planningHistory.0.changes.0.given.label", "B"),
    "restore_planning": (restore_planning, "office.counters.0.label", "Guichet 1"),
    "planning_preview": (planning_preview, "planningPreview.reasons.0.days.2.after", 0),
}
