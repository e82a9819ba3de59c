"""Real parts for every test: one PostgreSQL server a session, and a database of its own for each test that asks.

The server is the embedded one, unless `RDV_TEST_SERVER` names another (with the right to create databases). A migrated
template is cloned per test, which takes some tens of milliseconds, so tests may commit and never see each other.
"""

import itertools
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from rdv.models.database import Database, migrate, with_name
from rdv.models.embedded import embedded_server
from tests.tools import LEFT_OUT, left_out

settings.register_profile("dev", max_examples=50, deadline=None, print_blob=True)
settings.register_profile("ci", max_examples=300, deadline=None, print_blob=True)
settings.register_profile(
    "nightly", max_examples=5_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("RDV_TEST_PROFILE", "dev"))

_numbers = itertools.count()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end which tests were left out for want of tools, and how to run them."""
    lines = left_out(terminalreporter.stats.get("skipped", []))
    if lines:
        terminalreporter.section("left out")
        terminalreporter.write_line("\n".join([LEFT_OUT, *lines]))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a running PostgreSQL; its path names the database to connect to for `create database`."""
    given = os.environ.get("RDV_TEST_SERVER")
    if given:
        yield given
        return
    # Not in pytest's own folder: the server has a user of its own where we are root, and pytest shuts others out.
    with tempfile.TemporaryDirectory(prefix="rdv-") as folder:
        Path(folder).chmod(0o711)
        with ExitStack() as stack:
            with Path(tempfile.gettempdir(), f"rdv-tests-{os.getuid()}.lock").open("w", encoding="ascii") as lock:
                flock(lock, LOCK_EX)  # the first one makes the server's user, who would be made twice
                url = stack.enter_context(embedded_server(Path(folder, "postgresql")))
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing here outlives the session
                administer(url, f"alter system set {setting} = off")
            administer(url, "select pg_reload_conf()")
            yield url


def administer(server: str, statement: str, **names: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(**{key: sql.Identifier(name) for key, name in names.items()}))


@pytest.fixture(scope="session")
def migrated_template(server: str) -> Iterator[str]:
    """The name of a migrated, empty database."""
    name = f"rdv_template_{os.getpid()}"
    administer(server, "create database {name}", name=name)
    migrate(with_name(server, name))
    yield name
    administer(server, "drop database {name} with (force)", name=name)


@pytest.fixture
def empty_database_url(server: str) -> Iterator[str]:
    """A database without any table."""
    name = f"rdv_empty_{os.getpid()}_{next(_numbers)}"
    administer(server, "create database {name}", name=name)
    yield with_name(server, name)
    administer(server, "drop database {name} with (force)", name=name)


@pytest.fixture
def database_url(server: str, migrated_template: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    with cloned(server, migrated_template) as url:
        yield url


@contextmanager
def cloned(server: str, template: str) -> Iterator[str]:
    """Make a database like a template, and drop it at the end."""
    name = f"rdv_test_{os.getpid()}_{next(_numbers)}"
    administer(server, "create database {name} template {template}", name=name, template=template)
    try:
        yield with_name(server, name)
    finally:
        administer(server, "drop database {name} with (force)", name=name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on a migrated database of the test's own; for async tests (`pytest.mark.anyio`)."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A place for RDV_DATA_DIR that does not exist yet; a server that runs as another user may enter it."""
    with tempfile.TemporaryDirectory(prefix="rdv-cli-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder, "data")
