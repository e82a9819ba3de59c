"""Who changed what in an office, and going back."""

import json
from typing import Any

from sqlalchemy import text

from rdv.models.database import Database
from rdv.models.offices import Agent
from rdv.models.planning import Opening
from tests.api.conftest import Api
from tests.api.staff import change, head_of, preview
from tests.api.steps import booked, hold, search
from tests.api.test_changes import rows
from tests.places import Place, add, add_office

TEN = "2027-03-03T10:00:00+01:00"
WEDNESDAY = {"from": "2027-03-03", "to": "2027-03-03"}


async def history(api: Api, place: Place, **more: Any) -> list[dict[str, Any]]:
    found = await api.data("planning_history", {"officeId": place.office} | more, who=head_of(api, place))
    return list(found["planningHistory"])


async def test_each_change_is_kept_with_who_made_it_and_when(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "create_counter", label="B")
    api.clock.forward(hours=1)
    await change(api, place, "retire_counter", counterId=place.counters[0])
    latest, first, before = await history(api, place)
    assert (latest["number"], latest["madeAt"], latest["madeBy"]) == (2, "2027-03-01T09:00:00+01:00", "head")
    assert latest["changes"][0] == {
        "code": "RETIRE_COUNTER",
        "given": {"counterId": str(place.counters[0]), "overFrozenDay": False},
    }
    assert (first["number"], first["changes"][0]["code"]) == (1, "CREATE_COUNTER")
    assert (before["number"], before["madeBy"], before["changes"]) == (0, None, [])


async def test_a_change_is_told_as_its_input_takes_it_and_can_be_made_again(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1)
    given = {
        "agentId": str(place.agents[0]),
        "ranges": [
            {"weekdays": ["MONDAY"], "startTime": "09:00", "endTime": "24:00", "everyWeeks": 1}
            | dict.fromkeys(("fromDate", "untilDate", "nthOfMonth"))
        ],
        "overFrozenDay": True,
    }
    await change(api, place, "set_agent_presence", **given)
    made, result = (await history(api, place))[0]["changes"]
    assert made == {"code": "SET_AGENT_PRESENCE", "given": given}
    assert result == {"code": "RESULT", "given": {"madeIds": [], "moved": 0, "stranded": 0, "placedAgain": 0}}
    assert (await change(api, place, "set_agent_presence", **made["given"]))["__typename"] == "PlanningChanged"


async def test_the_history_is_read_in_pages(api: Api, database: Database) -> None:
    place = await add_office(database)
    for label in "BCD":
        await change(api, place, "create_counter", label=label)
    assert [one["number"] for one in await history(api, place, first=2)] == [3, 2]
    assert [one["number"] for one in await history(api, place, first=2, before=2)] == [1, 0]


async def test_going_back_makes_everything_what_it_was(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2, agents=2)
    await add(
        database, Opening(office_id=place.office, agent_id=place.agents[0], weekdays=[1], start_minute=1, end_minute=9)
    )
    await change(api, place, "add_closure", fromDate="2027-03-05", toDate="2027-03-05")
    before = await rows(database)
    await change(api, place, "retire_counter", counterId=place.counters[0])
    await change(api, place, "create_counter", label="Nouveau")
    await change(api, place, "add_closure", fromDate="2027-03-04", toDate="2027-03-04")
    await add(database, Agent(office_id=place.office, display_name="Nouvelle"))
    done = await change(api, place, "restore_planning", revision=1)
    assert [one["label"] for one in done["office"]["counters"]] == ["Guichet 1", "Guichet 2"]
    now = await rows(database)
    for at, part in enumerate(("counter", "opening", "day_exception", "closure")):
        if part != "counter":  # the new one stays, retired
            assert now[at] == before[at], part
    assert (await history(api, place))[0]["changes"][0]["code"] == "RESTORE_PLANNING"


async def test_going_back_neither_keeps_nor_changes_what_is_past(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "add_closure", fromDate="2027-03-03", toDate="2027-03-03")
    await change(api, place, "set_exception", onDate="2027-03-03", ranges=[])
    await change(api, place, "add_closure", fromDate="2027-03-03", toDate="2027-03-20")
    api.clock.forward(days=9)
    await change(api, place, "add_closure", fromDate="2027-03-25", toDate="2027-03-25")
    async with database.reading() as connection:
        kept = text("select snapshot from office_revision order by number desc limit 1")
        snapshot = (await connection.execute(kept)).scalar_one()
    assert (snapshot["day_exception"], [one["to_date"] for one in snapshot["closure"]]) == (
        [],
        ["2027-03-20", "2027-03-25"],
    )
    await change(api, place, "restore_planning", revision=0)
    left = await rows(database)
    assert [len(left[at]) for at in (2, 3)] == [1, 1]  # an exception and a closure, both over


async def test_going_back_strands_nobody_silently(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "create_counter", label="B")
    for _ in range(2):
        await booked(api, place, TEN)
    refused = await change(api, place, "restore_planning", revision=0)
    assert (refused["__typename"], refused["count"]) == ("WouldStrand", 1)
    done = await change(api, place, "restore_planning", revision=0, acceptStranded=True)
    assert len(done["stranded"]) == 1


async def test_going_back_can_be_previewed(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "add_closure", fromDate="2027-03-03", toDate="2027-03-03")
    found = (await preview(api, place, [{"restorePlanning": {"revision": 0}}]))["reasons"][0]
    assert [one["after"] - one["before"] for one in found["days"] if one["date"] == "2027-03-03"] == [11]
    assert (await search(api, place, **WEDNESDAY))["count"] == 0


async def test_a_change_that_never_was_is_refused(api: Api, database: Database) -> None:
    place = await add_office(database)
    before = await rows(database)
    for number in (0, 7, -1, 2**31 - 1):
        refused = await change(api, place, "restore_planning", revision=number)
        expected = ("InvalidInput", "revision") if number else ("PlanningChanged", None)
        assert (refused["__typename"], refused.get("field")) == expected
    assert json.dumps(before[:4], default=str) == json.dumps((await rows(database))[:4], default=str)


async def test_only_who_plans_an_office_reads_its_history(api: Api, database: Database) -> None:
    place = await add_office(database)
    other = await add_office(database, code="sip-2", reasons=place.reasons)
    refused = await api.refusal("planning_history", {"officeId": place.office}, who=head_of(api, other, "other"))
    assert refused["code"] == "NOT_ALLOWED"
    assert (await hold(api, place, TEN))["__typename"] == "Hold"
