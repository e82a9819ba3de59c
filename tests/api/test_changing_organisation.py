"""Counters, reasons and agents of an office, as usagers and agents feel them."""

from typing import Any

import pytest
from sqlalchemy import text

from rdv.models.database import Database
from rdv.models.offices import Agent
from tests.api.conftest import Api
from tests.api.staff import change, head_of
from tests.api.steps import booked, hold, search
from tests.api.test_changes import rows
from tests.places import Place, add, add_office

TEN = "2027-03-03T10:00:00+01:00"
WEDNESDAY = {"from": "2027-03-03", "to": "2027-03-03"}
ABSENT = {"fromDate": "2027-03-03", "toDate": "2027-03-03"}


async def count(api: Api, place: Place, reason: str = "declare", who: str | None = None, **more: Any) -> int:
    return int((await search(api, place, reason, who=who, **WEDNESDAY | more))["count"])


async def seats(database: Database) -> list[tuple[int, list[int]]]:
    """Return the counter and agents of each appointment, in order of their making."""
    statement = """
    select a.counter_id, array(select agent_id from appointment_agent where appointment_id = a.id order by 1)
    from appointment a where a.status = 'BOOKED' order by a.id
    """
    async with database.reading() as connection:
        return [(row[0], list(row[1])) for row in await connection.execute(text(statement))]


async def test_a_counter_for_a_node_takes_everything_under_it_and_nothing_else(api: Api, database: Database) -> None:
    place = await add_office(database)
    given = {"counterId": place.counters[0], "label": "Revenus", "reasonIds": [place.reasons["income"]]}
    await change(api, place, "update_counter", **given)
    assert [await count(api, place, reason) for reason in ("declare", "correct", "survey")] == [11, 12, 0]


async def test_a_counter_for_a_channel_or_a_modality_takes_only_these(api: Api, database: Database) -> None:
    place = await add_office(database)
    given = {"counterId": place.counters[0], "label": "G", "channels": ["OFFICE"], "modalities": ["PHONE"]}
    await change(api, place, "update_counter", **given)
    head = head_of(api, place)
    assert await count(api, place) == await count(api, place, modality="PHONE") == 0
    assert await count(api, place, who=head) == 0
    assert await count(api, place, who=head, modality="PHONE") == 11


async def test_an_office_takes_its_own_time_for_a_reason_and_everything_under_it(api: Api, database: Database) -> None:
    place = await add_office(database)
    keys = await booked(api, place, TEN)
    given = {"reasonId": place.reasons["income"], "durationMinutes": 60, "bufferMinutes": 15}
    await change(api, place, "set_office_reason", **given)
    held = await hold(api, place, "2027-03-04T10:00:00+01:00")
    assert held["slot"]["end"] == "2027-03-04T11:00:00+01:00"
    seen = await api.data("appointment", keys)
    assert seen["appointment"]["end"] == "2027-03-03T10:30:00+01:00", "what was booked keeps its time"
    await change(api, place, "set_office_reason", reasonId=place.reasons["income"])
    held = await hold(api, place, "2027-03-05T10:00:00+01:00")
    assert held["slot"]["end"] == "2027-03-05T10:30:00+01:00"


async def test_an_office_may_serve_a_reason_or_not_and_how(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "set_office_reason", reasonId=place.reasons["correct"], served=False)
    refused = await api.refusal(
        "search_slots", {"input": {"officeId": place.office, "reasonId": place.reasons["correct"]} | WEDNESDAY}
    )
    assert refused["code"] == "INVALID_INPUT"
    await change(api, place, "set_office_reason", reasonId=place.reasons["correct"], modalities=["VIDEO"])
    assert await count(api, place, "correct", modality="VIDEO") == 12


