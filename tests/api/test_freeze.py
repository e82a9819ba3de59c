"""One counter takes everything, one only corrections. A correction stands in the way at the first."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from rdv.models.database import Database
from rdv.models.offices import Counter
from tests.api.conftest import Api
from tests.api.steps import booked, cancel, confirm, hold, search
from tests.places import Place, add, add_office

WEDNESDAY = {"from": "2027-03-03", "to": "2027-03-03"}
TEN = "2027-03-03T10:00:00+01:00"
EVE = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)  # 18:00 in Paris


async def office_with_a_correction_in_the_way(api: Api, database: Database, **columns: Any) -> tuple[Place, str]:
    place = await add_office(database, **columns)
    place.counters += await add(
        database, Counter(office_id=place.office, label="Guichet 2", reason_ids=[place.reasons["correct"]])
    )
    keys = []
    for _ in range(2):
        held = await hold(api, place, TEN, "correct")
        made = await confirm(api, held["token"])
        keys.append({"reference": made["appointment"]["reference"], "accessCode": made["accessCode"]})
    assert await counter_of(database, keys[0]["reference"]) == place.counters[1], "the least flexible counter first"
    assert await counter_of(database, keys[1]["reference"]) == place.counters[0]
    await cancel(api, keys[0])
    return place, keys[1]["reference"]


async def counter_of(database: Database, reference: str) -> int:
    bound = {"r": reference.replace("-", "")}
    async with database.reading() as connection:
        found = await connection.execute(text("select counter_id from appointment where reference = :r"), bound)
        return int(found.scalar_one())


async def offered(api: Api, place: Place) -> bool:
    (day,) = (await search(api, place, **WEDNESDAY))["days"]
    return TEN in day["starts"]


async def test_on_a_day_that_is_not_frozen_another_moves_to_make_room(api: Api, database: Database) -> None:
    place, other = await office_with_a_correction_in_the_way(api, database)
    assert await offered(api, place)
    held = await hold(api, place, TEN)
    assert held["__typename"] == "Hold"
    assert await counter_of(database, other) == place.counters[1]


async def test_a_pinned_one_never_moves(api: Api, database: Database) -> None:
    place, other = await office_with_a_correction_in_the_way(api, database)
    async with database.transaction() as connection:
        await connection.execute(text("update appointment set pinned = true"))
    assert not await offered(api, place)
    refused = await hold(api, place, TEN)
    assert refused["__typename"] == "SlotTaken"
    assert await counter_of(database, other) == place.counters[0]


@pytest.mark.parametrize(
    ("columns", "moment"),
    [
        ({}, EVE),
        ({"freeze_minute": 9 * 60, "freeze_days_before": 0}, datetime(2027, 3, 3, 8, tzinfo=UTC)),
        ({"freeze_minute": 24 * 60, "freeze_days_before": 2}, datetime(2027, 3, 1, 23, tzinfo=UTC)),
    ],
)
async def test_from_the_freeze_on_nobody_moves(
    api: Api, database: Database, columns: dict[str, int], moment: datetime
) -> None:
    place, other = await office_with_a_correction_in_the_way(api, database, **columns)
    api.clock.now = moment
    api.clock.forward(seconds=-1)
    assert await offered(api, place)
    api.clock.forward(seconds=1)
    assert not await offered(api, place), "what was kept from a second ago does not hold any more"
    refused = await hold(api, place, TEN)
    assert refused["__typename"] == "SlotTaken"
    assert await counter_of(database, other) == place.counters[0]


async def test_a_frozen_day_still_takes_who_needs_nobody_to_move(api: Api, database: Database) -> None:
    place, _ = await office_with_a_correction_in_the_way(api, database)
    api.clock.now = EVE
    await booked(api, place, "2027-03-03T10:15:00+01:00")
    held = await hold(api, place, TEN, "correct")
    assert held["__typename"] == "Hold"


async def test_the_day_after_a_frozen_day_is_not_frozen(api: Api, database: Database) -> None:
    place, other = await office_with_a_correction_in_the_way(api, database)
    api.clock.now = datetime(2027, 3, 2, 16, 59, tzinfo=UTC)  # Tuesday is frozen since Monday evening
    held = await hold(api, place, TEN)
    assert held["__typename"] == "Hold"
    assert await counter_of(database, other) == place.counters[1]
