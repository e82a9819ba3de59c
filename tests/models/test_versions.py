"""Versions are asked of the database for each caller, and once for all who ask together."""

import asyncio
from datetime import date

import psycopg
import pytest
from sqlalchemy import text

from rdv.models.database import Database
from rdv.models.versions import Versions
from tests.places import add_office

DAYS = date(2027, 3, 1), date(2027, 3, 31)


@pytest.fixture
async def office(database: Database) -> int:
    return int((await add_office(database)).office)


async def changed(database: Database, office: int) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("update office set version = version + 1 where id = :id"), {"id": office})


async def test_a_committed_change_is_seen_by_whoever_asks_after_it(database: Database, office: int) -> None:
    versions = Versions(database)
    before = (await versions.of([office], *DAYS))[office]
    await changed(database, office)
    assert (await versions.of([office], *DAYS))[office].office == before.office + 1


async def test_who_asks_while_a_statement_is_on_its_way_gets_the_next_one(database: Database, office: int) -> None:
    versions = Versions(database)
    before = (await versions.of([office], *DAYS))[office]
    on_its_way = asyncio.create_task(versions.of([office], *DAYS))
    await asyncio.sleep(0)
    await changed(database, office)
    later = await asyncio.gather(*(versions.of([office], *DAYS) for _ in range(20)))
    await on_its_way
    assert {found[office].office for found in later} == {before.office + 1}
    assert versions.statements <= 4


async def test_offices_of_different_days_share_a_statement_and_the_unknown_are_left_out(
    database: Database, office: int
) -> None:
    versions = Versions(database)
    await versions.of([office], *DAYS)
    one, two = await asyncio.gather(
        versions.of([office, 987_654], *DAYS), versions.of([office], date(2027, 4, 1), date(2027, 4, 2))
    )
    assert (set(one), set(two), versions.statements) == ({office}, {office}, 2)


async def test_who_gives_up_leaves_the_others_their_answer(database: Database, office: int) -> None:
    versions = Versions(database)
    patient, impatient = (asyncio.create_task(versions.of([office], *DAYS)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert set(await patient) == {office}


async def test_a_connection_that_the_server_closed_is_opened_again(
    database: Database, database_url: str, office: int
) -> None:
    versions = Versions(database)
    before = await versions.of([office], *DAYS)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
        await other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where query like '%with ordinality%' "
            "and pid <> pg_backend_pid() and datname = current_database()"
        )
    assert await versions.of([office], *DAYS) == before
