"""The documents by which something is followed."""

from typing import Any

from tests.api.conftest import Api
from tests.api.query_cases.journey import Case, keys
from tests.places import Place


async def slots_changed(api: Api, place: Place) -> dict[str, Any]:
    return await api.event("slots_changed", {"officeId": place.office, "reasonId": place.reasons["declare"]})


async def appointment_changed(api: Api, place: Place) -> dict[str, Any]:
    return await api.event("appointment_changed", await keys(api, place))


CASES: dict[str, tuple[Case, str, Any]] = {
    "slots_changed": (slots_changed, "slotsChanged.days", []),
    "appointment_changed": (appointment_changed, "appointmentChanged.status", "BOOKED"),
}
