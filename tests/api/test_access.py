"""Who sees, makes and changes which appointments; how many, until when, at which offset."""

from typing import Any

import pytest

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models.database import Database
from tests.api.conftest import Api
from tests.api.steps import CAMILLE, booked, cancel, confirm, hold, move, search
from tests.places import Place, add_office

NINE, TEN, ELEVEN = (f"2027-03-01T{hour}:00:00+01:00" for hour in ("09", "10", "11"))
UNKNOWN = {
    "__typename": "NotFound",
    "code": "NOT_FOUND",
    "message": "Ce rendez-vous n’existe pas, ou le code d’accès est inexact.",
}


@pytest.fixture(autouse=True)
def known(api: Api) -> None:
    own = frozenset({"sip-75101-01"})
    api.viewers.known |= {
        "camille": Viewer(kind=ViewerKind.USAGER, subject="s-1", name="Camille Exemple"),
        "dominique": Viewer(kind=ViewerKind.USAGER, subject="s-2", name="Dominique Autre"),
        "agent": Viewer(kind=ViewerKind.AGENT, subject="a-1", profile=Profile.LOCAL, scope=Scope.OWN, offices=own),
        "stranger": Viewer(
            kind=ViewerKind.AGENT, subject="a-2", profile=Profile.LOCAL, scope=Scope.OWN, offices=frozenset({"sip-x"})
        ),
        "centre": Viewer(kind=ViewerKind.AGENT, subject="a-3", profile=Profile.NATIONAL, scope=Scope.NATIONAL),
        "kiosk": Viewer(kind=ViewerKind.DEVICE, subject="k-1", scope=Scope.OWN, offices=own),
    }


@pytest.fixture
async def place(database: Database) -> Place:
    return await add_office(database, counters=5)


async def seen(api: Api, keys: dict[str, Any], who: str | None = None) -> Any:
    return (await api.data("appointment", keys, who=who))["appointment"]


async def test_a_usager_sees_their_own_appointment_without_its_code_and_nobody_elses(api: Api, place: Place) -> None:
    keys = await booked(api, place, TEN, who="camille")
    only = {"reference": keys["reference"]}
    assert (await seen(api, only, "camille"))["start"] == TEN
    assert await seen(api, only, "dominique") is None
    assert await seen(api, only) is None
    assert await seen(api, only, "stranger") is None
    assert await seen(api, only, "kiosk") is None
    assert (await seen(api, only, "agent"))["usager"] == {"displayName": "Camille Exemple"}
    assert (await seen(api, keys))["start"] == TEN


async def test_how_to_reach_a_usager_is_told_to_those_who_manage_the_appointment_alone(api: Api, place: Place) -> None:
    keys = await booked(api, place, TEN, who="camille")
    document = "query($r: String!, $c: String) { appointment(reference: $r, accessCode: $c) { contact { %s } } }"
    given = {"r": keys["reference"], "c": keys["accessCode"]}

    async def contact(who: str | None) -> Any:
        return (await api.data(document % "phone email locale", given, who=who))["appointment"]["contact"]

    reached = {"phone": "+33639981234", "email": "camille@example.org", "locale": "fr"}
    assert [await contact(who) for who in ("agent", "centre")] == [reached] * 2
    assert [await contact(who) for who in (None, "camille", "stranger", "kiosk")] == [None] * 4


async def test_a_hold_is_given_back_by_who_has_it_and_makes_room_for_another(api: Api, place: Place) -> None:
    async def release(token: str, who: str | None) -> str:
        done = await api.data("release_hold", {"input": {"holdToken": token}}, who=who)
        return str(done["releaseHold"]["__typename"])

    held = [await hold(api, place, at, who="camille") for at in (NINE, TEN, ELEVEN)]
    wanted = "2027-03-01T11:30:00+01:00"
    assert (await hold(api, place, wanted, who="camille"))["__typename"] == "TooManyAppointments"
    token = held[0]["token"]
    before = (await search(api, place))["first"]
    assert [await release(token, who) for who in ("dominique", None)] == ["NotAllowed"] * 2
    assert await release("nonsense", "camille") == "HoldExpired"
    assert await release(token, "camille") == "HoldReleased"
    assert (await search(api, place))["first"]["remaining"] == before["remaining"] + 1
    assert await release(token, "camille") == "HoldExpired"
    assert (await confirm(api, token, who="camille"))["__typename"] == "HoldExpired"
    assert (await hold(api, place, wanted, who="camille"))["__typename"] == "Hold"


async def test_what_is_confirmed_is_no_hold_to_be_given_back(api: Api, place: Place) -> None:
    token = (await hold(api, place, TEN))["token"]
    await confirm(api, token)
    done = await api.data("release_hold", {"input": {"holdToken": token}})
    assert done["releaseHold"]["code"] == "HOLD_EXPIRED"