async def test_what_an_agent_can_do_and_when_they_are_there_decides_what_is_offered(
    api: Api, database: Database
) -> None:
    place = await add_office(database, staffed=True)
    assert await count(api, place) == 0, "nobody receives"
    (agent,) = (await change(api, place, "create_agent", displayName="A", reasonIds=[place.reasons["land"]]))["madeIds"]
    assert await count(api, place) == 0
    await change(api, place, "update_agent", agentId=agent, displayName="A", reasonIds=[place.reasons["declare"]])
    assert await count(api, place) == 11
    ranges = [{"weekdays": ["WEDNESDAY"], "startTime": "09:00", "endTime": "10:00"}]
    await change(api, place, "set_agent_presence", agentId=agent, ranges=ranges)
    assert await count(api, place) == 3
    await change(api, place, "set_agent_exception", agentId=agent, onDate="2027-03-03", ranges=[])
    assert await count(api, place) == 0
    await change(api, place, "set_agent_exception", agentId=agent, onDate="2027-03-03")
    assert await count(api, place) == 3
    (absence,) = (await change(api, place, "add_absence", agentId=agent, toTime="09:30", **ABSENT))["madeIds"]
    assert await count(api, place) == 1
    await change(api, place, "remove_absence", absenceId=absence)
    assert await count(api, place) == 3


async def test_who_was_served_by_an_agent_who_leaves_is_served_by_another(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2, agents=2)
    await booked(api, place, TEN)
    ((_, (served_by,)),) = await seats(database)
    done = await change(api, place, "retire_agent", agentId=served_by)
    assert (done["moved"], done["stranded"]) == (1, [])
    ((_, now),) = await seats(database)
    assert now == [next(one for one in place.agents if one != served_by)]
    refused = await change(api, place, "retire_agent", agentId=now[0])
    assert refused["__typename"] == "WouldStrand"


async def test_an_agent_who_falls_ill_on_the_day_itself_is_replaced_with_the_fewest_changes(
    api: Api, database: Database
) -> None:
    place = await add_office(database, counters=3, agents=3)
    for start in ("10:00", "10:00", "11:00"):
        await booked(api, place, f"2027-03-01T{start}:00+01:00")
    before = await seats(database)
    ill = before[0][1][0]
    today = {"agentId": ill, "fromDate": "2027-03-01", "toDate": "2027-03-01"}
    refused = await change(api, place, "add_absence", **today)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "fromDate")
    assert "arrêtés" in refused["message"]
    assert await seats(database) == before
    done = await change(api, place, "add_absence", overFrozenDay=True, **today)
    after = await seats(database)
    theirs = [at for at, (_, agents) in enumerate(before) if ill in agents]
    assert done["stranded"] == []
    assert all(ill not in agents for _, agents in after)
    assert [at for at, seat in enumerate(before) if after[at] != seat] == theirs, "nobody else was touched"


async def test_an_appointment_is_pinned_by_hand_to_a_counter_and_several_agents(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2, agents=3)
    keys = await booked(api, place, TEN)
    wanted = {"counterId": place.counters[1], "agentIds": place.agents[1:]}
    await change(api, place, "assign_appointment", reference=keys["reference"], **wanted)
    assert await seats(database) == [(place.counters[1], place.agents[1:])]
    # Everybody else gives way to it, and it to nobody.
    closed = await change(api, place, "retire_counter", counterId=place.counters[1])
    assert closed["__typename"] == "WouldStrand"
    await change(api, place, "release_appointment", reference=keys["reference"])
    assert (await change(api, place, "retire_counter", counterId=place.counters[1]))["__typename"] == "PlanningChanged"


async def test_who_stood_there_makes_room_for_whom_is_pinned(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2)
    keys = [await booked(api, place, TEN) for _ in range(2)]
    (first, _), (second, _) = await seats(database)
    done = await change(api, place, "assign_appointment", reference=keys[0]["reference"], counterId=second)
    assert done["moved"] == 1
    assert [counter for counter, _ in await seats(database)] == [second, first]


