"""What an office has written down, as those who plan it read it; and its hours, as everybody does."""

from typing import Any

from rdv.models.database import Database
from tests.api.conftest import Api
from tests.api.staff import change, head_of
from tests.places import Place, add_office

MONDAY_MORNING = {"weekday": "MONDAY", "startTime": "10:00", "endTime": "11:00"}


async def organisation(api: Api, place: Place, who: str | None = None, **more: Any) -> dict[str, Any]:
    who = who or head_of(api, place)
    found: dict[str, Any] = (await api.data("organisation", {"officeId": place.office} | more, who=who))["organisation"]
    return found


async def hours(api: Api, place: Place, first: str, last: str) -> list[tuple[str, str, str, str]]:
    given = {"officeId": place.office, "from": first, "to": last}
    found = (await api.data("office_hours", given))["officeHours"]
    return [(one["date"], one["layer"], one["start"], one["end"]) for one in found]


async def test_everything_that_was_written_is_read_again(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    agent, counter = place.agents[0], place.counters[0]
    name = {"agentId": agent, "displayName": "Agathe", "preferredCounterIds": [counter], "mostMinutesADay": 300}
    await change(api, place, "update_agent", **name, reasonIds=[place.reasons["income"]])
    presence = {"weekdays": ["MONDAY"], "startTime": "09:00", "endTime": "11:00"}
    await change(api, place, "set_agent_presence", agentId=agent, ranges=[presence])
    await change(api, place, "set_agent_exception", agentId=agent, onDate="2027-03-08", ranges=[])
    await change(api, place, "add_absence", agentId=agent, fromDate="2027-03-10", toDate="2027-03-11")
    await change(api, place, "add_closure", fromDate="2027-03-12", toDate="2027-03-12", counterIds=[counter])
    await change(api, place, "set_reason_quota", reasonId=place.reasons["declare"], mostADay=5)
    await change(api, place, "set_channel_share", channel="OFFICE", percent=20)
    await change(api, place, "set_office_reason", reasonId=place.reasons["land"], durationMinutes=50)
    short = [{"startTime": "09:00", "endTime": "10:00"}]
    await change(api, place, "set_exception", onDate="2027-03-09", ranges=short)
    made = (await change(api, place, "create_template", kind="WEEK", name="Été", ranges=[MONDAY_MORNING]))["madeIds"]
    await change(api, place, "apply_template", templateId=made[0], counterId=counter, fromDate="2027-05-03")

    found = await organisation(api, place)
    (seen,) = found["agents"]
    assert (seen["displayName"], seen["mostMinutesADay"], seen["preferredCounterIds"]) == (
        "Agathe",
        300,
        [str(counter)],
    )
    assert [one["label"] for one in seen["reasons"]] == ["Mes revenus"]
    assert [(one["weekdays"], one["startTime"]) for one in seen["presence"]] == [(["MONDAY"], "09:00")]
    assert [(one["onDate"], one["startTime"]) for one in seen["exceptions"]] == [("2027-03-08", None)]
    assert [(one["fromDate"], one["toDate"]) for one in seen["absences"]] == [("2027-03-10", "2027-03-11")]
    assert [(one["fromDate"], one["counterIds"]) for one in found["closures"]] == [("2027-03-12", [str(counter)])]
    assert [(one["reason"]["label"], one["mostADay"]) for one in found["reasonQuotas"]] == [("Déclarer", 5)]
    assert found["channelShares"] == [{"channel": "OFFICE", "percent": 20}]
    assert [(one["reason"]["label"], one["durationMinutes"]) for one in found["officeReasons"]] == [("Foncier", 50)]
    assert [(one["onDate"], one["endTime"], one["fromRoster"]) for one in found["exceptions"]] == [
        ("2027-03-09", "10:00", False)
    ]
    (template,) = found["templates"]
    assert template["versions"][0]["ranges"][0]["weekday"] == "MONDAY"
    assert template["applications"][0]["counterId"] == str(counter)
    assert {one["templateApplicationId"] is None for one in found["openings"]} == {True, False}
    # What it gives is the version that a change is based on.
    done = await change(api, place, "create_counter", label="B", version=found["version"])
    assert done["__typename"] == "PlanningChanged"


async def test_an_agent_who_is_written_as_they_were_read_stays_as_they_are(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1)
    name = {"agentId": place.agents[0], "displayName": "Agathe", "subject": "a-1"}
    await change(api, place, "update_agent", **name, counterIds=[place.counters[0]], mostMinutesADay=300)
    (read,) = (await organisation(api, place))["agents"]
    alike = ("displayName", "subject", "counterIds", "preferredCounterIds", "mostMinutesADay", "mostMinutesAWeek")
    await change(api, place, "update_agent", agentId=read["id"], **{one: read[one] for one in alike})
    assert (await organisation(api, place))["agents"] == [read]
    assert read["subject"] == "a-1"


async def test_what_is_over_is_left_out_unless_asked_for(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "set_exception", onDate="2027-03-03", ranges=[])
    api.clock.forward(days=7)
    assert (await organisation(api, place))["exceptions"] == []
    assert len((await organisation(api, place, since="2027-03-01"))["exceptions"]) == 1


async def test_an_organisation_is_for_those_who_plan_the_office(api: Api, database: Database) -> None:
    place = await add_office(database)
    other = await add_office(database, code="sip-75101-02", reasons=place.reasons)
    given = {"officeId": place.office}
    assert (await api.refusal("organisation", given))["code"] == "NOT_ALLOWED"
    assert (await api.refusal("organisation", given, who=head_of(api, other, "stranger")))["code"] == "NOT_ALLOWED"
    assert (await api.refusal("organisation", {"officeId": "999"}, who=head_of(api, place)))["code"] == "NOT_FOUND"


async def test_hours_are_those_of_any_counter_closures_and_holidays_taken_away(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2)
    await change(api, place, "add_closure", fromDate="2027-03-29", toDate="2027-03-30", toTime="10:00")
    afternoon = [{"startTime": "11:30", "endTime": "14:00"}]
    await change(api, place, "set_exception", onDate="2027-03-31", counterId=place.counters[1], ranges=afternoon)
    assert await hours(api, place, "2027-03-28", "2027-03-31") == [
        ("2027-03-30", "APPOINTMENT", "10:00", "12:00"),
        ("2027-03-31", "APPOINTMENT", "09:00", "14:00"),
    ]
    assert await hours(api, place, "2027-05-01", "2027-05-01") == []


async def test_hours_without_appointment_are_a_layer_of_their_own(api: Api, database: Database) -> None:
    place = await add_office(database)
    walk_in = MONDAY_MORNING | {"layer": "WALK_IN", "startTime": "13:30", "endTime": "16:00"}
    made = (await change(api, place, "create_template", kind="WEEK", name="Sans", ranges=[walk_in]))["madeIds"]
    await change(api, place, "apply_template", templateId=made[0], fromDate="2027-03-03")
    await change(api, place, "set_exception", onDate="2027-03-15", ranges=[])
    short = [{"startTime": "09:00", "endTime": "10:00"}]
    await change(api, place, "set_exception", onDate="2027-03-22", ranges=short)
    found = await hours(api, place, "2027-03-08", "2027-03-22")
    assert [one for one in found if one[1] == "WALK_IN"] == [
        ("2027-03-08", "WALK_IN", "13:30", "16:00"),
        ("2027-03-22", "WALK_IN", "13:30", "16:00"),
    ], "a closed day is closed; another day's other hours are those of appointments"
