"""Two writers in each other's way: one gives way, nothing of it remains, and whoever asked is told to come back."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from rdv import errors
from rdv.models.bookings import Collided, writing
from rdv.models.database import Database
from rdv.usecases.writes import TRIES, again
from tests.api.conftest import Api
from tests.places import Place, add_office

TOUCH = "update office set name = name || '!' where id = :office"


async def test_of_two_who_wait_for_each_other_one_gives_way_and_leaves_nothing(database: Database) -> None:
    one = await add_office(database)
    other = await add_office(database, code="sip-2", reasons=one.reasons)
    both = asyncio.Barrier(2)

    async def write(offices: list[Place]) -> None:
        async with writing(database) as connection:
            await connection.execute(text(TOUCH), {"office": offices[0].office})
            await both.wait()
            await connection.execute(text(TOUCH), {"office": offices[1].office})

    ended = await asyncio.gather(write([one, other]), write([other, one]), return_exceptions=True)
    assert sorted(type(end) for end in ended if end) == [Collided]
    async with database.reading() as connection:
        names = (await connection.execute(text("select name from office"))).scalars().all()
    assert [name.count("!") for name in names] == [1, 1]


async def test_who_gave_way_writes_again_and_is_told_to_come_back_after_some_tries() -> None:
    record: Any = object()

    def colliding(times: int) -> Any:
        left = [times]

        async def write() -> Any:
            left[0] -= 1
            if left[0] >= 0:
                raise Collided
            return record

        return write

    assert await again(colliding(TRIES - 1)) is record
    with pytest.raises(errors.Busy):
        await again(colliding(TRIES))


async def test_a_mutation_that_meets_others_again_and_again_says_so_and_changes_nothing(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await add_office(database)
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "start": "2027-03-01T10:00:00+01:00"}

    async def collide(*_: Any, **__: Any) -> None:
        raise Collided

    with monkeypatch.context() as patched:
        patched.setattr("rdv.usecases.appointments.bookings.insert_hold", collide)
        answer = await api.answer("hold_slot", {"input": wanted})
    (error,) = answer["errors"]
    assert (answer["data"], error["extensions"]["code"]) == (None, "BUSY")
    assert (await api.data("hold_slot", {"input": wanted}))["holdSlot"]["__typename"] == "Hold"
