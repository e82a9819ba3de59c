from typing import Any

from rdv.models.database import Database
from tests.api.conftest import Api
from tests.places import Place, add_office

CAMILLE = {"firstName": "Camille", "lastName": "Exemple", "email": "camille@example.org", "phone": "06 39 98 12 34"}


async def search(api: Api, place: Place, **more: Any) -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "from": "2027-03-01", "to": "2027-03-01"}
    found: dict[str, Any] = (await api.data("search_slots", {"input": wanted | more}))["slots"]
    return found


async def hold(api: Api, place: Place, start: str, who: str | None = None, **more: Any) -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "start": start} | more
    found: dict[str, Any] = (await api.data("hold_slot", {"input": wanted}, who=who))["holdSlot"]
    return found


async def confirm(api: Api, hold_token: str, who: str | None = None, **more: Any) -> dict[str, Any]:
    wanted = {"holdToken": hold_token, "usager": CAMILLE} | more
    found: dict[str, Any] = (await api.data("confirm_appointment", {"input": wanted}, who=who))["confirmAppointment"]
    return found


async def test_a_usager_holds_confirms_moves_and_cancels(api: Api, database: Database) -> None:
    place = await add_office(database)
    before = await search(api, place)
    assert (before["count"], before["durationMinutes"], before["timeZone"]) == (11, 30, "Europe/Paris")
    assert before["first"] == {
        "start": "2027-03-01T09:00:00+01:00",
        "end": "2027-03-01T09:30:00+01:00",
        "remaining": 1,
    }
    held = await hold(api, place, "2027-03-01T09:30:00+01:00")
    assert held["__typename"] == "Hold"
    assert held["expiresAt"] == "2027-03-01T08:10:00+01:00"
    during = await search(api, place)
    assert during["version"] != before["version"]
    assert "2027-03-01T09:30:00+01:00" not in during["days"][0]["starts"]
    confirmed = await confirm(api, held["token"], comment="Merci")
    appointment = confirmed["appointment"]
    assert appointment["status"] == "BOOKED"
    assert appointment["usager"] == {"displayName": "Camille Exemple"}
    assert appointment["canBeChangedUntil"] == "2027-03-01T08:30:00+01:00"
    keys = {"reference": appointment["reference"], "accessCode": confirmed["accessCode"]}
    seen = (await api.data("appointment", keys))["appointment"]
    assert (seen["reference"], seen["comment"]) == (keys["reference"], "Merci")
    moved = (await api.data("reschedule_appointment", {"input": keys | {"start": "2027-03-01T09:45:00+01:00"}}))[
        "rescheduleAppointment"
    ]
    assert moved["appointment"]["start"] == "2027-03-01T09:45:00+01:00"
    assert moved["appointment"]["reference"] == keys["reference"]
    assert moved["accessCode"] == keys["accessCode"]
    cancelled = (await api.data("cancel_appointment", {"input": keys}))["cancelAppointment"]
    assert cancelled["appointment"]["status"] == "CANCELLED"
    after = await search(api, place)
    assert after["days"] == before["days"]
