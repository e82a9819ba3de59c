"""Delegations: an office hands reasons to another; usagers are told where to go, and nothing goes round in circles."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from rdv.models.database import Database
from tests.api.conftest import Api
from tests.api.query_cases.delegation import DAYS, accepted, proposed
from tests.api.staff import change, head_of
from tests.api.steps import CAMILLE, booked, confirm, hold, move, search
from tests.places import Place, add_commune, add_office

DAY = "2027-03-03"
ON = {"from": DAY, "to": DAY}
TEN = f"{DAY}T10:00:00+01:00"
WHY = "query($input: SlotsInput!) { slots(input: $input) { count why { code starts detail } } }"


async def elsewhere(api: Api, place: Place, reason: str = "declare", who: str | None = None, **more: Any) -> Any:
    wanted = {"officeId": place.office, "reasonId": place.reasons[reason]} | ON | more
    return (await api.data("search_slots_elsewhere", {"input": wanted}, who=who))["slots"]


async def on_behalf(api: Api, place: Place, other: Place, start: str = TEN, who: str | None = None) -> dict[str, str]:
    """Book at the other office for the one that delegates to it."""
    held = await hold(api, other, start, who=who, delegatedBy=place.office)
    assert held["__typename"] == "Hold", held
    made = await confirm(api, held["token"], who=who)
    return {"reference": made["appointment"]["reference"], "accessCode": made["accessCode"]}


async def test_a_proposal_changes_nothing_until_it_is_accepted(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, identity, _ = await proposed(api, place)
    found = await elsewhere(api, place)
    assert (found["count"], found["elsewhere"]) == (11, [])
    await change(api, other, "accept_delegation", who="other", delegationId=identity)
    found = await elsewhere(api, place)
    assert found["count"] == 0
    (there,) = found["elsewhere"]
    assert (there["office"]["id"], there["delegatedBy"]["id"]) == (str(other.office), str(place.office))
    assert there["first"] == {
        "start": f"{DAY}T09:00:00+01:00",
        "end": f"{DAY}T09:30:00+01:00",
        "remaining": 2,
    }


async def test_other_reasons_days_and_channels_stay_at_the_office(api: Api, database: Database) -> None:
    place = await add_office(database)
    await accepted(api, place, channels=["INTERNET"], untilDate="2027-03-03")
    assert (await elsewhere(api, place, "survey"))["elsewhere"] == []
    later = await elsewhere(api, place, **{"from": "2027-03-03", "to": "2027-03-04"})
    assert [day["date"] for day in later["days"]] == ["2027-03-04"]
    assert [day["date"] for day in later["elsewhere"][0]["days"]] == [DAY]
    inside = await elsewhere(api, place, who="head")
    assert (inside["count"], inside["elsewhere"]) == (11, [])


async def test_what_is_received_elsewhere_is_explained_and_counted(api: Api, database: Database) -> None:
    place = await add_office(database)
    await accepted(api, place)
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"]} | ON
    found = (await api.data(WHY, {"input": wanted}))["slots"]
    (why,) = (one for one in found["why"] if one["code"] == "DELEGATED")
    assert (why["starts"], sum(one["starts"] for one in found["why"])) == (11, 12)
    assert why["detail"] == ("11 créneaux retirés : un autre service reçoit ce jour-là pour « Déclarer »")


async def test_a_booking_on_behalf_of_an_office_is_seen_by_both(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, _ = await accepted(api, place)
    keys = await on_behalf(api, place, other)
    seen = (await api.data("appointment", keys))["appointment"]
    assert seen["delegatedBy"] == {"name": "SIP sip-75101-01"}
    third = await add_office(database, code="sip-75101-08", reasons=place.reasons)
    head_of(api, third, "third")
    for who, shown in (("head", True), ("other", True), ("third", False)):
        found = await api.data("appointment", {"reference": keys["reference"]}, who=who)
        assert (found["appointment"] is not None) is shown, who
    document = (
        "query($r: String!) { appointment(reference: $r) { counter { label } usager { appointments { totalCount } } } }"
    )
    for who in ("head", "other"):
        found = (await api.data(document, {"r": keys["reference"]}, who=who))["appointment"]
        assert found == {"counter": {"label": "Guichet 1"}, "usager": {"appointments": {"totalCount": 1}}}


async def test_staff_of_the_office_may_book_and_move_where_it_delegates_to(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, _ = await accepted(api, place, channels=None)
    refused = await hold(api, other, TEN, who="head")
    assert refused["__typename"] == "NotAllowed"
    keys = await on_behalf(api, place, other, who="head")
    moved = await move(api, {"reference": keys["reference"]}, f"{DAY}T11:00:00+01:00", who="head")
    assert moved["appointment"]["start"] == f"{DAY}T11:00:00+01:00"


async def test_an_office_takes_no_bookings_itself_for_what_it_has_delegated(api: Api, database: Database) -> None:
    place = await add_office(database)
    await accepted(api, place)
    refused = await hold(api, place, TEN)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "officeId")


async def test_nobody_books_on_behalf_of_an_office_that_has_not_delegated(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, _ = await accepted(api, place, untilDate=DAY)
    for start, reason in ((f"{DAY}T10:00:00+01:00", "survey"), ("2027-03-04T10:00:00+01:00", "declare")):
        refused = await hold(api, other, start, reason, delegatedBy=place.office)
        assert (refused["__typename"], refused["field"]) == ("InvalidInput", "delegatedBy")
    refused = await hold(api, other, TEN, delegatedBy=other.office)
    assert refused["field"] == "delegatedBy"
    async with database.reading() as connection:
        assert (await connection.execute(text("select count(*) from appointment"))).scalar() == 0


async def test_of_a_share_both_offer_and_the_other_no_more_than_that(api: Api, database: Database) -> None:
    place = await add_office(database, max_appointments_per_usager=10)
    other, _ = await accepted(api, place, sharePercent=50)
    found = await elsewhere(api, place)
    assert (found["count"], found["elsewhere"][0]["count"]) == (11, 11)
    await on_behalf(api, place, other)
    # One of one is given away; of the next two at most one may be.
    assert (await elsewhere(api, place))["elsewhere"] == []
    refused = await hold(api, other, f"{DAY}T11:00:00+01:00", delegatedBy=place.office)
    assert refused["__typename"] == "SlotTaken"
    await confirm(api, (await hold(api, place, TEN))["token"], usager=CAMILLE | {"email": "ada@example.org"})
    assert (await elsewhere(api, place))["elsewhere"][0]["count"] > 0
    assert (await hold(api, other, f"{DAY}T11:00:00+01:00", delegatedBy=place.office))["__typename"] == "Hold"


async def test_alternatives_on_behalf_of_an_office_are_those_it_may_still_give_away(
    api: Api, database: Database
) -> None:
    place = await add_office(database, max_appointments_per_usager=10)
    other, _ = await accepted(api, place, sharePercent=50, untilDate="2027-03-04")
    await on_behalf(api, place, other)
    refused = await hold(api, other, f"{DAY}T11:00:00+01:00", delegatedBy=place.office)
    assert refused["__typename"] == "SlotTaken"
    days = {one["start"][:10] for one in refused["alternatives"]}
    assert days <= {"2027-03-01", "2027-03-02", "2027-03-04"}
    assert days


async def test_who_was_given_away_moves_within_the_delegation_and_who_was_not_within_the_office(
    api: Api, database: Database
) -> None:
    place = await add_office(database)
    mine = await booked(api, place, TEN)
    other, _ = await accepted(api, place, untilDate=DAY)
    keys = await on_behalf(api, place, other, f"{DAY}T11:00:00+01:00")
    beyond = await move(api, keys, "2027-03-11T10:00:00+01:00")
    assert (beyond["__typename"], beyond["field"]) == ("InvalidInput", "start")
    to_move = {"officeId": other.office, "reasonId": place.reasons["declare"], "from": "2027-03-01", "to": "2027-03-11"}
    offered = (await api.data("search_slots_to_move", to_move | keys))["slots"]["days"]
    assert [day["date"] for day in offered] == ["2027-03-01", "2027-03-02", DAY]
    within = await move(api, keys, "2027-03-02T10:00:00+01:00")
    assert within["__typename"] == "AppointmentConfirmed"
    later = await move(api, mine, f"{DAY}T10:30:00+01:00")
    assert later["__typename"] == "AppointmentConfirmed"


async def test_a_search_far_beyond_a_delegation_is_answered(api: Api, database: Database) -> None:
    place = await add_office(database)
    await accepted(api, place, fromDate="2028-03-01", untilDate="2028-03-31")
    found = await elsewhere(api, place, **{"from": "2027-07-01", "to": "2027-07-05"})
    assert found["elsewhere"] == []


async def test_what_came_of_a_delegation_is_not_counted_for_another(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, first, _ = await proposed(api, place)
    await change(api, other, "refuse_delegation", who="other", delegationId=first)
    again = {"toOfficeId": other.office, "reasonId": place.reasons["income"]} | DAYS
    made = await change(api, place, "propose_delegation", **again)
    await change(api, other, "accept_delegation", who="other", delegationId=made["madeIds"][0])
    await on_behalf(api, place, other)
    found = (await api.data("delegations", {"officeId": place.office}, who="head"))["delegations"]
    assert {one["status"]: one["appointments"] for one in found} == {
        "ACCEPTED": [{"status": "BOOKED", "count": 1}],
        "REFUSED": [],
    }


async def test_bookings_on_behalf_and_changes_of_delegations_never_wait_in_a_circle(
    api: Api, database: Database
) -> None:
    place = await add_office(database, max_appointments_per_usager=100)
    other, identity = await accepted(api, place)
    starts = [f"2027-03-0{day}T{time}:00+01:00" for day in (3, 4) for time in ("09:00", "09:30", "10:00", "10:30")]
    ends = [f"2027-03-{day}" for day in range(30, 20, -1)]
    who = ["head", "other"] * 5
    documents = [
        change(
            api, place if name == "head" else other, "end_delegation", who=name, delegationId=identity, untilDate=day
        )
        for name, day in zip(who, ends, strict=True)
    ]
    holds = [hold(api, other, start, delegatedBy=place.office) for start in starts]
    answers = await asyncio.gather(*documents, *holds)
    assert {one["__typename"] for one in answers} <= {
        "PlanningChanged",
        "InvalidInput",
        "Hold",
        "SlotTaken",
        "VersionConflict",
    }
    assert [one["__typename"] for one in answers[10:]].count("Hold") == len(starts)


async def test_ending_it_keeps_the_appointments_that_were_made(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, identity = await accepted(api, place)
    keys = await on_behalf(api, place, other)
    await change(api, other, "end_delegation", who="other", delegationId=identity)
    assert (await search(api, place, **ON))["count"] == 11
    assert (await api.data("appointment", keys))["appointment"]["status"] == "BOOKED"
    for who, office in (("head", place), ("other", other)):
        (one,) = (await api.data("delegations", {"officeId": office.office}, who=who))["delegations"]
        assert (one["status"], one["appointments"]) == ("ENDED", [{"status": "BOOKED", "count": 1}])


async def test_it_may_end_on_a_day(api: Api, database: Database) -> None:
    place = await add_office(database)
    _, identity = await accepted(api, place)
    for day in ("2027-02-28", "2027-04-01"):
        refused = await change(api, place, "end_delegation", delegationId=identity, untilDate=day)
        assert refused["field"] == "untilDate"
    await change(api, place, "end_delegation", delegationId=identity, untilDate="2027-03-02")
    assert (await search(api, place, **ON))["count"] == 11
    assert (await search(api, place, **{"from": "2027-03-02", "to": "2027-03-02"}))["count"] == 0


async def test_the_earliest_slot_of_an_office_is_that_of_who_receives_for_it(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, _ = await accepted(api, place)
    await add_commune(database, "75101", "Paris", ["75001"], place.office)
    wanted = {"reasonId": place.reasons["declare"], "officeIds": [place.office]}
    (found,) = (await api.data("earliest_slots", {"input": wanted}))["earliestSlots"]
    assert (found["office"]["id"], found["delegatedBy"]["id"]) == (str(other.office), str(place.office))
    wanted = {"reasonId": place.reasons["declare"], "communeCode": "75101"}
    first = (await api.data("orientation", {"input": wanted}))["orientation"]["offices"][0]
    assert (first["office"]["id"], first["firstSlotAt"]["id"]) == (str(place.office), str(other.office))


async def test_a_delegation_that_is_over_stands_in_the_way_of_none_that_holds(api: Api, database: Database) -> None:
    place = await add_office(database)
    await accepted(api, place, untilDate="2027-03-10")
    api.clock.forward(days=15)
    third = await add_office(database, code="sip-75101-03", reasons=place.reasons)
    given = {"toOfficeId": third.office, "reasonId": place.reasons["income"], "fromDate": "2027-03-16"}
    made = await change(api, place, "propose_delegation", **given)
    head_of(api, third, "third")
    await change(api, third, "accept_delegation", who="third", delegationId=made["madeIds"][0])
    wanted = {"reasonId": place.reasons["declare"], "officeIds": [place.office]}
    (found,) = (await api.data("earliest_slots", {"input": wanted}))["earliestSlots"]
    assert found["office"]["id"] == str(third.office)


async def test_a_hold_that_came_to_nothing_is_none_of_what_a_delegation_brought(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, _ = await accepted(api, place)
    await hold(api, other, TEN, delegatedBy=place.office)
    api.clock.forward(hours=1)
    await hold(api, other, f"{DAY}T11:00:00+01:00")  # frees the day of what is over
    (one,) = (await api.data("delegations", {"officeId": place.office}, who="head"))["delegations"]
    assert one["appointments"] == []


async def test_what_is_delegated_is_not_delegated_twice_or_on_or_back(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, _ = await accepted(api, place)
    third = await add_office(database, code="sip-75101-08", reasons=place.reasons)
    leaf = {"reasonId": place.reasons["declare"]} | DAYS
    cases = [
        (place, "head", third),  # twice, though only a part of it
        (other, "other", third),  # on
        (other, "other", place),  # back
        (third, "third", place),  # to one that has delegated it
    ]
    head_of(api, third, "third")
    for office, who, to in cases:
        refused = await change(api, office, "propose_delegation", who=who, toOfficeId=to.office, **leaf)
        assert (refused["__typename"], refused["field"]) == ("InvalidInput", "reasonId"), (office.code, to.code)
    apart = {"reasonId": place.reasons["declare"], "fromDate": "2027-04-01"}
    done = await change(api, other, "propose_delegation", who="other", toOfficeId=third.office, **apart)
    assert done["__typename"] == "PlanningChanged", "at another time it may be"


async def test_two_proposals_that_would_make_a_loop_do_not_both_come_true(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, _, _ = await proposed(api, place)
    back = {"toOfficeId": place.office, "reasonId": place.reasons["income"]} | DAYS
    refused = await change(api, other, "propose_delegation", who="other", **back)
    assert refused["field"] == "reasonId"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"toOfficeId": "1"}, "toOfficeId"),
        ({"sharePercent": 0}, "sharePercent"),
        ({"sharePercent": 101}, "sharePercent"),
        ({"channels": []}, "channels"),
        ({"fromDate": "2027-02-28"}, "fromDate"),
        ({"untilDate": "2027-02-28"}, "untilDate"),
        ({"reasonId": "7"}, "reasonId"),
    ],
)
async def test_a_proposal_that_makes_no_sense_is_refused_and_leaves_nothing(
    api: Api, database: Database, wrong: dict[str, Any], field: str
) -> None:
    place = await add_office(database)
    refused = (await proposed(api, place, **wrong))[2]
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
    async with database.reading() as connection:
        assert (await connection.execute(text("select count(*) from delegation"))).scalar() == 0


async def test_the_other_office_must_serve_the_reasons_itself(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, identity, _ = await proposed(api, place)
    await change(api, other, "set_office_reason", who="other", reasonId=place.reasons["declare"], served=False)
    refused = await change(api, other, "accept_delegation", who="other", delegationId=identity)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "delegationId")


async def test_only_the_office_that_was_asked_answers_and_only_once(api: Api, database: Database) -> None:
    place = await add_office(database)
    other, identity, _ = await proposed(api, place)
    stranger = await add_office(database, code="sip-75101-08", reasons=place.reasons)
    head_of(api, stranger, "stranger")
    for document, office, who in (
        ("accept_delegation", place, "head"),
        ("refuse_delegation", place, "head"),
        ("accept_delegation", stranger, "stranger"),
        ("end_delegation", stranger, "stranger"),
    ):
        refused = await change(api, office, document, who=who, delegationId=identity)
        assert refused["__typename"] == "NotFound", (document, who)
    foreign = await change(api, other, "accept_delegation", who="stranger", delegationId=identity)
    assert foreign["__typename"] == "NotAllowed"
    await change(api, other, "refuse_delegation", who="other", delegationId=identity)
    again = await change(api, other, "accept_delegation", who="other", delegationId=identity)
    assert (again["__typename"], again["field"]) == ("InvalidInput", "delegationId")
    assert (await api.refusal("delegations", {"officeId": place.office}, who="stranger"))["code"] == "NOT_ALLOWED"
    assert (await api.refusal("delegations", {"officeId": place.office}))["code"] == "NOT_ALLOWED"
