"""Whoever loses their place is called, and another time is held for them meanwhile."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from rdv.errors import DatabaseUnavailable
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.database import Database
from rdv.usecases import call_backs
from rdv.usecases.services import Services
from tests.api.conftest import Api
from tests.api.query_cases.delegation import accepted
from tests.api.staff import change, head_of, preview
from tests.api.steps import booked, cancel, confirm, hold, move, search
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


CLOSED = {"fromDate": "2027-03-03", "toDate": "2027-03-03"}
WEEK = {"from": "2027-03-01", "to": "2027-03-05"}


async def count(api: Api, place: Place) -> int:
    return int((await search(api, place, **WEEK))["count"])


async def test_who_has_a_place_again_needs_no_other_time(api: Api, database: Database) -> None:
    place = await add_office(database)
    await booked(api, place, TEN)
    before = await count(api, place)
    done = await change(api, place, "add_closure", **CLOSED, acceptStranded=True)
    assert PROPOSED not in await starts(api, place)
    back = {"removeClosure": {"closureId": done["madeIds"][0]}}
    (told,) = (one for one in (await preview(api, place, [back]))["reasons"] if one["reason"]["label"] == "Déclarer")
    again = await change(api, place, "remove_closure", closureId=done["madeIds"][0])
    assert len(again["placedAgain"]) == 1
    assert PROPOSED in await starts(api, place)
    days = {day["date"]: len(day["starts"]) for day in (await search(api, place, **WEEK))["days"]}
    assert {one["date"]: one["after"] for one in told["days"] if one["date"] in days} == days
    assert await count(api, place) == before


async def test_another_time_that_is_held_stands_in_the_way_of_no_change(api: Api, database: Database) -> None:
    place, _keys, _done = await stranded(api, database)
    closed = await change(api, place, "set_exception", onDate="2027-03-02", ranges=[])
    assert (closed["__typename"], closed["stranded"]) == ("PlanningChanged", [])
    await api.work()  # another one takes its place
    listed = await api.data("propose_alternatives", {"input": {"officeId": place.office}}, who=head_of(api, place))
    (waiting,) = listed["proposeAlternatives"]["appointments"]
    assert waiting["proposal"]["start"] == "2027-03-04T09:00:00+01:00"


async def test_a_hold_whose_time_is_closed_is_over(api: Api, database: Database) -> None:
    place = await add_office(database)
    held = await hold(api, place, TEN)
    done = await change(api, place, "add_closure", **CLOSED)
    assert (done["__typename"], done["stranded"]) == ("PlanningChanged", [])
    assert (await confirm(api, held["token"]))["__typename"] == "HoldExpired"


async def test_who_lost_their_place_stands_nowhere(api: Api, database: Database) -> None:
    place, keys, _done = await stranded(api, database, agents=1)
    document = "query($r: String!) { appointment(reference: $r) { counter { id } agents { id } } }"
    seen = await api.data(document, {"r": keys["reference"]}, who=head_of(api, place))
    assert seen["appointment"] == {"counter": None, "agents": []}


async def test_of_many_who_lose_their_place_the_first_are_helped_at_once_and_a_worker_goes_on(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_backs.help_stranded, "__kwdefaults__", {"at_most": 1})
    place = await add_office(database, max_appointments_per_usager=9)
    for hour in ("09", "10", "11"):
        await booked(api, place, f"2027-03-03T{hour}:00:00+01:00")
    done = await change(api, place, "add_closure", **CLOSED, acceptStranded=True)
    assert [one["proposal"] is None for one in done["stranded"]] == [False, True, True]
    await api.work()
    listed = await api.data("propose_alternatives", {"input": {"officeId": place.office}}, who=head_of(api, place))
    assert [one["proposal"] is None for one in listed["proposeAlternatives"]["appointments"]] == [False] * 3


async def test_what_goes_wrong_after_a_change_that_stands_does_not_make_it_fail(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(call_backs, "hold_other_times", broken)
        place, _keys, done = await stranded(api, database)
    assert (done["__typename"], [one["proposal"] for one in done["stranded"]]) == ("PlanningChanged", [None])
    await api.work()
    assert PROPOSED not in await starts(api, place)


async def three_for_a_worker(api: Api, database: Database, monkeypatch: pytest.MonkeyPatch) -> tuple[Place, list[int]]:
    """Strand three whom nobody has helped yet."""
    monkeypatch.setattr(call_backs.help_stranded, "__kwdefaults__", {"at_most": 0})
    place = await add_office(database, max_appointments_per_usager=9)
    for hour in ("09", "10", "11"):
        await booked(api, place, f"2027-03-03T{hour}:00:00+01:00")
    await change(api, place, "add_closure", **CLOSED, acceptStranded=True)
    async with database.reading() as connection:
        found = await connection.execute(
            text("select id from appointment where stranded_since is not null order by starts_at")
        )
        return place, list(found.scalars())


def failing_for(monkeypatch: pytest.MonkeyPatch, appointment: int, *, times: int) -> None:
    """Have the search for another time fail for one, so often."""
    nearest, left = call_backs._nearest, times

    async def broken(services: Services, record: AppointmentRecord, now: datetime) -> datetime | None:
        nonlocal left
        if record.id == appointment and left:
            left -= 1
            raise RuntimeError
        return await nearest(services, record, now)

    monkeypatch.setattr(call_backs, "_nearest", broken)


async def jobs_of(database: Database) -> list[tuple[str, int]]:
    asked = "select status::text, attempts from procrastinate_jobs where task_name = 'help_stranded'"
    async with database.reading() as connection:
        return [(status, attempts) for status, attempts in await connection.execute(text(asked))]


async def proposed(api: Api, place: Place) -> list[bool]:
    wanted = {"input": {"officeId": place.office}}
    listed = (await api.data("propose_alternatives", wanted, who=head_of(api, place)))["proposeAlternatives"]
    return [one["proposal"] is not None for one in listed["appointments"]]


async def test_one_for_whom_the_search_fails_keeps_no_other_from_being_helped_and_is_named(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place, waiting = await three_for_a_worker(api, database, monkeypatch)
    with monkeypatch.context() as patched:
        failing_for(patched, waiting[0], times=2)
        await api.work()
        assert await jobs_of(database) == [("failed", 1)]
        logged = [one.getMessage() for one in caplog.records if one.name == "rdv.callbacks"]
        assert logged == [f"no other time is held for appointment {waiting[0]} at office {place.office}"]
        assert await proposed(api, place) == [False, True, True], "who asks for the list gets it all the same"
    assert await proposed(api, place) == [True, True, True]


async def test_a_job_of_help_from_which_the_database_went_away_is_done_again(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, waiting = await three_for_a_worker(api, database, monkeypatch)
    failing_for(monkeypatch, waiting[0], times=1)

    async def away(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(Database, "check", away)
    await api.work()
    assert await jobs_of(database) == []
    assert await proposed(api, place) == [True, True, True]


async def test_a_hold_gives_way_to_a_booking(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2)
    held = await hold(api, place, TEN)
    await booked(api, place, TEN)
    done = await change(api, place, "retire_counter", counterId=place.counters[0])
    assert (done["__typename"], done["stranded"]) == ("PlanningChanged", [])
    assert (await confirm(api, held["token"]))["__typename"] == "HoldExpired"


async def test_what_is_held_for_who_has_a_place_again_strands_nobody(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2)
    for _ in range(2):
        await booked(api, place, TEN)
    done = await change(api, place, "add_closure", **CLOSED, acceptStranded=True)
    assert [one["proposal"]["start"] for one in done["stranded"]] == [PROPOSED] * 2
    await cancel(api, {"reference": done["stranded"][0]["reference"]}, who=head_of(api, place))
    await booked(api, place, PROPOSED)
    both = [{"removeClosure": {"closureId": done["madeIds"][0]}}, {"retireCounter": {"counterId": place.counters[0]}}]
    found = await preview(api, place, both)
    assert found["stranded"] == []
    made = await change(api, place, "publish_planning", changes=both)
    assert (made["__typename"], made["stranded"], len(made["placedAgain"])) == ("PlanningChanged", [], 1)
    before = {one["date"]: one["after"] for one in found["reasons"][0]["days"]}
    days = {day["date"]: len(day["starts"]) for day in (await search(api, place, **WEEK))["days"]}
    assert {day: count for day, count in before.items() if day in days} == days


async def test_a_worker_helps_nobody_who_has_their_place_again(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_backs.help_stranded, "__kwdefaults__", {"at_most": 0})
    place, _keys, done = await stranded(api, database)
    nearest = call_backs._nearest

    async def slowly(*given: Any) -> Any:
        found = await nearest(*given)
        await change(api, place, "remove_closure", closureId=done["madeIds"][0])
        return found

    before = await starts(api, place)
    monkeypatch.setattr(call_backs, "_nearest", slowly)
    await api.work()
    assert await starts(api, place) == before


async def test_another_time_is_one_to_which_an_appointment_that_was_given_away_can_be_moved(
    api: Api, database: Database
) -> None:
    place = await add_office(database)
    other, _ = await accepted(api, place, untilDate="2027-03-03")
    held = await hold(api, other, TEN, delegatedBy=place.office)
    await confirm(api, held["token"])
    await change(api, other, "set_exception", who="other", onDate="2027-03-02", ranges=[])
    done = await change(api, other, "add_closure", who="other", **CLOSED, acceptStranded=True)
    assert done["stranded"][0]["proposal"]["start"] == "2027-03-01T11:30:00+01:00"
