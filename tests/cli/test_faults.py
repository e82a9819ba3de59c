"""Whatever is wrong with the installation or the command: one line that names it, a status that is not 0."""

import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.cli.running import PATIENCE_SECONDS, SECRET_KEY, ran

PASSWORD = "only-the-database-knows"  # noqa: S105 - nobody's
NOWHERE = f"postgresql://someone:{PASSWORD}@127.0.0.1:1/somewhere"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["demo", "--now", "yesterday"], "rdv: --now: is not a time like 2027-03-01T08:00:00+01:00"),
        (["demo", "--now", ""], "rdv: --now: is not a time like 2027-03-01T08:00:00+01:00"),
        (
            ["demo", "--now", "2027-03-01T08:00"],
            "rdv: --now: says no offset; write it like 2027-03-01T08:00:00+01:00",
        ),
        (["demo", "--now", "9999-12-31T23:59:59Z"], "rdv: --now: is not between the years 1971 and 2199"),
        (["demo", "--departement", "Paris"], "rdv: --departement: is not a code like 75, 2A or 974"),
        (["demo", "--departement", ""], "rdv: --departement: is not a code like 75, 2A or 974"),
        (["demo", "--fill", "1.01"], "rdv: --fill: is not a share from 0 to 1"),
        (["demo", "--fill", "-0.1"], "rdv: --fill: is not a share from 0 to 1"),
        (["demo", "--fill", "nan"], "rdv: --fill: is not a share from 0 to 1"),
        (
            ["demo", "--host", "no.such.host.invalid"],
            "rdv: --host: 'no.such.host.invalid' is not an address of this machine",
        ),
        (["serve"], "rdv: RDV_SECRET_KEY: is missing; it needs at least 32 characters"),
        (
            ["export-instance", "--office", "x", "--from", "2027-02-30", "--to", "2027-03-01"],
            "rdv: --from: is not a date like 2027-03-01",
        ),
        (
            ["export-instance", "--office", "x", "--from", "2027-03-02", "--to", "2027-03-01"],
            "rdv: --to: is not --from or one of the 399 days after it",
        ),
        (
            ["export-instance", "--office", "x", "--from", "2027-01-01", "--to", "2028-02-05"],
            "rdv: --to: is not --from or one of the 399 days after it",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_named_in_one_line(data_dir: Path, arguments: list[str], line: str) -> None:
    done = ran(data_dir, *arguments)
    assert (done.returncode, done.stderr.strip(), done.stdout) == (1, line, "")


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (["demo", "--port", "many"], "rdv demo: Invalid value for '--port': "),
        (["serve", "--port", "65536"], "rdv serve: Invalid value for '--port': "),
        (["demo", "--fill", "half"], "rdv demo: Invalid value for '--fill': "),
        (["demo", "--seed", "1.5"], "rdv demo: Invalid value for '--seed': "),
        (["demo", "extra"], "rdv demo: Got unexpected extra argument"),
        (
            ["export-instance", "--from", "2027-03-01", "--to", "2027-03-01"],
            "rdv export-instance: Missing option '--office'",
        ),
        (["make-coffee"], "rdv: No such command 'make-coffee'."),
    ],
)
def test_a_command_that_is_not_understood_gets_one_line_and_status_2(
    data_dir: Path, arguments: list[str], begins: str
) -> None:
    done = ran(data_dir, *arguments)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
    assert done.stderr.startswith(begins)
    assert done.stderr.endswith("--help says more)\n")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"RDV_POOL_SIZE": "many"}, "rdv: RDV_POOL_SIZE: "),
        ({"RDV_DATABASE_URL": f"mysql://someone:{PASSWORD}@127.0.0.1/x"}, "rdv: RDV_DATABASE_URL: "),
        ({"RDV_SECRET_KEY": PASSWORD}, "rdv: RDV_SECRET_KEY: needs at least 32 characters"),
        (
            {"RDV_DATABASE_URL": NOWHERE},
            "rdv: RDV_DATABASE_URL: the database cannot be reached: nothing listens at that address",
        ),
        (
            {"RDV_DATABASE_URL": f"postgresql://someone:{PASSWORD}@127.0.0.1:port/x"},
            "rdv: RDV_DATABASE_URL: is not an address like postgresql://user:password@host/database",
        ),
        (
            {"RDV_DATABASE_URL": f"postgresql://someone:{PASSWORD}@127.0.0.1/x?colour=blue"},
            "rdv: RDV_DATABASE_URL: the database cannot be reached: the address has an unknown option",
        ),
        ({"RDV_TOKEN_JWKS": PASSWORD}, "rdv: RDV_TOKEN_JWKS: is not a JSON Web Key Set"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_its_value_is_not(
    data_dir: Path, settings: dict[str, str], line: str
) -> None:
    done = ran(data_dir, "serve", "--port", "0", **({"RDV_SECRET_KEY": SECRET_KEY} | settings))
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (1, 1, "")
    assert done.stderr.startswith(line)
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize("command", [["migrate"], ["demo", "--port", "0"]])
def test_an_unreachable_database_is_one_line_for_every_command(data_dir: Path, command: list[str]) -> None:
    done = ran(data_dir, *command, RDV_DATABASE_URL=NOWHERE)
    line = "rdv: RDV_DATABASE_URL: the database cannot be reached: nothing listens at that address\n"
    assert (done.returncode, done.stderr, done.stdout) == (1, line, "")


def test_a_database_without_tables_is_not_served(data_dir: Path, empty_database_url: str) -> None:
    done = ran(data_dir, "serve", "--port", "0", RDV_DATABASE_URL=empty_database_url, RDV_SECRET_KEY=SECRET_KEY)
    assert (done.returncode, done.stderr, done.stdout) == (
        1,
        "rdv: the database has no rdv tables yet: run `rdv migrate`\n",
        "",
    )


def test_a_database_without_its_exclusion_constraint_is_not_served(data_dir: Path, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("alter table appointment drop constraint appointment_counter_once")
    done = ran(data_dir, "serve", "--port", "0", RDV_DATABASE_URL=database_url, RDV_SECRET_KEY=SECRET_KEY)
    assert (done.returncode, done.stderr, done.stdout) == (
        1,
        "rdv: the database lacks appointment_counter_once: double bookings would be possible\n",
        "",
    )


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_taken_port_is_named_before_anything_else_is_done(data_dir: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ran(data_dir, command, "--port", str(port), RDV_SECRET_KEY=SECRET_KEY)
    line = f"rdv: --port: another program listens on 127.0.0.1 port {port}\n"
    assert (done.returncode, done.stderr, done.stdout) == (1, line, "")
    assert not (data_dir / "postgresql").exists()


def test_an_embedded_server_that_cannot_start_is_one_line(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "postgresql").write_text("a file where a directory should be")
    done = ran(data_dir, "migrate")
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (1, 1, "")
    assert done.stderr.startswith("rdv: RDV_DATA_DIR: the embedded PostgreSQL does not start on ")


def test_migrating_twice_is_fine(data_dir: Path, empty_database_url: str) -> None:
    for _ in range(2):
        done = ran(data_dir, "migrate", RDV_DATABASE_URL=empty_database_url)
        assert (done.returncode, done.stderr, done.stdout) == (0, "", "The database has this version's tables.\n")


def test_a_migration_goes_to_the_servers_own_address_where_there_is_one(
    data_dir: Path, empty_database_url: str
) -> None:
    there = ran(data_dir, "migrate", RDV_DATABASE_URL=NOWHERE, RDV_DIRECT_DATABASE_URL=empty_database_url)
    assert (there.returncode, there.stdout) == (0, "The database has this version's tables.\n")
    away = ran(data_dir, "migrate", RDV_DATABASE_URL=empty_database_url, RDV_DIRECT_DATABASE_URL=NOWHERE)
    said = "rdv: RDV_DIRECT_DATABASE_URL: the database cannot be reached: nothing listens at that address\n"
    assert (away.returncode, away.stdout, away.stderr) == (1, "", said)


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["worker"]])
def test_a_direct_address_that_leads_elsewhere_is_refused_at_the_start(
    data_dir: Path, database_url: str, empty_database_url: str, command: list[str]
) -> None:
    for direct, said in (
        (NOWHERE, "the database cannot be reached: nothing listens at that address"),
        (empty_database_url, "leads to another database than RDV_DATABASE_URL"),
    ):
        settings = {"RDV_DATABASE_URL": database_url, "RDV_DIRECT_DATABASE_URL": direct, "RDV_SECRET_KEY": SECRET_KEY}
        done = ran(data_dir, *command, **settings)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"rdv: RDV_DIRECT_DATABASE_URL: {said}\n")


