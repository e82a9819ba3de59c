"""The documents by which an office's organisation and hours are read."""

from typing import Any

from tests.api.conftest import Api
from tests.api.query_cases.hours import apply_template
from tests.api.query_cases.journey import Case
from tests.api.staff import head_of
from tests.places import Place


async def organisation(api: Api, place: Place) -> dict[str, Any]:
    await apply_template(api, place)
    return await api.data("organisation", {"officeId": place.office}, who=head_of(api, place))


async def office_hours(api: Api, place: Place) -> dict[str, Any]:
    days = {"from": "2027-03-01", "to": "2027-03-07"}
    return await api.data("office_hours", {"officeId": place.office} | days)


CASES: dict[str, tuple[Case, str, Any]] = {
    "organisation": (organisation, "organisation.templates.0.applications.0.fromDate", "2027-05-01"),
    "office_hours": (office_hours, "officeHours.0.start", "09:00"),
}