async def test_what_cannot_be_honoured_by_hand_is_not_done(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2, agents=2)
    keys = await booked(api, place, TEN)
    land = [place.reasons["land"]]
    (unskilled,) = await add(database, Agent(office_id=place.office, display_name="C", reason_ids=land))
    before = await rows(database)
    refused = await change(api, place, "assign_appointment", reference=keys["reference"], agentIds=[unskilled])
    assert refused["__typename"] == "WouldStrand"
    assert await rows(database) == before


@pytest.mark.parametrize(
    ("document", "given", "field"),
    [
        ("set_office_reason", {"reasonId": "987654"}, "reasonId"),
        ("set_office_reason", {"durationMinutes": 0}, "durationMinutes"),
        ("set_office_reason", {"bufferMinutes": -1}, "bufferMinutes"),
        ("set_office_reason", {"agentsRequired": 0}, "agentsRequired"),
        ("set_office_reason", {"modalities": []}, "modalities"),
        ("create_agent", {"displayName": ""}, "displayName"),
        ("create_agent", {"displayName": "A", "reasonIds": []}, "reasonIds"),
        ("create_agent", {"displayName": "A", "counterIds": ["987"]}, "counterIds"),
        ("create_agent", {"displayName": "A", "mostMinutesADay": 0}, "mostMinutesADay"),
        ("create_agent", {"displayName": "A", "subject": "taken"}, "subject"),
        ("add_absence", {"fromDate": "2027-03-05", "toDate": "2027-03-04"}, "toDate"),
        ("add_absence", {"fromDate": "2027-03-01", "toDate": "2027-03-04"}, "fromDate"),
        ("set_agent_presence", {"ranges": [{"weekdays": []}]}, "ranges[0].weekdays"),
        ("set_agent_presence", {"ranges": [{"endTime": "08:00"}]}, "ranges[0].endTime"),
        ("set_agent_presence", {"ranges": [{}, {}]}, "ranges[1]"),
        ("set_agent_presence", {"ranges": [{"everyWeeks": 2}]}, "ranges[0].fromDate"),
        ("set_agent_presence", {"ranges": [{"nthOfMonth": [0]}]}, "ranges[0].nthOfMonth"),
        ("set_agent_exception", {"onDate": "2027-03-01", "ranges": []}, "onDate"),
    ],
)
async def test_what_makes_no_sense_is_named_and_changes_nothing(
    api: Api, database: Database, document: str, given: dict[str, Any], field: str
) -> None:
    place = await add_office(database, agents=1)
    await change(api, place, "create_agent", displayName="B", subject="taken")
    if document == "set_office_reason":
        given = {"reasonId": place.reasons["declare"]} | given
    elif document != "create_agent":
        given = {"agentId": place.agents[0]} | given
    if "ranges" in given:
        usual = {"weekdays": ["MONDAY"], "startTime": "09:00", "endTime": "10:00"}
        given = given | {"ranges": [usual | one for one in given["ranges"]]}
    before = await rows(database)
    refused = await change(api, place, document, **given)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
    assert await rows(database) == before


@pytest.mark.parametrize("document", ["update_agent", "retire_agent", "add_absence", "set_agent_presence"])
async def test_an_agent_of_another_office_is_not_found(api: Api, database: Database, document: str) -> None:
    place = await add_office(database)
    other = await add_office(database, code="sip-2", reasons=place.reasons, agents=1)
    given: dict[str, Any] = {
        "update_agent": {"displayName": "A"},
        "retire_agent": {},
        "add_absence": ABSENT,
        "set_agent_presence": {"ranges": []},
    }[document]
    refused = await change(api, place, document, agentId=other.agents[0], **given)
    assert refused["__typename"] == "NotFound"


async def test_an_appointment_of_another_office_cannot_be_assigned(api: Api, database: Database) -> None:
    place = await add_office(database)
    other = await add_office(database, code="sip-2", reasons=place.reasons)
    keys = await booked(api, other, TEN)
    refused = await change(api, place, "assign_appointment", reference=keys["reference"])
    assert refused["__typename"] == "NotFound"
