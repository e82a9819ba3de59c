"""`rdv worker` for real: it does what waits, ends quietly, and leaves to others what it could not end."""

import asyncio
import signal
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rdv.app import open_services
from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models.database import Database
from rdv.settings import read_settings
from rdv.usecases.generation import ExpectedDemand, GenerationRequest, generate
from tests.cli.running import PATIENCE_SECONDS, SECRET_KEY, ran, running
from tests.places import NOW, Place, add_office, add_specialists

HEAD = Viewer(kind=ViewerKind.ADMINISTRATOR, subject="head", profile=Profile.NATIONAL, scope=Scope.NATIONAL)
MONDAY = date(2027, 3, 8)
LISTENING = "from pg_stat_activity where datname = '{}' and query ilike 'listen %'"


def asked(url: str, office: Callable[[Database], Any], seconds: int, weeks: int) -> None:
    """Write an office and ask for a planning of it."""

    async def settle() -> None:
        services = open_services(read_settings(database_url=url, secret_key=SECRET_KEY), lambda: NOW)
        place = await office(services.database)
        days = [MONDAY + timedelta(days=n) for n in range(7 * weeks - 2)]
        demand = [
            ExpectedDemand(
                date=day,
                start_time=start,
                reason_id=str(place.reasons[name]),
                minutes=37 * (at + start + day.day) % 170,
            )
            for day in days
            for start in range(540, 720, 30)
            for at, name in enumerate(("declare", "correct", "survey"))
        ]
        request = GenerationRequest(first=MONDAY, last=days[-1], seconds=seconds, demand=demand)
        await generate(services, HEAD, str(place.office), request)
        await services.close()

    asyncio.run(settle())


async def small(database: Database) -> Place:
    return await add_office(database, agents=2, staffed=True)


async def hard(database: Database) -> Place:
    place = await add_office(database, counters=15, staffed=True)
    await add_specialists(database, place)
    return place


def word(url: str, statement: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement)  # type: ignore[call-overload]
        return found.fetchone()[0] if found.description else None


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_waits_is_done(data_dir: Path, database_url: str) -> None:
    asked(database_url, small, seconds=2, weeks=1)
    done = ran(data_dir, "worker", "--once", RDV_DATABASE_URL=database_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert word(database_url, "select status from planning_draft") == "DONE"
    assert word(database_url, "select count(*) from procrastinate_jobs where task_name = 'generate_planning'") == 0


def test_what_is_done_is_told_by_name(data_dir: Path, database_url: str) -> None:
    job = (
        "insert into procrastinate_jobs (queue_name, task_name, args) values ('default', 'tidy', '{\"timestamp\": 7}')"
    )
    word(database_url, job)
    done = ran(data_dir, "worker", "--once", RDV_DATABASE_URL=database_url, RDV_LOG_LEVEL="INFO")
    told = [line.partition(" INFO rdv.jobs: ")[2] for line in done.stderr.splitlines() if " tidy: " in line]
    assert told == ["tidy: begun", "tidy: 0 rows taken away", "tidy: done"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_stop_leaves_its_job_to_another(
    data_dir: Path, database_url: str, number: signal.Signals
) -> None:
    asked(database_url, hard, seconds=600, weeks=4)
    with running(data_dir, "worker", until=None, RDV_DATABASE_URL=database_url) as worker:
        until(lambda: word(database_url, "select status from planning_draft") == "RUNNING")
        assert worker.told(number) == 0
    job = "select status::text from procrastinate_jobs where task_name = 'generate_planning'"
    assert word(database_url, job) == "todo"
    word(database_url, "update planning_draft set seconds = 1")
    assert ran(data_dir, "worker", "--once", RDV_DATABASE_URL=database_url).returncode == 0
    assert word(database_url, "select status from planning_draft") == "DONE"


def test_a_worker_that_loses_the_database_for_a_moment_fails_so_that_it_is_started_again(
    data_dir: Path, server: str, database_url: str
) -> None:
    name = database_url.rpartition("/")[2].partition("?")[0]
    with running(data_dir, "worker", until=None, RDV_DATABASE_URL=database_url) as worker:
        until(lambda: word(server, f"select count(*) {LISTENING.format(name)}") > 0)
        word(server, f"alter database {name} allow_connections false")
        word(server, f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
        until(lambda: worker.process.poll() is not None or "stopping worker" in worker.errors.read_text())
        word(server, f"alter database {name} allow_connections true")
        assert worker.process.wait(PATIENCE_SECONDS) == 1
    last = worker.errors.read_text().splitlines()[-1]
    assert last == "rdv: RDV_DATABASE_URL: the worker has lost the database: start it again"


def test_a_worker_needs_a_migrated_database(data_dir: Path, empty_database_url: str) -> None:
    refused = ran(data_dir, "worker", RDV_DATABASE_URL=empty_database_url)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "rdv: the database has no rdv tables yet: run `rdv migrate`\n"
