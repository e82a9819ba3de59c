"""Whoever is cancelled while they get a connection leaves it as others want it, or does not leave it at all."""

import asyncio
import gc
from collections.abc import Callable, Coroutine

import psycopg.waiting
import pytest
from psycopg import AsyncConnection
from sqlalchemy import text

from rdv.models.database import Database


async def read(database: Database) -> None:
    async with database.reading() as connection:
        await connection.execute(text("select 1"))


async def write(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("select 1"))


async def watch(database: Database) -> None:
    await database.watch()


@pytest.mark.parametrize("use", [read, write, watch])
async def test_who_is_cancelled_at_whatever_moment_leaves_the_pool_as_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch, use: Callable[[Database], Coroutine[None, None, None]]
) -> None:
    monkeypatch.setattr(psycopg.waiting, "MAX_BUSY_TIME", 0)  # it gives way to others wherever it may
    for steps in range(80):
        task = asyncio.create_task(use(database))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(20):
            while database.in_use:  # noqa: ASYNC110 - given back behind a shield
                await asyncio.sleep(0)
            await database.watch()
        async with database.transaction() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, AsyncConnection)
            assert not driver.autocommit
    gc.collect()  # a connection that nobody gave back is found now