async def test_a_reference_and_code_may_be_typed_as_on_the_phone(api: Api, place: Place) -> None:
    keys = await booked(api, place, TEN)
    typed = {name: f" {text.lower().replace('-', ' ')} " for name, text in keys.items()}
    assert (await seen(api, typed))["reference"] == keys["reference"]


@pytest.mark.parametrize(
    "wrong", [{"accessCode": "22222-22222"}, {"accessCode": None}, {"reference": "2222-2222-2222"}]
)
async def test_a_wrong_code_and_a_wrong_reference_look_the_same(api: Api, place: Place, wrong: dict[str, Any]) -> None:
    keys = await booked(api, place, TEN) | wrong
    assert await seen(api, keys) is None
    assert await cancel(api, keys) == UNKNOWN
    assert await move(api, keys, ELEVEN) == UNKNOWN
    assert await cancel(api, keys, "dominique") == UNKNOWN


async def test_a_hold_is_no_appointment_yet(api: Api, place: Place) -> None:
    held = await hold(api, place, TEN, who="camille")
    assert held["__typename"] == "Hold"
    usager = (await api.data("viewer", who="camille"))["viewer"]
    assert usager["usager"] is None


async def test_what_one_usager_holds_another_cannot_confirm(api: Api, place: Place) -> None:
    held = await hold(api, place, TEN, who="camille")
    for other in ("dominique", "agent", None):
        refused = await confirm(api, held["token"], who=other)
        assert (refused["code"], refused["message"]) == (
            "NOT_ALLOWED",
            "Ce créneau est réservé provisoirement par une autre personne.",
        )
    assert (await confirm(api, held["token"], who="camille"))["__typename"] == "AppointmentConfirmed"


@pytest.mark.parametrize(
    ("who", "channel"), [(None, "INTERNET"), ("camille", "INTERNET"), ("agent", "OFFICE"), ("centre", "CONTACT_CENTRE")]
)
async def test_a_booking_has_the_channel_of_who_makes_it(api: Api, place: Place, who: str | None, channel: str) -> None:
    keys = await booked(api, place, TEN, who=who)
    assert (await seen(api, keys))["channel"] == channel


@pytest.mark.parametrize("who", ["stranger", "kiosk"])
async def test_an_agent_of_another_office_and_a_kiosk_book_nothing_here(api: Api, place: Place, who: str) -> None:
    refused = await hold(api, place, TEN, who=who)
    expected = ("NOT_ALLOWED", "Vous n’êtes pas autorisé à faire cela pour ce service.")
    assert (refused["code"], refused["message"]) == expected
    found = await hold(api, place, TEN)
    refused = await confirm(api, found["token"], who=who)
    assert (refused["code"], refused["message"]) == expected


async def test_agents_of_the_office_manage_its_appointments_and_those_of_another_do_not(api: Api, place: Place) -> None:
    keys = await booked(api, place, TEN)
    only = {"reference": keys["reference"]}
    refused = await move(api, only, ELEVEN, "stranger")
    assert (refused["code"], refused["message"]) == (
        "NOT_ALLOWED",
        "Vous n’êtes pas autorisé à gérer les rendez-vous de ce service.",
    )
    assert (await cancel(api, only, "stranger"))["code"] == "NOT_ALLOWED"
    assert (await cancel(api, only, "kiosk"))["code"] == "NOT_FOUND"
    assert (await move(api, only, ELEVEN, "agent"))["appointment"]["start"] == ELEVEN
    assert (await cancel(api, only, "centre"))["appointment"]["status"] == "CANCELLED"


WHERE = "query($reference: String!, $accessCode: String) { appointment(reference: $reference, accessCode: $accessCode) "
INSIDE = (
    WHERE + "{ counter { label } agents { displayName } usager { appointments { totalCount edges { cursor } } } } }"
)


async def test_only_those_who_manage_the_office_see_counter_and_agents(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1)
    keys = await booked(api, place, TEN)
    for who in (None, "camille", "kiosk", "stranger"):
        inside = (await api.data(INSIDE, keys, who=who))["appointment"]
        assert (inside["counter"], inside["agents"]) == (None, [])
    inside = (await api.data(INSIDE, keys, who="agent"))["appointment"]
    assert (inside["counter"], inside["agents"]) == ({"label": "Guichet 1"}, [{"displayName": "Agent 1"}])


