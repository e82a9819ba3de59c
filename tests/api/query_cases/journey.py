"""The documents of a usager's journey."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from rdv.integrations.viewer import Viewer, ViewerKind
from tests.api.conftest import Api
from tests.api.staff import head_of
from tests.places import Place

Case: TypeAlias = Callable[[Api, Place], Awaitable[dict[str, Any]]]
DAY = {"from": "2027-03-01", "to": "2027-03-01"}
USAGER = {"firstName": "Camille", "lastName": "Exemple"}


async def hold_slot(api: Api, place: Place) -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "start": "2027-03-01T10:00:00+01:00"}
    return await api.data("hold_slot", {"input": wanted})


async def release_hold(api: Api, place: Place) -> dict[str, Any]:
    token = (await hold_slot(api, place))["holdSlot"]["token"]
    return await api.data("release_hold", {"input": {"holdToken": token}})


async def confirm_appointment(api: Api, place: Place) -> dict[str, Any]:
    token = (await hold_slot(api, place))["holdSlot"]["token"]
    return await api.data("confirm_appointment", {"input": {"holdToken": token, "usager": USAGER}})


async def keys(api: Api, place: Place) -> dict[str, str]:
    confirmed = (await confirm_appointment(api, place))["confirmAppointment"]
    return {"reference": confirmed["appointment"]["reference"], "accessCode": confirmed["accessCode"]}


async def appointment(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("appointment", await keys(api, place))


async def reschedule_appointment(api: Api, place: Place) -> dict[str, Any]:
    given = await keys(api, place) | {"start": "2027-03-01T11:00:00+01:00"}
    return await api.data("reschedule_appointment", {"input": given})


async def cancel_appointment(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("cancel_appointment", {"input": await keys(api, place)})


async def search_slots(api: Api, place: Place) -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"]} | DAY
    return await api.data("search_slots", {"input": wanted})


async def search_slots_to_move(api: Api, place: Place) -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"]} | DAY
    return await api.data("search_slots_to_move", wanted | await keys(api, place))


async def earliest_slots(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("earliest_slots", {"input": {"reasonId": place.reasons["declare"], "departement": "75"}})


async def office_day(api: Api, place: Place) -> dict[str, Any]:
    await keys(api, place)
    return await api.data("office_day", {"officeId": place.office} | DAY, who=head_of(api, place))


async def office(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("office", {"code": place.code})


async def orientation(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("orientation", {"input": {"reasonId": place.reasons["declare"], "communeCode": "75102"}})


async def reasons(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("reasons", {"audience": "INDIVIDUAL"})


async def viewer(api: Api, place: Place) -> dict[str, Any]:
    api.viewers.known["camille"] = Viewer(kind=ViewerKind.USAGER, subject="s-1", name="Camille Exemple")
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "start": "2027-03-01T10:00:00+01:00"}
    held = (await api.data("hold_slot", {"input": wanted}, who="camille"))["holdSlot"]
    await api.data("confirm_appointment", {"input": {"holdToken": held["token"]}}, who="camille")
    return await api.data("viewer", {"first": 1}, who="camille")


# By the document's name: how it is run, and something its answer must contain.
CASES: dict[str, tuple[Case, str, Any]] = {
    "appointment": (appointment, "appointment.start", "2027-03-01T10:00:00+01:00"),
    "cancel_appointment": (cancel_appointment, "cancelAppointment.appointment.status", "CANCELLED"),
    "confirm_appointment": (confirm_appointment, "confirmAppointment.appointment.status", "BOOKED"),
    "earliest_slots": (earliest_slots, "earliestSlots.0.slot.start", "2027-03-01T09:00:00+01:00"),
    "release_hold": (release_hold, "releaseHold.start", "2027-03-01T10:00:00+01:00"),
    "hold_slot": (hold_slot, "holdSlot.slot.end", "2027-03-01T10:30:00+01:00"),
    "office_day": (office_day, "office.appointments.edges.0.node.usager.displayName", "Camille Exemple"),
    "office": (office, "office.reasons.1.durationMinutes", 15),
    "orientation": (orientation, "orientation.offices.0.competent", True),
    "reasons": (reasons, "reasons.0.children.0.code", "declare"),
    "reschedule_appointment": (
        reschedule_appointment,
        "rescheduleAppointment.appointment.start",
        "2027-03-01T11:00:00+01:00",
    ),
    "search_slots": (search_slots, "slots.count", 11),
    "search_slots_to_move": (search_slots_to_move, "slots.days.0.slots.10.start", "2027-03-01T11:30:00+01:00"),
    "viewer": (viewer, "viewer.usager.appointments.edges.0.node.office.name", "SIP sip-75101-01"),
}
