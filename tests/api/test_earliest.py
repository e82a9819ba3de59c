"""The earliest slots over offices: named, of a département, near a place."""

from typing import Any

import pytest

from rdv.models.database import Database
from rdv.models.reasons import OfficeReason
from tests.api.conftest import Api
from tests.api.steps import booked, hold
from tests.places import Place, add, add_office

PLACES = {"near": (48.86, 2.35), "south": (48.80, 2.35), "lyon": (45.76, 4.83)}


@pytest.fixture
async def places(database: Database) -> dict[str, Place]:
    """Two offices in Paris, of which the nearer opens later, one in Lyon, one that takes no bookings."""
    near = await add_office(database, code="near", at=PLACES["near"], hours=(10 * 60, 12 * 60))
    known = near.reasons
    south = await add_office(database, code="south", at=PLACES["south"], reasons=known)
    lyon = await add_office(
        database, code="lyon", at=PLACES["lyon"], reasons=known, departement="69", min_lead_minutes=1440
    )
    await add_office(database, code="closed", at=PLACES["near"], reasons=known, open_to_booking=False)
    await add_office(database, code="sie", at=PLACES["near"], reasons=known, kind="SIE")
    return {"near": near, "south": south, "lyon": lyon}


async def earliest(api: Api, places: dict[str, Place], **wanted: Any) -> list[tuple[str, str, float | None]]:
    variables = {"input": {"reasonId": places["near"].reasons["declare"]} | wanted}
    found = (await api.data("earliest_slots", variables))["earliestSlots"]
    return [(one["office"]["code"], one["slot"]["start"], one["distanceKm"]) for one in found]


NINE, TEN = "2027-03-01T09:00:00+01:00", "2027-03-01T10:00:00+01:00"
TOMORROW = "2027-03-02T09:00:00+01:00"


async def test_the_offices_of_a_departement_come_by_their_earliest_start(api: Api, places: dict[str, Place]) -> None:
    assert await earliest(api, places, departement="75") == [("south", NINE, None), ("near", TEN, None)]
    assert await earliest(api, places, departement="69") == [("lyon", TOMORROW, None)]
    assert await earliest(api, places, departement="2A") == []


async def test_offices_near_a_place_come_by_start_then_by_distance(api: Api, places: dict[str, Place]) -> None:
    here = {"latitude": 48.86, "longitude": 2.35}
    assert await earliest(api, places, near=here) == [
        ("south", NINE, 6.7),
        ("near", TEN, 0.0),
        ("lyon", TOMORROW, 392.1),
    ]
    for start in (NINE, "2027-03-01T09:30:00+01:00"):
        await booked(api, places["south"], start)
    assert [code for code, *_ in await earliest(api, places, near=here, first=2)] == ["near", "south"]


async def test_named_offices_that_are_unknown_or_take_no_bookings_are_left_out(
    api: Api, places: dict[str, Place]
) -> None:
    ids = [str(one.office) for one in places.values()]
    assert [code for code, *_ in await earliest(api, places, officeIds=[*ids, "99999", ids[0]])] == [
        "south",
        "near",
        "lyon",
    ]
    assert await earliest(api, places, officeIds=[]) == []


async def test_a_hold_and_a_later_first_day_move_the_earliest_start(api: Api, places: dict[str, Place]) -> None:
    await hold(api, places["south"], NINE)
    found = await earliest(api, places, departement="75")
    assert found[0] == ("south", "2027-03-01T09:30:00+01:00", None)
    later = await earliest(api, places, departement="75", **{"from": "2027-03-06"})
    assert later == [
        ("south", "2027-03-08T09:00:00+01:00", None),
        ("near", "2027-03-08T10:00:00+01:00", None),
    ]
    assert await earliest(api, places, departement="75", **{"from": "2028-01-01"}) == []


async def test_an_office_is_left_out_for_a_reason_or_modality_it_does_not_serve(
    api: Api, places: dict[str, Place], database: Database
) -> None:
    reason = places["near"].reasons["declare"]
    await add(database, OfficeReason(office_id=places["south"].office, reason_id=reason, modalities=["PHONE"]))
    assert [code for code, *_ in await earliest(api, places, departement="75")] == ["near"]
    assert [code for code, *_ in await earliest(api, places, departement="75", modality="PHONE")] == ["south", "near"]
    assert await earliest(api, places, departement="75", modality="VIDEO") == []
