"""The documents about agents, reasons, and who receives whom."""

from typing import Any

from tests.api.conftest import Api
from tests.api.query_cases.journey import Case
from tests.api.staff import change
from tests.api.steps import booked
from tests.places import Place

TEN = "2027-03-03T10:00:00+01:00"
WEDNESDAY = {"fromDate": "2027-03-03", "toDate": "2027-03-03"}


async def set_office_reason(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "set_office_reason", reasonId=place.reasons["income"], durationMinutes=20)


async def create_agent(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "create_agent", displayName="Agent 1")


async def agent(api: Api, place: Place) -> str:
    return str((await create_agent(api, place))["madeIds"][0])


async def update_agent(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "update_agent", agentId=await agent(api, place), displayName="Agent 2")


async def retire_agent(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "retire_agent", agentId=await agent(api, place))


async def set_agent_presence(api: Api, place: Place) -> dict[str, Any]:
    ranges = [{"weekdays": ["MONDAY"], "startTime": "09:00", "endTime": "12:00"}]
    return await change(api, place, "set_agent_presence", agentId=await agent(api, place), ranges=ranges)


async def set_agent_exception(api: Api, place: Place) -> dict[str, Any]:
    given = {"agentId": await agent(api, place), "onDate": "2027-03-03", "ranges": []}
    return await change(api, place, "set_agent_exception", **given)


async def add_absence(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "add_absence", agentId=await agent(api, place), **WEDNESDAY)


async def remove_absence(api: Api, place: Place) -> dict[str, Any]:
    (made,) = (await add_absence(api, place))["madeIds"]
    return await change(api, place, "remove_absence", absenceId=made)


async def assign_appointment(api: Api, place: Place) -> dict[str, Any]:
    keys = await booked(api, place, TEN)
    return await change(api, place, "assign_appointment", reference=keys["reference"], counterId=place.counters[0])


async def release_appointment(api: Api, place: Place) -> dict[str, Any]:
    keys = await booked(api, place, TEN)
    return await change(api, place, "release_appointment", reference=keys["reference"])


CASES: dict[str, tuple[Case, str, Any]] = {
    "add_absence": (add_absence, "revision", 2),
    "assign_appointment": (assign_appointment, "revision", 1),
    "create_agent": (create_agent, "revision", 1),
    "release_appointment": (release_appointment, "revision", 1),
    "remove_absence": (remove_absence, "revision", 3),
    "retire_agent": (retire_agent, "revision", 2),
    "set_agent_exception": (set_agent_exception, "revision", 2),
    "set_agent_presence": (set_agent_presence, "revision", 2),
    "set_office_reason": (set_office_reason, "office.reasons.0.durationMinutes", 20),
    "update_agent": (update_agent, "revision", 2),
}