async def test_one_appointments_code_tells_nothing_of_the_usagers_others(api: Api, place: Place) -> None:
    keys = await booked(api, place, TEN, who="camille")
    await booked(api, place, ELEVEN, who="camille")
    inside = (await api.data(INSIDE, keys))["appointment"]
    assert inside["usager"]["appointments"] == {"totalCount": 0, "edges": []}
    inside = (await api.data(INSIDE, keys, who="agent"))["appointment"]
    assert inside["usager"]["appointments"]["totalCount"] == 2


async def test_a_usager_pages_through_their_appointments(api: Api, place: Place) -> None:
    for start in (NINE, TEN, ELEVEN):
        await booked(api, place, start, who="camille")
    pages = []
    after = None
    for _ in range(2):
        found = (await api.data("viewer", {"first": 2, "after": after}, who="camille"))["viewer"]["usager"]
        page = found["appointments"]
        assert page["totalCount"] == 3
        edges = page["edges"]
        assert page["pageInfo"]["startCursor"] == edges[0]["cursor"]
        after = page["pageInfo"]["endCursor"]
        more = (page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"])
        pages.append(([edge["node"]["start"] for edge in edges], *more))
    assert pages == [([ELEVEN, TEN], False, True), ([NINE], True, False)]
    for bad in ("x", "", "MjAyNy0wMw==", "é", "2027 1"):
        refused = (await api.answer("viewer", {"after": bad}, who="camille"))["errors"][0]
        assert refused["extensions"] == {"code": "INVALID_INPUT", "field": "after"}
        assert refused["path"] == ["viewer", "usager", "appointments"]
    for bad_first in (0, 101, -1):
        refused = (await api.answer("viewer", {"first": bad_first}, who="camille"))["errors"][0]
        assert refused["extensions"] == {"code": "INVALID_INPUT", "field": "first"}


async def test_a_usager_may_change_an_appointment_until_its_deadline_and_the_office_until_it_starts(
    api: Api, place: Place
) -> None:
    keys = await booked(api, place, TEN)
    assert (await seen(api, keys))["canBeChangedUntil"] == NINE
    api.clock.forward(minutes=59)
    assert (await move(api, keys, "2027-03-01T10:15:00+01:00"))["__typename"] == "AppointmentConfirmed"
    api.clock.forward(minutes=16)
    late = {
        "__typename": "TooLate",
        "code": "TOO_LATE",
        "message": "Il est trop tard pour modifier ce rendez-vous.",
        "deadline": "2027-03-01T09:15:00+01:00",
    }
    assert await move(api, keys, ELEVEN) == late
    assert await cancel(api, keys) == late
    assert (await move(api, keys, ELEVEN, "stranger"))["code"] == "TOO_LATE"  # an agent elsewhere, here as a usager
    assert (await cancel(api, keys, "agent"))["appointment"]["status"] == "CANCELLED"
    assert (await seen(api, keys))["canBeChangedUntil"] is None


async def test_an_account_has_at_most_as_many_appointments_as_the_office_allows(api: Api, database: Database) -> None:
    place = await add_office(database, counters=5, max_appointments_per_usager=2)
    await booked(api, place, TEN, who="camille")
    held = await hold(api, place, ELEVEN, who="camille")
    refused = await hold(api, place, NINE, who="camille")
    assert refused == {
        "__typename": "TooManyAppointments",
        "code": "TOO_MANY_APPOINTMENTS",
        "message": "Au plus 2 rendez-vous à la fois sont possibles dans ce service.",
        "limit": 2,
    }
    keys = await confirm(api, held["token"], who="camille")
    assert keys["__typename"] == "AppointmentConfirmed"
    await cancel(api, {"reference": keys["appointment"]["reference"]}, "camille")
    assert (await hold(api, place, NINE, who="camille"))["__typename"] == "Hold"


@pytest.mark.parametrize(
    "mark",
    [
        {"email": "Camille@Example.org"},
        {"phone": "+33 6 39 98 12 34"},
        {"companyNumber": "732 829 320"},
    ],
)
async def test_a_person_without_an_account_is_known_by_what_they_give(
    api: Api, database: Database, mark: dict[str, str]
) -> None:
    place = await add_office(database, counters=5, max_appointments_per_usager=1)
    await booked(api, place, TEN, usager=CAMILLE | {"companyNumber": "732829320"})
    other = {"firstName": "C.", "lastName": "E."}
    refused = await confirm(api, (await hold(api, place, ELEVEN))["token"], usager=other | mark)
    assert (refused["code"], refused["limit"]) == ("TOO_MANY_APPOINTMENTS", 1)
    free = await confirm(api, (await hold(api, place, ELEVEN))["token"], usager=other)
    assert free["__typename"] == "AppointmentConfirmed"


async def test_who_is_signed_in_needs_to_say_nothing_of_themselves(api: Api, place: Place) -> None:
    held = await hold(api, place, TEN, who="camille")
    made = await confirm(api, held["token"], who="camille", usager=None)
    assert made["appointment"]["usager"] == {"displayName": "Camille Exemple"}


async def test_an_office_that_takes_no_bookings_offers_nothing_and_moves_nothing(api: Api, database: Database) -> None:
    place = await add_office(database)
    keys = await booked(api, place, TEN)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("update office set open_to_booking = false")
    assert (await search(api, place))["days"] == []
    refused = await hold(api, place, ELEVEN)
    assert (refused["code"], refused["message"]) == ("NOT_ALLOWED", "Ce service ne reçoit pas sur rendez-vous.")
    assert (await move(api, keys, ELEVEN))["code"] == "NOT_ALLOWED"
    assert (await cancel(api, keys))["appointment"]["status"] == "CANCELLED"


@pytest.mark.parametrize(
    ("zone", "start", "deadline"),
    [
        ("Pacific/Noumea", "2027-03-02T09:00:00+11:00", "2027-03-02T08:00:00+11:00"),
        ("America/Miquelon", "2027-03-01T09:00:00-03:00", "2027-03-01T08:00:00-03:00"),
        ("Indian/Reunion", "2027-03-02T09:00:00+04:00", "2027-03-02T08:00:00+04:00"),
    ],
)
async def test_an_office_overseas_speaks_its_own_time(
    api: Api, database: Database, zone: str, start: str, deadline: str
) -> None:
    place = await add_office(database, time_zone=zone)
    day = start[:10]
    found = await search(api, place, **{"from": day, "to": day})
    assert (found["timeZone"], found["first"]["start"], found["count"]) == (zone, start, 11)
    keys = await booked(api, place, start)
    appointment = await seen(api, keys)
    assert (appointment["start"], appointment["canBeChangedUntil"]) == (start, deadline)


async def test_the_clock_change_moves_the_offset_and_not_the_hours(api: Api, database: Database) -> None:
    place = await add_office(database, hours=(9 * 60, 9 * 60 + 30), step_minutes=30, max_lead_days=60)
    found = await search(api, place, **{"from": "2027-03-26", "to": "2027-03-30"})
    assert [start for day in found["days"] for start in day["starts"]] == [
        "2027-03-26T09:00:00+01:00",
        "2027-03-30T09:00:00+02:00",  # Easter Monday between
    ]
    keys = await booked(api, place, "2027-03-30T09:00:00+02:00")
    assert (await seen(api, keys))["end"] == "2027-03-30T09:30:00+02:00"


async def day(api: Api, place: Place, who: str | None = "agent", **more: Any) -> Any:
    given = {"officeId": place.office, "from": "2027-03-01", "to": "2027-03-02"} | more
    return (await api.data("office_day", given, who=who))["office"]["appointments"]


async def test_those_who_manage_appointments_list_an_offices_days_in_order(api: Api, place: Place) -> None:
    for start in (ELEVEN, NINE, "2027-03-02T09:00:00+01:00", "2027-03-03T09:00:00+01:00"):
        await booked(api, place, start, usager=CAMILLE | {"email": f"{start[8:13]}@example.org", "phone": None})
    await cancel(api, await booked(api, place, TEN))
    await hold(api, place, TEN)
    found = await day(api, place)
    assert [edge["node"]["start"] for edge in found["edges"]] == [NINE, ELEVEN, "2027-03-02T09:00:00+01:00"]
    assert found["edges"][0]["node"]["contact"]["email"] == "01T09@example.org"
    assert (found["totalCount"], found["pageInfo"]["hasNextPage"]) == (3, False)
    first = await day(api, place, first=2)
    assert (len(first["edges"]), first["totalCount"], first["pageInfo"]["hasNextPage"]) == (2, 3, True)
    rest = await day(api, place, first=2, after=first["pageInfo"]["endCursor"])
    assert [edge["node"]["start"] for edge in rest["edges"]] == ["2027-03-02T09:00:00+01:00"]
    assert (rest["pageInfo"]["hasPreviousPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert [await day(api, place, who) for who in (None, "camille", "stranger", "kiosk")] == [None] * 4


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"first": 0}, "first"),
        ({"first": 101}, "first"),
        ({"after": "x"}, "after"),
        ({"to": "2027-02-28"}, "to"),
        ({"to": "2027-05-31"}, "to"),
    ],
)
async def test_a_list_of_an_offices_days_refuses(api: Api, place: Place, given: dict[str, Any], field: str) -> None:
    wanted = {"officeId": place.office, "from": "2027-03-01", "to": "2027-03-02"} | given
    refused = await api.refusal("office_day", wanted, who="agent")
    assert (refused["code"], refused["field"]) == ("INVALID_INPUT", field)
