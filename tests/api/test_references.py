"""What a gateway gets for the references of other subgraphs, and what somebody gets who tries some."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from graphql import build_schema
from sqlalchemy import Engine, event

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models.database import Database
from rdv.models.offices import Agent, Counter
from rdv.schema import printed
from rdv.schema.references import MAX_REFERENCES
from tests.api.conftest import Api
from tests.api.steps import booked, cancel, hold
from tests.places import Place, add, add_office

ENTITIES = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on Agent { id displayName }
    ... on Appointment { reference status office { code } reason { code } }
    ... on Counter { id label }
    ... on Office { id code name }
    ... on Reason { id code durationMinutes }
    ... on Usager { id displayName }
  }
}
"""
NINE, TEN, ELEVEN = (f"2027-03-01T{hour}:00:00+01:00" for hour in ("09", "10", "11"))
UNKNOWN = {
    "Agent": {"id": "999999"},
    "Appointment": {"reference": "2222-2222-2222"},
    "Usager": {"id": "00000000-0000-4000-8000-000000000000"},
}


@pytest.fixture(autouse=True)
def known(api: Api) -> None:
    own, agent = frozenset({"sip-75101-01"}), ViewerKind.AGENT
    local: dict[str, Any] = {"profile": Profile.LOCAL, "scope": Scope.OWN}
    api.viewers.known |= {
        "camille": Viewer(kind=ViewerKind.USAGER, subject="s-1", name="Camille Exemple"),
        "dominique": Viewer(kind=ViewerKind.USAGER, subject="s-2", name="Dominique Autre"),
        "agent": Viewer(kind=agent, subject="a-1", offices=own, **local),
        "stranger": Viewer(kind=agent, subject="a-2", offices=frozenset({"sip-x"}), **local),
        "centre": Viewer(kind=agent, subject="a-3", profile=Profile.NATIONAL, scope=Scope.NATIONAL),
        "kiosk": Viewer(kind=ViewerKind.DEVICE, subject="k-1", scope=Scope.OWN, offices=own),
        # An account of another kind with a usager's subject, and the other way round.
        "namesake": Viewer(kind=agent, subject="s-1", offices=frozenset({"sip-x"}), **local),
        "impostor": Viewer(kind=ViewerKind.USAGER, subject="a-9"),
    }


@pytest.fixture
async def place(database: Database) -> Place:
    return await add_office(database, counters=6, agents=6)


def of(type_name: str, **key: Any) -> dict[str, Any]:
    return {"__typename": type_name} | key


async def resolved(api: Api, *representations: Any, who: str | None = None) -> list[Any]:
    data = await api.data(ENTITIES, {"representations": representations}, who=who)
    found: list[Any] = data["_entities"]
    return found


