"""Whoever loses their place is called, and another time is held for them meanwhile."""

import asyncio
from typing import Any

from rdv.models.database import Database
from tests.api.conftest import Api
from tests.api.staff import change, head_of
from tests.api.steps import booked, cancel, hold, move, search
from tests.places import Place, add_office

TEN = "2027-03-03T10:00:00+01:00"
TUESDAY = {"from": "2027-03-02", "to": "2027-03-02"}
PROPOSED = "2027-03-02T11:30:00+01:00"


async def stranded(api: Api, database: Database, **columns: Any) -> tuple[Place, dict[str, str], dict[str, Any]]:
    place = await add_office(database, **columns)
    keys = await booked(api, place, TEN)
    done = await change(api, place, "add_closure", fromDate="2027-03-03", toDate="2027-03-03", acceptStranded=True)
    return place, keys, done


async def starts(api: Api, place: Place) -> list[str]:
    days = (await search(api, place, **TUESDAY))["days"]
    return [start for day in days for start in day["starts"]]


async def test_the_nearest_other_time_is_held_for_whom_a_change_strands(api: Api, database: Database) -> None:
    place, _keys, done = await stranded(api, database)
    assert [one["proposal"] for one in done["stranded"]] == [
        {"start": PROPOSED, "end": "2027-03-02T12:00:00+01:00", "expiresAt": "2027-03-02T11:30:00+01:00"}
    ]
    assert PROPOSED not in await starts(api, place)
    assert (await hold(api, place, PROPOSED))["__typename"] == "SlotTaken"


async def test_a_proposal_is_held_as_long_as_the_office_says(api: Api, database: Database) -> None:
    place, _keys, done = await stranded(api, database, proposal_hold_hours=2)
    assert done["stranded"][0]["proposal"]["expiresAt"] == "2027-03-01T10:00:00+01:00"
    api.clock.forward(hours=2)
    assert PROPOSED in await starts(api, place)


async def test_the_usager_sees_the_proposal_and_takes_it_by_moving_to_its_start(api: Api, database: Database) -> None:
    place, keys, _done = await stranded(api, database)
    mine = "query($r: String!, $c: String!) { appointment(reference: $r, accessCode: $c) { proposal { start } } }"
    seen = await api.data(mine, {"r": keys["reference"], "c": keys["accessCode"]})
    assert seen["appointment"]["proposal"]["start"] == PROPOSED
    moved = await move(api, keys, PROPOSED)
    assert moved["appointment"]["start"] == PROPOSED
    again = await api.data("propose_alternatives", {"input": {"officeId": place.office}}, who=head_of(api, place))
    assert again["proposeAlternatives"]["appointments"] == []


async def test_moving_elsewhere_or_cancelling_gives_the_proposal_back(api: Api, database: Database) -> None:
    place, keys, _done = await stranded(api, database)
    await move(api, keys, "2027-03-04T10:00:00+01:00")
    assert PROPOSED in await starts(api, place)
    other, keys, _done = await stranded(api, database, code="sip-2", reasons=place.reasons)
    assert PROPOSED not in await starts(api, other)
    await cancel(api, keys)
    assert PROPOSED in await starts(api, other)


async def test_who_has_a_proposal_gets_no_second_one(api: Api, database: Database) -> None:
    place, _keys, _done = await stranded(api, database)
    before = await starts(api, place)
    wanted = {"input": {"officeId": place.office}}
    who = head_of(api, place)
    answers = await asyncio.gather(*(api.data("propose_alternatives", wanted, who=who) for _ in range(3)))
    assert {len(one["proposeAlternatives"]["appointments"]) for one in answers} == {1}
    assert await starts(api, place) == before


async def test_without_another_time_near_there_is_nothing_to_propose_but_still_somebody_to_call(
    api: Api, database: Database
) -> None:
    place = await add_office(database)
    await booked(api, place, TEN)
    done = await change(api, place, "retire_counter", counterId=place.counters[0], acceptStranded=True)
    assert [one["proposal"] for one in done["stranded"]] == [None]
    wanted = {"input": {"officeId": place.office}}
    listed = (await api.data("propose_alternatives", wanted, who=head_of(api, place)))["proposeAlternatives"]
    assert [one["proposal"] for one in listed["appointments"]] == [None]


async def test_only_who_manages_appointments_of_the_office_learns_whom_to_call(api: Api, database: Database) -> None:
    place, _keys, _done = await stranded(api, database)
    other = await add_office(database, code="sip-2", reasons=place.reasons)
    wanted = {"input": {"officeId": place.office}}
    refused = (await api.data("propose_alternatives", wanted, who=head_of(api, other, "other")))["proposeAlternatives"]
    assert refused["__typename"] == "NotAllowed"
