"""The documents by which an office says when it is open."""

from typing import Any

from tests.api.conftest import Api
from tests.api.query_cases.journey import Case
from tests.api.staff import change
from tests.places import Place

MORNING = {"weekday": "MONDAY", "startTime": "09:00", "endTime": "12:00"}


async def create_template(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "create_template", kind="WEEK", name="Été", ranges=[MORNING])


async def revise_template(api: Api, place: Place) -> dict[str, Any]:
    (made,) = (await create_template(api, place))["madeIds"]
    return await change(api, place, "revise_template", templateId=made, ranges=[MORNING | {"endTime": "11:00"}])


async def retire_template(api: Api, place: Place) -> dict[str, Any]:
    (made,) = (await create_template(api, place))["madeIds"]
    return await change(api, place, "retire_template", templateId=made)


async def apply_template(api: Api, place: Place) -> dict[str, Any]:
    (made,) = (await create_template(api, place))["madeIds"]
    return await change(api, place, "apply_template", templateId=made, fromDate="2027-05-01")


async def end_template_application(api: Api, place: Place) -> dict[str, Any]:
    (made,) = (await apply_template(api, place))["madeIds"]
    return await change(api, place, "end_template_application", applicationId=made, untilDate="2027-06-30")


async def set_exception(api: Api, place: Place) -> dict[str, Any]:
    ranges = [{"startTime": "10:00", "endTime": "11:00"}]
    return await change(api, place, "set_exception", onDate="2027-03-03", ranges=ranges)


async def remove_exception(api: Api, place: Place) -> dict[str, Any]:
    await set_exception(api, place)
    return await change(api, place, "remove_exception", onDate="2027-03-03")


CASES: dict[str, tuple[Case, str, Any]] = {
    "apply_template": (apply_template, "revision", 2),
    "create_template": (create_template, "revision", 1),
    "end_template_application": (end_template_application, "revision", 3),
    "remove_exception": (remove_exception, "revision", 2),
    "retire_template": (retire_template, "revision", 2),
    "revise_template": (revise_template, "revision", 2),
    "set_exception": (set_exception, "revision", 1),
}
