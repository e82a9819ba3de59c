"""Offices and reasons: an office's own durations, the tree, languages, and a constant number of statements."""

from typing import Any

import pytest

from rdv.models.database import Database
from rdv.models.reasons import OfficeReason
from tests.api.conftest import Api
from tests.api.steps import search
from tests.api.test_statements import statements
from tests.places import Place, add, add_office

LEAVES = "query($code: String) { office(code: $code) { reasons { code durationMinutes agentsRequired modalities } } }"


async def leaves(api: Api, place: Place) -> dict[str, tuple[int, int]]:
    found = (await api.data(LEAVES, {"code": place.code}))["office"]["reasons"]
    return {one["code"]: (one["durationMinutes"], one["agentsRequired"]) for one in found}


async def test_an_office_has_its_own_values_for_a_reason_and_what_is_under_it(api: Api, database: Database) -> None:
    place = await add_office(database)
    other = await add_office(database, code="sip-2", reasons=place.reasons)
    national = {"declare": (30, 1), "correct": (15, 1), "survey": (45, 2)}
    assert await leaves(api, place) == national
    await add(
        database,
        OfficeReason(office_id=place.office, reason_id=place.reasons["income"], duration_minutes=40, agents_required=2),
        OfficeReason(office_id=place.office, reason_id=place.reasons["correct"], duration_minutes=20),
    )
    # The node's value holds for the leaf that has none; a leaf's own beats it, field by field.
    assert await leaves(api, place) == {"declare": (40, 2), "correct": (20, 2), "survey": (45, 2)}
    assert await leaves(api, other) == national
    assert (await search(api, place))["durationMinutes"] == 40
    assert (await search(api, other))["durationMinutes"] == 30
    roots = (await api.data("reasons"))["reasons"]
    assert [child["code"] for child in roots[0]["children"]] == ["declare", "correct"]


async def test_an_office_serves_what_its_kind_does_unless_it_says_otherwise(api: Api, database: Database) -> None:
    place = await add_office(database)
    await add(
        database,
        OfficeReason(office_id=place.office, reason_id=place.reasons["land"], served=False),
        OfficeReason(office_id=place.office, reason_id=place.reasons["vat"], served=True),
    )
    assert list(await leaves(api, place)) == ["declare", "correct", "vat"]


SEARCHES: list[tuple[dict[str, Any], str, list[str]]] = [
    ({}, "fr", ["income", "land", "company"]),
    ({"audience": "BUSINESS"}, "fr", ["company"]),
    ({"audience": "INDIVIDUAL"}, "fr", ["income", "land"]),
    ({"search": "DECLARER"}, "fr", ["declare"]),
    ({"search": "mes revenus"}, "fr", ["income"]),
    ({"search": "mon"}, "fr", ["company"]),
    ({"search": "my income"}, "en", ["income"]),
    ({"search": "déclarer"}, "en", []),
    ({"search": "%"}, "en", ["income", "declare", "correct", "land", "survey", "company", "vat"]),
    ({"search": "tva", "audience": "INDIVIDUAL"}, "fr", []),
    ({"search": "rien de tel"}, "fr", []),
]
REASONS = """query($parentId: ID, $audience: Audience, $search: String) {
  reasons(parentId: $parentId, audience: $audience, search: $search) { code }
}"""


async def test_reasons_are_found_by_audience_and_by_words(api: Api, database: Database) -> None:
    await add_office(database)
    found = []
    for variables, language, _ in SEARCHES:
        answer = await api.data(REASONS, variables, accept_language=language)
        found.append((variables, language, [one["code"] for one in answer["reasons"]]))
    assert found == SEARCHES


async def test_reasons_under_a_node(api: Api, database: Database) -> None:
    place = await add_office(database)
    variables = {"parentId": place.reasons["income"]}
    assert [r["code"] for r in (await api.data(REASONS, variables))["reasons"]] == ["declare", "correct"]
    variables |= {"search": "corr"}
    assert [r["code"] for r in (await api.data(REASONS, variables))["reasons"]] == ["correct"]
    assert (await api.data(REASONS, {"parentId": place.reasons["declare"]}))["reasons"] == []


