"""Why starts are not offered, in the words an office head reads."""

from datetime import date
from typing import Any

import pytest

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models.database import Database
from rdv.models.offices import Counter
from rdv.models.planning import Closure
from tests.api.conftest import Api
from tests.api.steps import booked
from tests.places import Place, add, add_office

ASKED = "query($input: SlotsInput!) { slots(input: $input) { count why { date code starts detail } } }"
TEN = "2027-03-03T10:00:00+01:00"
GRID = 12  # every quarter of an hour from 09:00 to 12:00


def agent(profile: Profile, *offices: str) -> Viewer:
    kind, scope = ViewerKind.AGENT, Scope.OWN
    return Viewer(kind=kind, subject="somebody", profile=profile, scope=scope, offices=frozenset(offices))


async def told(
    api: Api, place: Place, reason: str = "declare", *, who: str | None = None, language: str = "fr", **more: Any
) -> dict[str, str]:
    """Return why the starts of one Wednesday are not offered, by code, once it is sure that they add up."""
    wanted = {"from": "2027-03-03", "to": "2027-03-03", **more}
    wanted |= {"officeId": place.office, "reasonId": place.reasons[reason]}
    answer = await api.answer(ASKED, {"input": wanted}, who=who, accept_language=language)
    found = answer["data"]["slots"]
    counted = sum(why["starts"] for why in found["why"])
    assert found["count"] + counted in (GRID, 0)
    return {why["code"]: why["detail"] for why in found["why"]}


async def specialised_and_taken(database: Database, api: Api) -> Place:
    place = await add_office(database, counters=0)
    income = [place.reasons["income"]]
    place.counters = await add(
        database, *(Counter(office_id=place.office, label=f"Guichet {n}", reason_ids=income) for n in (1, 2))
    )
    for _ in place.counters:
        await booked(api, place, TEN)
    return place


async def test_the_specialisation_of_counters_that_are_all_taken_is_named(api: Api, database: Database) -> None:
    place = await specialised_and_taken(database, api)
    text = "4 créneaux retirés : tous les guichets spécialisés « Mes revenus » sont pris"
    assert await told(api, place) == {"FULL": f"{text} (dont 1 trop près de la fermeture)"}
    text = "4 starts removed: all counters specialised in “My income” are taken"
    assert await told(api, place, language="en") == {"FULL": f"{text} (of these, 1 too close to closing time)"}


async def test_only_those_who_manage_the_office_read_the_names_of_its_counters(api: Api, database: Database) -> None:
    place = await specialised_and_taken(database, api)
    api.viewers.known = {
        "own": agent(Profile.LOCAL, place.code),
        "other": agent(Profile.LOCAL, "sip-69381-01"),
        "usager": Viewer(kind=ViewerKind.USAGER, subject="u1"),
    }
    named = {who: "Guichet 1, Guichet 2" in (await told(api, place, who=who))["FULL"] for who in api.viewers.known}
    assert named == {"own": True, "other": False, "usager": False}
    assert "Guichet" not in (await told(api, place))["FULL"]


async def test_counters_that_take_everything_are_just_taken(api: Api, database: Database) -> None:
    place = await add_office(database)
    await booked(api, place, TEN)
    detail = (await told(api, place))["FULL"]
    assert detail == "4 créneaux retirés : tous les guichets sont pris (dont 1 trop près de la fermeture)"


async def test_agents_who_are_all_taken_are_told_from_counters(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2, agents=1)
    await booked(api, place, TEN)
    detail = (await told(api, place))["FULL"]
    # 11:45 is too near to closing time for anybody, so it has no agents either
    assert detail == "3 créneaux retirés : tous les agents qui pourraient recevoir sont pris"


async def test_too_few_agents_are_told_with_how_many_are_needed(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1)
    assert (await told(api, place, "survey"))[
        "NO_AGENT"
    ] == "12 créneaux retirés : trop peu d’agents présents pour « Cadastre » (il en faut 2)"


async def test_a_closure_names_the_closed_counters_to_who_manages_them(api: Api, database: Database) -> None:
    place = await add_office(database)
    day = date(2027, 3, 3)
    closure = {"from_date": day, "from_minute": 9 * 60, "to_date": day, "to_minute": 10 * 60}
    await add(database, Closure(office_id=place.office, counter_ids=place.counters, **closure))
    api.viewers.known = {"own": agent(Profile.LOCAL, place.code)}
    assert (await told(api, place))["CLOSURE"] == "4 créneaux retirés : fermé à ces heures"
    assert (await told(api, place, who="own"))["CLOSURE"] == "4 créneaux retirés : fermé à ces heures (Guichet 1)"


@pytest.mark.parametrize(
    ("columns", "search", "expected"),
    [
        (
            {"min_lead_minutes": 3060},
            {},
            {"LEAD_TIME": "8 créneaux retirés : heure passée, ou à moins de 3060 min"},
        ),
        ({"max_lead_days": 1}, {}, {"HORIZON": "12 créneaux retirés : au-delà du délai de réservation de 1 j"}),
        ({}, {"from": "2027-03-07", "to": "2027-03-07"}, {"CLOSED": "aucun guichet n’est ouvert ce jour-là"}),
        ({}, {"from": "2027-03-29", "to": "2027-03-29"}, {"HOLIDAY": "jour férié, ou fermeture toute la journée"}),
    ],
)
async def test_time_and_calendar_are_told(
    api: Api, database: Database, columns: dict[str, int], search: dict[str, str], expected: dict[str, str]
) -> None:
    place = await add_office(database, **columns)
    assert expected.items() <= (await told(api, place, **search)).items()