async def usager_of(api: Api, keys: dict[str, str]) -> str:
    document = "query ($r: String!, $c: String) { appointment(reference: $r, accessCode: $c) { usager { id } } }"
    found = await api.data(document, {"r": keys["reference"], "c": keys["accessCode"]})
    identity: str = found["appointment"]["usager"]["id"]
    return identity


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the SQL statements of the block."""
    sent: list[str] = []

    def note(*given: Any) -> None:
        sent.append(given[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_what_everybody_sees_is_found_by_each_of_its_keys_in_the_order_asked(api: Api, place: Place) -> None:
    declare, counter = place.reasons["declare"], place.counters[1]
    office = {"__typename": "Office", "id": str(place.office), "code": place.code, "name": f"SIP {place.code}"}
    reason = {"__typename": "Reason", "id": str(declare), "code": "declare", "durationMinutes": 30}
    assert await resolved(
        api,
        of("Reason", code="declare"),
        of("Office", id=str(place.office)),
        of("Counter", id=str(counter)),
        of("Office", code=place.code),
        of("Reason", id=declare),
        of("Office", code="elsewhere"),
        of("Office", id=str(place.office), code="whatever else the gateway knows"),
    ) == [
        reason,
        office,
        {"__typename": "Counter", "id": str(counter), "label": "Guichet 2"},
        office,
        reason,
        None,
        office,
    ]


async def test_an_appointment_is_shown_to_its_usager_and_to_those_who_manage_it_and_to_nobody_else(
    api: Api, place: Place
) -> None:
    reference = (await booked(api, place, TEN, who="camille"))["reference"]
    shown = {
        "__typename": "Appointment",
        "reference": reference,
        "status": "BOOKED",
        "office": {"code": place.code},
        "reason": {"code": "declare"},
    }
    seen = {
        who: await resolved(api, of("Appointment", reference=reference), who=who) for who in (None, *api.viewers.known)
    }
    assert seen == {who: [None] for who in seen} | {who: [shown] for who in ("camille", "agent", "centre")}


async def test_a_usager_is_shown_to_themselves_and_to_those_who_manage_their_appointments_and_to_nobody_else(
    api: Api, place: Place
) -> None:
    keys = await booked(api, place, TEN, who="camille")
    await cancel(api, keys)
    identity = await usager_of(api, keys)
    shown = {"__typename": "Usager", "id": identity, "displayName": "Camille Exemple"}
    seen = {who: await resolved(api, of("Usager", id=identity), who=who) for who in (None, *api.viewers.known)}
    assert seen == {who: [None] for who in seen} | {who: [shown] for who in ("camille", "agent", "centre")}


async def test_an_agent_is_shown_to_themselves_and_to_those_who_manage_appointments_there(
    api: Api, database: Database, place: Place
) -> None:
    (elsewhere,) = (await add_office(database, code="sip-x", reasons=place.reasons, agents=1)).agents
    (named,) = await add(database, Agent(office_id=place.office, display_name="Agent 7", subject="a-9"))
    both = [of("Agent", id=str(elsewhere)), of("Agent", id=str(named))]
    theirs = {"__typename": "Agent", "id": str(elsewhere), "displayName": "Agent 1"}
    ours = {"__typename": "Agent", "id": str(named), "displayName": "Agent 7"}
    api.viewers.known["themselves"] = Viewer(
        kind=ViewerKind.AGENT, subject="a-9", profile=Profile.LOCAL, scope=Scope.OWN, offices=frozenset({"sip-y"})
    )
    seen = {who: await resolved(api, *both, who=who) for who in (None, *api.viewers.known)}
    assert seen == {who: [None, None] for who in seen} | {
        "agent": [None, ours],
        "themselves": [None, ours],
        "stranger": [theirs, None],
        "namesake": [theirs, None],
        "centre": [theirs, ours],
    }


@pytest.mark.parametrize("who", [None, "dominique", "stranger", "kiosk"])
async def test_what_is_not_theirs_and_what_does_not_exist_look_the_same(
    api: Api, database: Database, place: Place, who: str | None
) -> None:
    keys = await booked(api, place, TEN, who="camille")
    if who == "dominique":
        await booked(api, place, NINE, who="dominique")
    real = {
        "Agent": {"id": str(place.agents[0])},
        "Appointment": {"reference": keys["reference"]},
        "Usager": {"id": await usager_of(api, keys)},
    }
    for name, key in real.items():
        theirs = await api.answer(ENTITIES, {"representations": [of(name, **key)]}, who=who)
        nobodys = await api.answer(ENTITIES, {"representations": [of(name, **UNKNOWN[name])]}, who=who)
        assert theirs["data"] == nobodys["data"] == {"_entities": [None]}
        assert "errors" not in {*theirs, *nobodys}


async def test_an_access_code_opens_nothing_here(api: Api, place: Place) -> None:
    keys = await booked(api, place, TEN)
    assert await resolved(api, of("Appointment", **keys)) == [None]


async def test_a_hold_is_not_found_even_by_those_who_manage_the_office(
    api: Api, database: Database, place: Place
) -> None:
    await hold(api, place, TEN, who="camille")
    async with database.reading() as connection:
        reference = (await connection.exec_driver_sql("select reference from appointment")).scalar_one()
    for who in ("camille", "agent", "centre"):
        assert await resolved(api, of("Appointment", reference=reference), who=who) == [None]


async def test_a_counter_that_is_no_longer_used_is_not_found(api: Api, database: Database, place: Place) -> None:
    (retired,) = await add(database, Counter(office_id=place.office, label="Old", retired=True))
    assert await resolved(api, of("Counter", id=str(retired))) == [None]


@pytest.mark.parametrize(
    "broken",
    [
        {"__typename": "Nothing", "id": "1"},
        {"__typename": "Address", "id": "1"},
        {"__typename": "Query"},
        {"__typename": ["Office"], "id": "1"},
        {"__typename": None, "id": "1"},
        {"id": "1"},
        {},
        {"__typename": "Office"},
        {"__typename": "Office", "id": None},
        {"__typename": "Office", "id": True},
        {"__typename": "Office", "id": 1.5},
        {"__typename": "Office", "id": {"id": "1"}},
        {"__typename": "Office", "code": 7},
        {"__typename": "Office", "id": ["1"], "code": []},
        {"__typename": "Appointment", "id": "1"},
        {"__typename": "Usager", "subject": "s-1"},
        "Office",
        ["Office", "1"],
        7,
        False,
    ],
    ids=str,
)
async def test_what_is_not_a_reference_is_an_error_at_its_place_and_others_are_answered(
    api: Api, place: Place, broken: Any
) -> None:
    answer = await api.answer(
        ENTITIES, {"representations": [of("Reason", code="vat"), broken, of("Office", code=place.code)]}
    )
    assert [one and one["code"] for one in answer["data"]["_entities"]] == ["vat", None, place.code]
    (error,) = answer["errors"]
    assert error["path"] == ["_entities", 1]
    assert error["message"] == "Ceci n’est pas une référence à un de nos objets."
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "representations.1"}


@pytest.mark.parametrize(
    "key",
    [
        of("Office", id="x"),
        of("Office", id="-1"),
        of("Office", id=-1),
        of("Office", id="01"),
        of("Office", id="1" * 5_000),
        of("Office", id=2**63),
        of("Counter", id="9" * 19),
        of("Agent", id=""),
        of("Reason", id="1\0"),
        of("Reason", code="\0"),
        of("Office", code="'; drop table office; --"),
        of("Appointment", reference=""),
        of("Appointment", reference="%"),
        of("Appointment", reference="\0é" * 500),
        of("Usager", id="1"),
        of("Usager", id="camille"),
        of("Usager", id=1),
    ],
    ids=lambda key: str(key)[:60],
)
async def test_a_key_that_nothing_has_finds_nothing(api: Api, place: Place, key: Any) -> None:
    await booked(api, place, TEN, who="camille")
    await booked(api, place, ELEVEN)
    assert await resolved(api, key, who="centre") == [None]


async def test_numbers_written_in_the_document_may_have_any_length(api: Api, place: Place) -> None:
    document = '{ _entities(representations: [{__typename: "Office", id: %s}]) { __typename } }'
    assert await api.data(document % place.office) == {"_entities": [{"__typename": "Office"}]}
    assert await api.data(document % ("9" * 4_000)) == {"_entities": [None]}


async def test_no_more_references_are_taken_than_a_page_of_anything_has(api: Api, place: Place) -> None:
    most = [of("Office", code=place.code)] * MAX_REFERENCES
    assert len(await resolved(api, *most)) == MAX_REFERENCES == 200
    assert await api.refusal(ENTITIES, {"representations": [*most, of("Reason", code="vat")]}) == {
        "code": "INVALID_INPUT",
        "field": "representations",
        "path": ["_entities"],
    }
    assert await resolved(api) == []


async def test_many_references_take_as_many_statements_as_one(api: Api, database: Database, place: Place) -> None:
    offices = [place, *[await add_office(database, code=f"sip-{n}", reasons=place.reasons) for n in range(5)]]
    keys = [await booked(api, place, start) for start in (NINE, TEN, ELEVEN)]
    keys += [await booked(api, other, TEN) for other in offices[1:]]
    references = {
        "agents": [of("Agent", id=str(one)) for one in place.agents],
        "appointments": [of("Appointment", reference=one["reference"]) for one in keys],
        "counters": [of("Counter", id=str(one)) for one in place.counters],
        "offices": [of("Office", id=str(one.office)) for one in offices],
        "offices by code": [of("Office", code=one.code) for one in offices],
        "reasons": [of("Reason", id=str(one)) for one in place.reasons.values()],
        "reasons by code": [of("Reason", code=one) for one in place.reasons],
        "usagers": [of("Usager", id=await usager_of(api, one)) for one in keys],
    }
    counted = {}
    for name, wanted in references.items():
        with statements() as for_one:
            first = await resolved(api, wanted[0], who="centre")
        with statements() as for_all:
            everything = await resolved(api, *wanted, who="centre")
        assert first == everything[:1]
        assert None not in everything
        assert len(everything) >= 6
        assert sorted(for_all) == sorted(for_one), name
        counted[name] = len(for_all)
    assert counted == {
        "agents": 2,  # with their offices, for the right to see them
        "appointments": 5,  # these two, then what the query selects: offices' reasons, of kinds, with the tree
        "counters": 1,
        "offices": 1,
        "offices by code": 1,
        "reasons": 1,
        "reasons by code": 1,
        "usagers": 2,
    }


async def test_the_definitions_of_federation_are_readable_without_knowing_federation() -> None:
    schema = build_schema(printed())
    assert {"key", "link", "shareable"} <= {one.name for one in schema.directives}


async def test_the_service_shows_the_schema_as_it_is_committed(api: Api) -> None:
    assert (await api.data("{ _service { sdl } }"))["_service"]["sdl"].rstrip() == printed().rstrip()
