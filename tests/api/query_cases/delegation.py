"""The documents by which an office hands reasons to another."""

from typing import Any

from rdv.models.database import Database
from tests.api.conftest import Api
from tests.api.query_cases.journey import Case
from tests.api.staff import change, head_of
from tests.places import Place, add_office

DAYS = {"fromDate": "2027-03-01", "untilDate": "2027-03-31"}


async def proposed(api: Api, place: Place, **more: Any) -> tuple[Place, str, dict[str, Any]]:
    """Have a place propose to hand its income reasons to another office; return that one and the delegation's id."""
    database = Database(str(api.settings.database_url))
    other = await add_office(database, code="sip-75101-09", reasons=place.reasons, counters=2)
    await database.close()
    head_of(api, other, "other")
    given = {"toOfficeId": other.office, "reasonId": place.reasons["income"]} | DAYS | more
    made = await change(api, place, "propose_delegation", **given)
    return other, str((made.get("madeIds") or [""])[0]), made


async def accepted(api: Api, place: Place, **more: Any) -> tuple[Place, str]:
    other, identity, _ = await proposed(api, place, **more)
    done = await change(api, other, "accept_delegation", who="other", delegationId=identity)
    assert done["__typename"] == "PlanningChanged", done
    return other, identity


async def propose_delegation(api: Api, place: Place) -> dict[str, Any]:
    return (await proposed(api, place))[2]


async def accept_delegation(api: Api, place: Place) -> dict[str, Any]:
    other, identity, _ = await proposed(api, place)
    return await change(api, other, "accept_delegation", who="other", delegationId=identity)


async def refuse_delegation(api: Api, place: Place) -> dict[str, Any]:
    other, identity, _ = await proposed(api, place)
    return await change(api, other, "refuse_delegation", who="other", delegationId=identity)


async def end_delegation(api: Api, place: Place) -> dict[str, Any]:
    _, identity = await accepted(api, place)
    return await change(api, place, "end_delegation", delegationId=identity)


async def delegations(api: Api, place: Place) -> dict[str, Any]:
    await accepted(api, place)
    return await api.data("delegations", {"officeId": place.office}, who="head")


async def search_slots_elsewhere(api: Api, place: Place) -> dict[str, Any]:
    await accepted(api, place)
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "from": "2027-03-01", "to": "2027-03-01"}
    return await api.data("search_slots_elsewhere", {"input": wanted})


CASES: dict[str, tuple[Case, str, Any]] = {
    "propose_delegation": (propose_delegation, "revision", 1),
    "accept_delegation": (accept_delegation, "revision", 1),
    "refuse_delegation": (refuse_delegation, "revision", 1),
    "end_delegation": (end_delegation, "revision", 2),
    "delegations": (delegations, "delegations.0.status", "ACCEPTED"),
    "search_slots_elsewhere": (search_slots_elsewhere, "slots.elsewhere.0.first.remaining", 2),
}
