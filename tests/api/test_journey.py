from rdv.models.database import Database
from tests.api.conftest import Api
from tests.api.steps import confirm, hold, search
from tests.places import add_office


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
