"""Steps of a usager's journey, as tests take them."""

from typing import Any

from tests.api.conftest import Api
from tests.places import Place

CAMILLE = {"firstName": "Camille", "lastName": "Exemple", "email": "camille@example.org", "phone": "06 39 98 12 34"}


async def search(
    api: Api, place: Place, reason: str = "declare", who: str | None = None, **more: Any
) -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons[reason], "from": "2027-03-01", "to": "2027-03-01"}
    found: dict[str, Any] = (await api.data("search_slots", {"input": wanted | more}, who=who))["slots"]
    return found


async def hold(
    api: Api, place: Place, start: str, reason: str = "declare", who: str | None = None, **more: Any
) -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons[reason], "start": start} | more
    found: dict[str, Any] = (await api.data("hold_slot", {"input": wanted}, who=who))["holdSlot"]
    return found


async def confirm(api: Api, token: str, who: str | None = None, **more: Any) -> dict[str, Any]:
    given = {"holdToken": token, "usager": CAMILLE} | more
    found: dict[str, Any] = (await api.data("confirm_appointment", {"input": given}, who=who))["confirmAppointment"]
    return found


async def booked(api: Api, place: Place, start: str, who: str | None = None, **more: Any) -> dict[str, str]:
    """Return the reference and access code of a new appointment."""
    made = await confirm(api, (await hold(api, place, start, who=who))["token"], who=who, **more)
    return {"reference": made["appointment"]["reference"], "accessCode": made["accessCode"]}


async def move(api: Api, keys: dict[str, Any], start: str, who: str | None = None, **more: Any) -> dict[str, Any]:
    given = keys | {"start": start} | more
    found: dict[str, Any] = (await api.data("reschedule_appointment", {"input": given}, who=who))[
        "rescheduleAppointment"
    ]
    return found


async def cancel(api: Api, keys: dict[str, Any], who: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data("cancel_appointment", {"input": keys}, who=who))["cancelAppointment"]
    return found
