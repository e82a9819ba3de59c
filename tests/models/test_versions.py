"""Versions are asked of the database for each caller, and once for all who ask together."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from rdv.models.database import Database
from rdv.models.reads import Reads, Version
from rdv.models.versions import EARLY, Versions
from tests.places import add_office

DAYS = date(2027, 3, 1), date(2027, 3, 31)
OTHERS = """
select count(*) from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
"""


@pytest.fixture
async def office(database: Database) -> int:
    return int((await add_office(database)).office)


@pytest.fixture
async def versions(database: Database) -> AsyncIterator[Versions]:
    versions = Versions(database)
    yield versions
    await versions.close()


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


async def changed(database: Database, office: int) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("update office set version = version + 1 where id = :id"), {"id": office})


async def test_a_committed_change_is_seen_by_whoever_asks_after_it(
    database: Database, versions: Versions, office: int
) -> None:
    before = (await versions.of([office], *DAYS))[office]
    await changed(database, office)
    assert (await versions.of([office], *DAYS))[office].office == before.office + 1


@pytest.mark.parametrize("many", [2, 2 * EARLY])
async def test_who_asks_while_a_statement_is_on_its_way_gets_the_next_one(
    database: Database, versions: Versions, office: int, many: int
) -> None:
    before = (await versions.of([office], *DAYS))[office]
    async with database.transaction() as holding:
        await holding.execute(text("lock table office_day in access exclusive mode"))
        on_its_way = asyncio.create_task(versions.of([office], *DAYS))
        await asyncio.sleep(0.05)
        assert versions.statements == 2
        await holding.execute(text("update office set version = version + 1 where id = :id"), {"id": office})
        later = [asyncio.create_task(versions.of([office], *DAYS)) for _ in range(many)]
        await asyncio.sleep(0.05)
    await on_its_way
    assert {found[office].office for found in await asyncio.gather(*later)} == {before.office + 1}
    assert versions.statements == 3


async def test_offices_of_different_days_share_a_statement_and_the_unknown_are_left_out(
    database: Database, versions: Versions, office: int
) -> None:
    await versions.of([office], *DAYS)
    one, two = await asyncio.gather(
        versions.of([office, 987_654], *DAYS), versions.of([office], date(2027, 4, 1), date(2027, 4, 2))
    )
    assert (set(one), set(two), versions.statements) == ({office}, {office}, 2)


async def test_a_crowd_does_not_wait_for_who_comes_later_in_the_same_turn(
    database: Database, versions: Versions, office: int
) -> None:
    await versions.of([office], *DAYS)
    found = await asyncio.gather(*(versions.of([office], *DAYS) for _ in range(2 * EARLY)))
    assert found == [found[0]] * (2 * EARLY)
    assert set(found[0]) == {office}
    assert versions.statements == 3


async def test_a_question_that_is_more_than_a_socket_takes_at_once_is_answered(versions: Versions, office: int) -> None:
    unknown = range(office + 1, office + 100_000)
    assert set(await versions.of([office, *unknown], *DAYS)) == {office}


async def test_who_gives_up_leaves_the_others_their_answer(database: Database, versions: Versions, office: int) -> None:
    patient, impatient = (asyncio.create_task(versions.of([office], *DAYS)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert set(await patient) == {office}


async def test_a_connection_that_the_server_closed_is_opened_again(
    database: Database, versions: Versions, database_url: str, office: int
) -> None:
    before = await versions.of([office], *DAYS)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
        await other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where query like '%with ordinality%' "
            "and pid <> pg_backend_pid() and datname = current_database()"
        )
    assert await versions.of([office], *DAYS) == before


async def test_a_statement_that_is_cancelled_leaves_no_connection_behind(
    database_url: str, database: Database, office: int
) -> None:
    impatient = Database(database_url, statement_timeout_ms=100)
    versions = Versions(impatient)
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("lock table office_day in access exclusive mode")
        for _ in range(3):
            with pytest.raises(psycopg.DatabaseError, match="statement timeout"):
                await versions.of([office], *DAYS)
        count = "select count(*) from pg_stat_activity where query like '%with ordinality%' and pid <> pg_backend_pid()"
        row = await (await other.execute(count + " and datname = current_database()")).fetchone()
    assert row is not None
    assert row[0] <= 1
    assert versions.statements == 3
    assert set(await versions.of([office], *DAYS)) == {office}
    await impatient.close()


async def test_who_waits_for_a_silent_server_is_told_after_a_while(
    database: Database, versions: Versions, office: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rdv.models.versions.LONGEST_SECONDS", 0.2)
    async with database.transaction() as connection:
        await connection.execute(text("lock table office_day in access exclusive mode"))
        with pytest.raises(TimeoutError):
            await versions.of([office], *DAYS)
    assert set(await versions.of([office], *DAYS)) == {office}


async def test_closing_while_versions_are_asked_for_leaves_no_connection_and_nobody_waiting(
    database: Database, database_url: str, office: int
) -> None:
    closing = Database(database_url)
    versions = Versions(closing)
    await versions.of([office], *DAYS)
    async with database.transaction() as connection:
        await connection.execute(text("lock table office_day in access exclusive mode"))
        waiting = asyncio.create_task(versions.of([office], *DAYS))
        await asyncio.sleep(0.05)
        await versions.close()
        await closing.close()
        for late in (waiting, versions.of([office], *DAYS)):
            with pytest.raises(psycopg.InterfaceError, match="closed"):
                await late
    with pytest.raises(psycopg.InterfaceError, match="closed"):
        await closing.dedicated()
    async with asyncio.timeout(20), database.reading() as connection:
        while (await connection.execute(text(OTHERS))).scalar():  # noqa: ASYNC110 - its processes end a little later
            await asyncio.sleep(0.01)


def test_an_answer_of_two_versions_of_one_agenda_holds_at_no_moment() -> None:
    reads, asked = Reads(), (1, *DAYS)
    for version in (Version(1, 1, 1), Version(1, 1, 1)):
        reads.agenda(asked, version, None)
    assert not reads.others
    reads.agenda(asked, Version(1, 1, 2), None)
    assert reads.others
