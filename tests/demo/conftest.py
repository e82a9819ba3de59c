import os
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from rdv.models.database import Database, with_name
from tests.country import settle_country


@pytest.fixture
async def country(database: Database) -> Database:
    await settle_country(database)
    return database


@pytest.fixture
async def twin(twin_url: str) -> AsyncIterator[Database]:
    """The same country in a second database, to compare with."""
    opened = Database(twin_url)
    await settle_country(opened)
    yield opened
    await opened.close()


@pytest.fixture
def twin_url(server: str, migrated_template: str) -> Iterator[str]:
    name = f"rdv_twin_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{migrated_template}"')
    yield with_name(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')
