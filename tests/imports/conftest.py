"""The package's own data, imported once into a database that the tests of this folder clone or only read."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from rdv.models.database import Database, migrate, with_name
from rdv.usecases.imports import ImportReport, import_everything


@dataclass(frozen=True)
class Imported:
    """A database with all the real data, and what was reported on the way."""

    name: str
    url: str
    reports: dict[str, ImportReport]


async def _import(url: str) -> dict[str, ImportReport]:
    database = Database(url)
    try:
        names = ("communes", "offices", "competence", "shared postcodes", "reasons", "business", "hours")
        return dict(zip(names, await import_everything(database), strict=True))
    finally:
        await database.close()


@pytest.fixture(scope="session")
def imported(server: str) -> Iterator[Imported]:
    name = f"rdv_imported_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        url = with_name(server, name)
        migrate(url)
        yield Imported(name, url, asyncio.run(_import(url)))
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
async def real(imported: Imported) -> AsyncIterator[Database]:
    """The imported data, to be read only."""
    opened = Database(imported.url)
    yield opened
    await opened.close()


@pytest.fixture
async def real_copy(imported: Imported, server: str) -> AsyncIterator[Database]:
    """A copy of the imported data, to be changed."""
    name = f"{imported.name}_copy"
    with psycopg.connect(server, autocommit=True) as connection:
        statement = sql.SQL("create database {} template {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(imported.name)))
        opened = Database(with_name(server, name))
        yield opened
        await opened.close()
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def one(database: Database, statement: str, **bound: object) -> Any:
    """Return the first value of the first row."""
    async with database.reading() as connection:
        return (await connection.execute(text(statement), bound)).scalar()


async def rows(database: Database, statement: str, **bound: object) -> list[tuple[Any, ...]]:
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(statement), bound)]


async def change(database: Database, statement: str, **bound: object) -> None:
    async with database.transaction() as connection:
        await connection.execute(text(statement), bound)
