"""What every change of an office has in common: all or nothing, nobody stranded silently, a history."""

from typing import Any

import pytest
from sqlalchemy import text

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models.database import Database
from tests.api.conftest import Api
from tests.api.staff import change, head_of
from tests.api.steps import booked, hold, search
from tests.places import Place, add_office

WEDNESDAY = {"from": "2027-03-03", "to": "2027-03-03"}
TEN = "2027-03-03T10:00:00+01:00"
OF_OFFICE = ("counter", "opening", "day_exception", "closure", "appointment", "office", "office_revision")


async def rows(database: Database) -> list[Any]:
    """Return everything a change may touch."""
    async with database.reading() as connection:
        return [
            (await connection.execute(text(f"select t::text from {name} t order by 1"))).all() for name in OF_OFFICE
        ]


async def test_whoever_would_lose_their_place_is_named_first_and_nothing_changes(api: Api, database: Database) -> None:
    place = await add_office(database)
    keys = await booked(api, place, TEN)
    before = await rows(database)
    refused = await change(api, place, "retire_counter", counterId=place.counters[0])
    assert (refused["__typename"], refused["code"], refused["count"]) == ("WouldStrand", "WOULD_STRAND", 1)
    assert [one["reference"] for one in refused["appointments"]] == [keys["reference"]]
    assert await rows(database) == before


async def test_with_an_explicit_word_the_change_is_made_and_lists_whom_to_call(api: Api, database: Database) -> None:
    place = await add_office(database)
    keys = await booked(api, place, TEN)
    done = await change(api, place, "retire_counter", counterId=place.counters[0], acceptStranded=True)
    assert done["office"]["counters"] == []
    assert [(one["reference"], one["start"]) for one in done["stranded"]] == [(keys["reference"], TEN)]


async def test_who_can_move_to_another_counter_is_moved_and_not_stranded(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2)
    await booked(api, place, TEN)
    async with database.reading() as connection:
        stands = (await connection.execute(text("select counter_id from appointment"))).scalar_one()
    done = await change(api, place, "retire_counter", counterId=stands)
    assert (done["__typename"], done["moved"], done["stranded"]) == ("PlanningChanged", 1, [])
    async with database.reading() as connection:
        now = (await connection.execute(text("select counter_id from appointment"))).scalar_one()
    assert now in set(place.counters) - {stands}


async def test_who_is_stranded_takes_no_room_and_gets_a_place_again_when_there_is_one(
    api: Api, database: Database
) -> None:
    place = await add_office(database)
    keys = await booked(api, place, TEN)
    closure = {"fromDate": "2027-03-03", "toDate": "2027-03-03"}
    (made,) = (await change(api, place, "add_closure", acceptStranded=True, **closure))["madeIds"]
    assert (await search(api, place, **WEDNESDAY))["count"] == 0
    done = await change(api, place, "remove_closure", closureId=made)
    assert [one["reference"] for one in done["placedAgain"]] == [keys["reference"]]
    (day,) = (await search(api, place, **WEDNESDAY))["days"]
    assert TEN not in day["starts"], "it stands there again"


async def test_a_time_left_by_who_is_stranded_can_be_booked_by_another(api: Api, database: Database) -> None:
    place = await add_office(database)
    await booked(api, place, TEN)
    land = [place.reasons["land"]]
    await change(
        api, place, "update_counter", counterId=place.counters[0], label="G", reasonIds=land, acceptStranded=True
    )
    assert (await hold(api, place, TEN, "survey"))["__typename"] == "Hold"


async def test_who_left_their_place_to_another_gets_a_place_elsewhere(api: Api, database: Database) -> None:
    place = await add_office(database)
    keys = await booked(api, place, TEN)
    land = [place.reasons["land"]]
    await change(
        api, place, "update_counter", counterId=place.counters[0], label="G", reasonIds=land, acceptStranded=True
    )
    assert (await hold(api, place, TEN, "survey"))["__typename"] == "Hold"
    done = await change(api, place, "create_counter", label="B")
    assert [one["reference"] for one in done["placedAgain"]] == [keys["reference"]]


async def test_what_is_booked_meanwhile_is_not_stranded_silently_either(api: Api, database: Database) -> None:
    place = await add_office(database)
    seen = (await change(api, place, "create_counter", label="B", channels=["OFFICE"]))["version"]
    await booked(api, place, TEN)
    refused = await change(api, place, "retire_counter", counterId=place.counters[0], version=seen)
    assert refused["__typename"] == "WouldStrand"


async def test_an_office_that_was_changed_since_it_was_seen_is_not_changed(api: Api, database: Database) -> None:
    place = await add_office(database)
    seen = (await change(api, place, "create_counter", label="B"))["version"]
    now = (await change(api, place, "create_counter", label="C", version=seen))["version"]
    before = await rows(database)
    refused = await change(api, place, "create_counter", label="D", version=seen)
    assert (refused["__typename"], refused["version"]) == ("VersionConflict", now)
    assert await rows(database) == before


async def test_a_repeated_change_is_made_once(api: Api, database: Database) -> None:
    place = await add_office(database)
    given = {"label": "B", "idempotencyKey": "k-1"}
    first = await change(api, place, "create_counter", **given)
    assert await change(api, place, "create_counter", **given) == first
    other = await change(api, place, "create_counter", **given | {"label": "C"})
    assert other["__typename"] == "IdempotencyConflict"


