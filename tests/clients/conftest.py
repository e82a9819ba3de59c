"""Clients generated from `queries/`, and a server for them to ask."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdv.models.database import Database
from rdv.schema.build import COMMITTED
from tests.places import NOW, Place, add_office
from tests.served import Served, serving
from tests.tools import ROOT, found, needs

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a front-end team has it: the schema, the documents, and what configures generators."""
    folder = tmp_path_factory.mktemp("clients")
    (folder / "schema.graphql").symlink_to(COMMITTED)
    (folder / "queries").symlink_to(ROOT / "queries")
    return folder


@pytest.fixture(scope="session")
def python_client(workshop: Path) -> Iterator[Path]:
    """The folder that holds the package `rdv_client`; it can be imported."""
    needs("ariadne-codegen")
    command = [str(found("ariadne-codegen")), "client", "--config", str(HERE / "ariadne.toml")]
    subprocess.run(command, cwd=workshop, check=True, capture_output=True)
    sys.path.insert(0, str(workshop))
    yield workshop
    sys.path.remove(str(workshop))
    for name in [one for one in sys.modules if one.split(".")[0] == "rdv_client" or one == "tests.clients.journey"]:
        del sys.modules[name]


@pytest.fixture
def place(database_url: str) -> Place:
    """An office with one counter, written before anybody asks."""

    async def settle() -> Place:
        database = Database(database_url)
        try:
            return await add_office(database)
        finally:
            await database.close()

    return asyncio.run(settle())


@pytest.fixture
def served(place: Place, database_url: str, tmp_path: Path) -> Iterator[Served]:
    """A server of its own process on the database that has the place, at 08:00 in Paris."""
    clock = tmp_path / "clock"
    clock.write_text(NOW.isoformat(), encoding="utf-8")
    with serving(database_url, clock) as server:
        yield server