def test_of_two_that_migrate_at_once_the_second_waits(data_dir: Path, empty_database_url: str) -> None:
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with (
        psycopg.connect(empty_database_url) as holds_up,
        psycopg.connect(empty_database_url, autocommit=True) as looks,
        ThreadPoolExecutor() as threads,
    ):
        holds_up.execute("create table alembic_version ()")
        both = [threads.submit(ran, data_dir, "migrate", RDV_DATABASE_URL=empty_database_url) for _ in range(2)]
        end = time.monotonic() + PATIENCE_SECONDS
        while looks.execute(waiting).fetchone() != (2,):
            assert time.monotonic() < end
            time.sleep(0.05)
        holds_up.rollback()
        assert [(one.result().returncode, one.result().stderr) for one in both] == [(0, "")] * 2


def test_a_database_of_a_later_version_is_one_line(data_dir: Path, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    done = ran(data_dir, "migrate", RDV_DATABASE_URL=database_url)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (1, 1, "")
    assert done.stderr.startswith("rdv: the database is at a migration this version does not know: ")


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["worker"]])
def test_nothing_starts_on_a_database_of_a_later_version(data_dir: Path, database_url: str, command: list[str]) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    done = ran(data_dir, *command, RDV_DATABASE_URL=database_url, RDV_SECRET_KEY=SECRET_KEY)
    line = "rdv: the database is at a newer migration than this rdv knows: use a newer rdv\n"
    assert (done.returncode, done.stderr, done.stdout) == (1, line, "")


@pytest.mark.parametrize("command", [["demo", "--port", "0"], ["migrate"]])
@pytest.mark.parametrize("inside", ["", "further"])
def test_a_data_directory_that_cannot_be_is_one_line(tmp_path: Path, command: list[str], inside: str) -> None:
    file = tmp_path / "file"
    file.touch()
    done = ran(file / inside, *command)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (1, 1, "")
    assert done.stderr.startswith("rdv: RDV_DATA_DIR: ")


def test_an_unknown_office_cannot_be_exported(data_dir: Path, database_url: str) -> None:
    done = ran(
        data_dir,
        *("export-instance", "--office", "nowhere", "--from", "2027-03-01", "--to", "2027-03-01"),
        RDV_DATABASE_URL=database_url,
    )
    assert (done.returncode, done.stderr, done.stdout) == (1, "rdv: --office: there is no office 'nowhere'\n", "")


def test_the_light_commands_import_nothing_heavy(data_dir: Path) -> None:
    script = "import json, sys, rdv.cli; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"sqlalchemy", "sqlmodel", "strawberry", "ortools", "psycopg", "uvicorn", "alembic", "pydantic_settings"}
    assert heavy & set(json.loads(done.stdout)) == set()
