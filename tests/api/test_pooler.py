"""A transaction pooler in front of the database: PgBouncer, which gives each transaction any server process it has."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from rdv.models.database import Database
from rdv.models.notices import Notices, of_office
from rdv.models.versions import Versions
from tests.api.conftest import opened
from tests.api.steps import booked, search
from tests.places import add_office
from tests.tools import found, needs

DAYS = date(2027, 3, 1), date(2027, 3, 31)
WEDNESDAY = {"from": "2027-03-03", "to": "2027-03-03"}
PATIENCE_SECONDS = 10
CONFIGURATION = """
[databases]
* = {server}
[pgbouncer]
unix_socket_dir = {folder}
listen_port = 6432
auth_type = any
pool_mode = transaction
default_pool_size = 3
ignore_startup_parameters = extra_float_digits, options
"""


@pytest.fixture
def pooler(database_url: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a test's database through a pooler with up to three server processes, and the pooler."""
    needs("pgbouncer")
    known = conninfo_to_dict(database_url)
    server = " ".join(f"{name}={known[name]}" for name in ("host", "port", "user", "password") if known.get(name))
    with tempfile.TemporaryDirectory(prefix="rdv-pooler-") as folder:
        as_user = []
        if os.getuid() == 0:  # PgBouncer refuses to run as root
            host = str(known["host"])
            owner = Path(host).owner() if host.startswith("/") else "postgres"  # to whom the server's socket is open
            shutil.chown(folder, owner)
            as_user = ["-u", owner]
        file = Path(folder, "pgbouncer.ini")
        file.write_text(CONFIGURATION.format(server=server, folder=folder), encoding="utf-8")
        Path(folder).chmod(0o711)
        url = f"postgresql://{known['user']}@localhost/{known['dbname']}?host={folder}&port=6432"
        with subprocess.Popen([str(found("pgbouncer")), "-q", *as_user, file]) as running:
            try:
                _wait_for(url)
                yield url, running
            finally:
                running.kill()


@pytest.fixture
def pooled_url(pooler: tuple[str, subprocess.Popen[bytes]]) -> str:
    url, _ = pooler
    return url


def _wait_for(url: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


async def test_through_a_pooler_slots_are_searched_and_booked(pooled_url: str) -> None:
    database = Database(pooled_url)
    place = await add_office(database)
    await database.close()
    async with opened(pooled_url) as api:
        before, *others = await asyncio.gather(*(search(api, place, **WEDNESDAY) for _ in range(12)))
        await booked(api, place, "2027-03-03T10:00:00+01:00")
        after = await asyncio.gather(*(search(api, place, **WEDNESDAY) for _ in range(12)))
    assert others == [before] * 11
    assert after == [after[0]] * 12
    assert after[0]["count"] < before["count"]


async def test_versions_are_asked_of_whichever_server_process_answers(pooled_url: str) -> None:
    database = Database(pooled_url)
    office = (await add_office(database)).office
    await database.close()
    database = Database(pooled_url)
    versions = Versions(database)
    first = await versions.of([office], *DAYS)
    async with await psycopg.AsyncConnection.connect(pooled_url) as other:
        await other.execute("select 1")  # until its transaction ends it has the process that knows the statement
        assert await versions.of([office], *DAYS) == first
    assert await versions.of([office], *DAYS) == first
    assert versions.statements in (3, 4)  # older poolers: that another process does not know it was found out once
    await database.close()


@pytest.mark.parametrize(
    ("through_pooler", "named"),
    [("database_url", "RDV_DATABASE_URL"), ("direct_database_url", "RDV_DIRECT_DATABASE_URL")],
)
async def test_a_process_is_ready_while_both_addresses_answer_and_names_the_one_that_does_not(
    pooler: tuple[str, subprocess.Popen[bytes]], database_url: str, through_pooler: str, named: str
) -> None:
    pooled_url, running = pooler
    settings = {"database_url": database_url, "direct_database_url": database_url} | {through_pooler: pooled_url}
    async with opened(settings.pop("database_url"), **settings) as api:
        assert (await api.client.get("/health/ready")).status_code == 200
        running.kill()
        running.wait()
        gone = await api.client.get("/health/ready")
    assert gone.status_code == 503
    assert gone.json()["why"].startswith(f"{named}: the database cannot be reached: ")


async def test_with_every_server_process_in_use_a_pooler_still_counts_as_there(
    pooled_url: str, database_url: str
) -> None:
    async with opened(pooled_url, direct_database_url=database_url) as api, AsyncExitStack() as stack:
        for _ in range(3):
            busy = await stack.enter_async_context(await psycopg.AsyncConnection.connect(pooled_url))
            await busy.execute("select 1")  # until its transaction ends
        assert (await api.client.get("/health/ready")).status_code == 200


async def test_with_the_servers_own_address_changes_are_told_at_once(pooled_url: str, database_url: str) -> None:
    database = Database(pooled_url, direct_url=database_url)
    office = (await add_office(database)).office
    notices = Notices(database)
    async with notices.about(of_office(office)) as changed:
        changed.clear()
        async with database.transaction() as connection:
            await connection.execute(text("update office set version = version + 1"))
        await asyncio.wait_for(changed.wait(), PATIENCE_SECONDS)
    await notices.close()
    await database.close()