@pytest.mark.parametrize(
    ("language", "label", "message"),
    [
        ("fr", "Mes revenus", "Ce service n’existe pas."),
        ("en-GB,en;q=0.9,fr;q=0.1", "My income", "There is no such office."),
        ("de", "Mes revenus", "Ce service n’existe pas."),
    ],
)
async def test_labels_and_messages_are_in_the_language_asked_for(
    api: Api, database: Database, language: str, label: str, message: str
) -> None:
    place = await add_office(database)
    assert (await api.data("reasons", accept_language=language))["reasons"][0]["label"] == label
    wanted = {"officeId": "99999", "reasonId": place.reasons["declare"], "from": "2027-03-01", "to": "2027-03-01"}
    answer = await api.answer("search_slots", {"input": wanted}, accept_language=language)
    assert answer["errors"][0]["message"] == message
    held = await api.data(
        "hold_slot",
        {"input": {"officeId": "99999", "reasonId": "1", "start": "2027-03-01T10:00:00+01:00"}},
        accept_language=language,
    )
    assert held["holdSlot"]["message"] == message


async def test_an_office_is_described_with_its_counters_and_parameters(api: Api, database: Database) -> None:
    place = await add_office(database, counters=1, step_minutes=None, max_lead_days=None, slot_policy="COMPACT")
    office = (await api.data("office", {"code": place.code}))["office"]
    assert office == (await api.data("office", {"id": place.office}))["office"]
    assert office["counters"] == [
        {
            "id": str(place.counters[0]),
            "label": "Guichet 1",
            "exposed": True,
            "reasons": None,
            "channels": None,
            "modalities": None,
        }
    ]
    assert office["parameters"] == {
        "stepMinutes": 0,
        "minLeadMinutes": 0,
        "maxLeadDays": -1,
        "autoOpen": True,
        "slotPolicy": "COMPACT",
        "holdSeconds": 600,
    }


async def test_a_search_takes_one_statement_once_it_is_warm(api: Api, database: Database) -> None:
    place = await add_office(database)
    await search(api, place)
    with statements() as found:
        await search(api, place)
    assert len(found) == 1


@pytest.mark.parametrize(("small", "large"), [(1, 12)])
async def test_an_office_takes_the_same_statements_whatever_its_size(
    api: Api, database: Database, small: int, large: int
) -> None:
    places = [await add_office(database, counters=small, agents=small)]
    places.append(await add_office(database, code="large", counters=large, agents=large, reasons=places[0].reasons))
    await api.data("reasons")  # the nation is read once a process
    taken = []
    for place in places:
        with statements() as asked:
            await api.data("office", {"code": place.code})
        with statements() as cold:
            await search(api, place)
        taken.append((len(asked), len(cold)))
    assert taken[0] == taken[1]
    assert taken[0][1] == 2  # versions, the situation


async def test_the_earliest_slots_of_thirty_offices_take_the_statements_of_three(api: Api, database: Database) -> None:
    place = await add_office(database, departement="75")
    offices = [place, *[await add_office(database, code=f"a{n}", reasons=place.reasons) for n in range(2)]]
    offices += [await add_office(database, code=f"b{n}", departement="69", reasons=place.reasons) for n in range(30)]
    taken: dict[str, list[int]] = {"75": [], "69": []}
    await api.data("reasons")
    for departement in ("75", "69", "75", "69"):
        wanted = {"reasonId": place.reasons["declare"], "departement": departement, "first": 100}
        with statements() as found:
            answer = await api.data("earliest_slots", {"input": wanted})
        assert len(answer["earliestSlots"]) == {"75": 3, "69": 30}[departement]
        taken[departement].append(len(found))
    assert taken["75"] == taken["69"]
    assert taken["69"] == [4, 3]
