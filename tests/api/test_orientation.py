"""From a place to the competent office: by commune, by postcode with the choice, by free address."""

from typing import Any

import pytest

from rdv.models.database import Database
from tests.api.conftest import Api
from tests.places import Place, add_commune, add_office


@pytest.fixture
async def place(database: Database) -> Place:
    """Three communes, two of which share a postcode; two SIP, and one that takes no bookings."""
    place = await add_office(database, at=(48.869, 2.341))
    other = await add_office(database, code="sip-2", reasons=place.reasons, at=(48.80, 2.35))
    await add_office(database, code="sip-3", reasons=place.reasons, open_to_booking=False)
    await add_commune(database, "75102", "Paris 2e arrondissement", ["75002"], place.office)
    await add_commune(database, "38053", "Bourgoin-Jallieu", ["38300"], place.office)
    await add_commune(database, "38352", "Saint-Étienne-du-Bois", ["38300"], other.office)
    await add_commune(database, "01001", "Sainte-Œuvre", ["01000"], None)
    return place


async def orientation(api: Api, place: Place, reason: str = "declare", **where: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data("orientation", {"input": {"reasonId": place.reasons[reason]} | where}))[
        "orientation"
    ]
    return found


def offices(found: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(one["office"]["code"], one["competent"]) for one in found["offices"]]


async def test_a_commune_leads_to_its_competent_office_and_others_near(api: Api, place: Place) -> None:
    found = await orientation(api, place, communeCode="75102")
    assert found["communes"] == [{"code": "75102", "name": "Paris 2e arrondissement", "postcodes": ["75002"]}]
    assert offices(found) == [("sip-75101-01", True), ("sip-2", False)]
    assert [one["distanceKm"] for one in found["offices"]] == [0.4, 6.7]
    assert found["offices"][0]["firstSlot"] == {
        "start": "2027-03-01T09:00:00+01:00",
        "end": "2027-03-01T09:30:00+01:00",
        "remaining": 1,
        "modality": "IN_PERSON",
    }


async def test_a_postcode_of_one_commune_leads_to_its_office(api: Api, place: Place) -> None:
    assert offices(await orientation(api, place, postcode=" 75002 "))[0] == ("sip-75101-01", True)


async def test_a_postcode_of_several_communes_asks_which_and_names_no_office(api: Api, place: Place) -> None:
    found = await orientation(api, place, postcode="38300")
    assert [one["code"] for one in found["communes"]] == ["38053", "38352"]
    assert found["offices"] == []
    chosen = await orientation(api, place, communeCode="38352")
    assert offices(chosen)[0] == ("sip-2", True)


ADDRESSES = {
    "12 rue du Lac, 38300 Bourgoin Jallieu": ["38053"],
    "38300 BOURGOIN-JALLIEU": ["38053"],
    "38300 St Etienne du Bois": ["38352"],
    "38300 Bourgoin-Jalieu": ["38053"],
    "1 place de la Mairie 38300": ["38053", "38352"],
    "10 rue de la Paix, Bourgoin-Jallieu": ["38053"],
    "Sainte-Oeuvre": ["01001"],
    "bourgoin": ["38053"],
}


async def test_a_free_address_is_read_from_its_end(api: Api, place: Place) -> None:
    found = {}
    for address in ADDRESSES:
        communes = (await orientation(api, place, address=address))["communes"]
        found[address] = [one["code"] for one in communes]
    assert found == ADDRESSES


async def test_a_commune_without_a_competent_office_shows_those_near(api: Api, place: Place) -> None:
    assert [competent for _, competent in offices(await orientation(api, place, communeCode="01001"))] == [False, False]


async def test_a_reason_of_another_kind_of_office_leads_to_none_of_these(api: Api, place: Place) -> None:
    assert (await orientation(api, place, "vat", communeCode="75102"))["offices"] == []


async def test_a_competent_office_without_appointments_is_shown_without_a_first_slot(
    api: Api, database: Database
) -> None:
    place = await add_office(database, open_to_booking=False)
    await add_commune(database, "75102", "Paris 2e arrondissement", ["75002"], place.office)
    (only,) = (await orientation(api, place, communeCode="75102"))["offices"]
    assert (only["competent"], only["firstSlot"]) == (True, None)
