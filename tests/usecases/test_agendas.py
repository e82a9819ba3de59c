"""What is kept of an office is what it is, whoever asked for it before."""

import asyncio
from datetime import timedelta
from threading import Event

import pytest

from rdv.engine.values import Query
from rdv.models.database import Database
from rdv.models.reads import Reads, Version, noting
from rdv.usecases.agendas import Agenda, Agendas, standard_window
from tests.models.test_renewal import FIRST, LAST, WORKDAYS, Scene
from tests.places import add_office


async def test_who_read_the_clock_before_a_freeze_does_not_undo_it_for_those_after(database: Database) -> None:
    scene = Scene(database, await add_office(database))
    office, agendas = scene.place.office, Agendas(database)
    await scene.book((0, WORKDAYS[1], 0), 1)
    freezes = (await scene.whole()).until
    moment = timedelta(milliseconds=10)

    await agendas.current([office], FIRST, LAST, freezes + moment)
    await scene.book((0, WORKDAYS[2], 0), 1)
    await agendas.current([office], FIRST, LAST, freezes - moment)  # and came late
    kept = (await agendas.current([office], FIRST, LAST, freezes + 2 * moment))[office]
    assert [one.pinned for one in kept.situation.instance.appointments] == [True, False]


class Desk:
    """An office whose agenda is kept, and transactions that ask for it."""

    def __init__(self, database: Database, scene: Scene) -> None:
        self.database, self.scene = database, scene
        self.agendas = Agendas(database)
        self.office, self.day = scene.place.office, WORKDAYS[1]

    async def current(self) -> Agenda:
        return (await self.agendas.current([self.office], self.day, self.day, self.scene.now))[self.office]

    async def version(self) -> Version:
        window = standard_window(self.day, self.day, self.scene.now)
        return (await self.agendas.versions.of([self.office], *window))[self.office]

    async def under_lock(self, version: Version | None) -> Agenda:
        async with self.database.transaction() as connection:
            nation = await self.agendas.nations.current(connection)
            days, now = (self.day, self.day), self.scene.now
            return await self.agendas.under_lock(connection, nation, self.office, days, now, version=version)


@pytest.fixture
async def desk(database: Database) -> Desk:
    return Desk(database, Scene(database, await add_office(database)))


async def test_a_booking_is_decided_on_what_is_kept_while_that_is_so(desk: Desk) -> None:
    kept = await desk.current()
    assert await desk.under_lock(await desk.version()) is kept


async def test_what_a_booking_found_changed_is_not_read_again_by_who_comes_after(desk: Desk) -> None:
    kept = await desk.current()
    await desk.scene.book((0, desk.day, 0), 1)
    found = await desk.under_lock(await desk.version())
    assert found is not kept
    assert len(found.situation.instance.appointments) == 1
    assert await desk.current() is found


async def test_what_a_booking_has_written_itself_is_not_kept(desk: Desk) -> None:
    await desk.current()
    await desk.scene.book((0, desk.day, 0), 1)
    found = await desk.under_lock(None)
    assert await desk.current() is not found


async def test_a_booking_does_not_wait_for_an_engine_that_is_asked_something_long(desk: Desk) -> None:
    kept = await desk.current()
    with kept.asking:
        found = await desk.under_lock(await desk.version())
    assert found is not kept
    assert found.situation.version.office == kept.situation.version.office


async def test_an_agenda_that_is_newer_than_what_was_asked_for_is_not_read_again(desk: Desk) -> None:
    await desk.current()
    window = standard_window(desk.day, desk.day, desk.scene.now)
    reads = Reads(asked={(desk.office, *window): await desk.version()})
    await desk.scene.book((0, desk.day, 0), 1)
    renewed = await desk.current()
    token = noting.set(reads)
    try:
        assert await desk.current() is renewed
    finally:
        noting.reset(token)
    assert reads.agendas == {(desk.office, *window): renewed.situation.version}


async def test_the_agendas_used_last_are_kept_as_far_as_they_may_take_memory(database: Database) -> None:
    first = await add_office(database)
    scene = Scene(database, first)
    offices = [first.office, (await add_office(database, code="other", reasons=first.reasons)).office]
    weighed = Agendas(database)
    await weighed.current(offices, FIRST, LAST, scene.now)
    assert weighed.count == 2

    agendas = Agendas(database, kept_bytes=weighed.bytes * 2 // 3)
    kept = await agendas.current(offices[:1], FIRST, LAST, scene.now)
    await agendas.current(offices[1:], FIRST, LAST, scene.now)
    assert agendas.count == 1
    assert agendas.bytes <= weighed.bytes * 2 // 3
    assert await agendas.current(offices[:1], FIRST, LAST, scene.now) != kept


async def test_an_office_larger_than_what_may_be_kept_is_answered_all_the_same(database: Database) -> None:
    scene = Scene(database, await add_office(database))
    agendas = Agendas(database, kept_bytes=0)
    assert set(await agendas.current([scene.place.office], FIRST, LAST, scene.now)) == {scene.place.office}
    assert (agendas.count, agendas.bytes) == (0, 0)


async def test_days_far_ahead_push_nothing_out_of_what_is_kept(desk: Desk) -> None:
    kept = await desk.current()
    far = LAST + timedelta(days=400)
    found = await desk.agendas.current([desk.office], far, far, desk.scene.now)
    assert found[desk.office] is not kept
    assert desk.agendas.count == 1
    assert await desk.current() is kept


async def test_who_holds_locks_does_not_queue_behind_searches(desk: Desk) -> None:
    kept = await desk.current()
    over = Event()
    searches = [asyncio.create_task(desk.agendas.in_thread(over.wait)) for _ in range(10)]
    try:
        async with asyncio.timeout(5):
            assert await desk.under_lock(await desk.version()) is kept
            assert await desk.agendas.asked([kept], lambda: "seated", locked=True) == "seated"
    finally:
        over.set()
        await asyncio.gather(*searches)


async def test_a_question_that_fails_is_weighed_as_well(desk: Desk) -> None:
    agenda = await desk.current()
    before = desk.agendas.bytes

    def fails() -> None:
        query = Query(reason=str(desk.scene.place.reasons["declare"]), from_date=desk.day, to_date=desk.day)
        agenda.engine.answer(query, now=desk.scene.now)
        raise KeyError

    with pytest.raises(KeyError):
        await desk.agendas.asked([agenda], fails)
    assert desk.agendas.bytes > before


async def test_an_agenda_is_weighed_with_what_it_has_been_asked(desk: Desk) -> None:
    agenda = await desk.current()
    before = desk.agendas.bytes
    query = Query(reason=str(desk.scene.place.reasons["declare"]), from_date=desk.day, to_date=desk.day)
    answer = await desk.agendas.asked([agenda], lambda: agenda.engine.answer(query, now=desk.scene.now))
    assert answer.starts
    assert desk.agendas.bytes > before