async def test_a_repeated_change_that_names_its_version_gives_the_same_answer(api: Api, database: Database) -> None:
    place = await add_office(database)
    read = await api.data("organisation", {"officeId": place.office}, who=head_of(api, place))
    given = {"label": "B", "version": read["organisation"]["version"], "idempotencyKey": "k-2"}
    first = await change(api, place, "create_counter", **given)
    assert (first["__typename"], await change(api, place, "create_counter", **given)) == ("PlanningChanged", first)
    other = await change(api, place, "create_counter", **given | {"idempotencyKey": "k-3"})
    assert other["__typename"] == "VersionConflict"


async def test_of_several_changes_all_are_made_or_none(api: Api, database: Database) -> None:
    place = await add_office(database)
    before = await rows(database)
    changes = [{"createCounter": {"label": "B"}}, {"createCounter": {"label": "C", "reasonIds": []}}]
    refused = await change(api, place, "publish_planning", changes=changes)
    assert (refused["code"], refused["field"]) == ("INVALID_INPUT", "changes[1].createCounter.reasonIds")
    assert await rows(database) == before


@pytest.mark.parametrize(
    ("document", "given", "field"),
    [
        ("create_counter", {"label": "  "}, "label"),
        ("create_counter", {"label": "x" * 101}, "label"),
        ("create_counter", {"label": "B", "reasonIds": []}, "reasonIds"),
        ("create_counter", {"label": "B", "reasonIds": ["987654"]}, "reasonIds"),
        ("create_counter", {"label": "B", "channels": []}, "channels"),
        ("create_counter", {"label": "B", "modalities": []}, "modalities"),
        ("add_closure", {"fromDate": "2027-03-05", "toDate": "2027-03-04"}, "toDate"),
        (
            "add_closure",
            {"fromDate": "2027-03-05", "toDate": "2027-03-05", "fromTime": "10:00", "toTime": "10:00"},
            "toTime",
        ),
        ("add_closure", {"fromDate": "2027-03-05", "toDate": "9999-03-05"}, "toDate"),
        ("add_closure", {"fromDate": "2027-03-05", "toDate": "2027-03-05", "counterIds": []}, "counterIds"),
        ("add_closure", {"fromDate": "2027-03-05", "toDate": "2027-03-05", "counterIds": ["9"]}, "counterIds"),
        ("add_closure", {"fromDate": "2027-03-01", "toDate": "2027-03-05"}, "fromDate"),
    ],
)
async def test_what_is_not_acceptable_is_named_and_changes_nothing(
    api: Api, database: Database, document: str, given: dict[str, Any], field: str
) -> None:
    place = await add_office(database)
    before = await rows(database)
    refused = await change(api, place, document, **given)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
    assert await rows(database) == before


async def test_a_counter_of_another_office_is_not_found(api: Api, database: Database) -> None:
    place = await add_office(database)
    other = await add_office(database, code="sip-2", reasons=place.reasons)
    before = await rows(database)
    refused = await change(api, place, "retire_counter", counterId=other.counters[0])
    assert refused["__typename"] == "NotFound"
    assert await rows(database) == before


@pytest.mark.parametrize(
    "viewer",
    [
        Viewer(),
        Viewer(kind=ViewerKind.USAGER, subject="u"),
        Viewer(
            kind=ViewerKind.AGENT,
            subject="a",
            profile=Profile.LOCAL,
            scope=Scope.OWN,
            offices=frozenset({"sip-75101-01"}),
        ),
        Viewer(kind=ViewerKind.AGENT, subject="a", profile=Profile.NATIONAL, scope=Scope.NATIONAL),
        Viewer(
            kind=ViewerKind.ADMINISTRATOR, subject="a", profile=Profile.LOCAL, scope=Scope.OWN, offices=frozenset({"x"})
        ),
        Viewer(
            kind=ViewerKind.ADMINISTRATOR, subject="a", profile=Profile.LOCAL, scope=Scope.DEPARTEMENT, departement="13"
        ),
    ],
)
async def test_who_may_not_organise_the_office_changes_nothing(api: Api, database: Database, viewer: Viewer) -> None:
    place = await add_office(database)
    api.viewers.known["somebody"] = viewer
    before = await rows(database)
    for document, given in (("create_counter", {"label": "B"}), ("publish_planning", {"changes": []})):
        refused = await change(api, place, document, who="somebody", **given)
        assert refused["__typename"] == "NotAllowed"
    assert await rows(database) == before


async def test_on_a_settled_day_who_stands_at_a_closed_counter_moves_only_when_that_was_asked_for(
    api: Api, database: Database
) -> None:
    place = await add_office(database, counters=2)
    await booked(api, place, "2027-03-01T10:00:00+01:00")
    async with database.reading() as connection:
        stands = (await connection.execute(text("select counter_id from appointment"))).scalar_one()
    closure = {"fromDate": "2027-03-01", "toDate": "2027-03-01", "counterIds": [stands]}
    assert (await change(api, place, "add_closure", **closure))["field"] == "fromDate"
    done = await change(api, place, "add_closure", overFrozenDay=True, **closure)
    assert (done["moved"], done["stranded"]) == (1, [])


async def hold_over_beside_a_booking(api: Api, database: Database) -> tuple[Place, int]:
    """Return an office with a hold that is over and a booking at one time, and the booking's counter."""
    place = await add_office(database, counters=2)
    await hold(api, place, TEN)
    await booked(api, place, TEN)
    api.clock.forward(hours=1)
    async with database.reading() as connection:
        stands = await connection.execute(text("select counter_id from appointment where status = 'BOOKED'"))
        return place, int(stands.scalar_one())


async def test_the_seat_of_a_hold_that_is_over_is_there_for_who_has_to_move(api: Api, database: Database) -> None:
    place, counter = await hold_over_beside_a_booking(api, database)
    done = await change(api, place, "retire_counter", counterId=counter)
    assert (done["moved"], done["stranded"]) == (1, [])
