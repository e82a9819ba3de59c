"""`rdv serve`, `rdv demo` and `rdv export-instance` for real, on real databases."""

import asyncio
import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rdv.engine.document import parse_instance
from rdv.engine.slots import solve
from rdv.integrations.identity import DemoIssuer
from rdv.integrations.viewer import Viewer, ViewerKind
from rdv.models.database import Database
from tests.cli.running import SECRET_KEY, processes_of, ran, running
from tests.country import settle_country

NOW = "2027-03-01T08:00:00+01:00"
VIEWER = "{ viewer { kind profile scope } }"
LONG_AGO, A_CENTURY = datetime(2020, 1, 1, tzinfo=UTC), timedelta(days=36_525)  # valid whenever the tests run
TERM, INT = signal.SIGTERM, signal.SIGINT


@pytest.fixture
def country_url(database_url: str) -> str:
    async def settle() -> None:
        database = Database(database_url)
        await settle_country(database)
        await database.close()

    asyncio.run(settle())
    return database_url


def card_of(data_dir: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((data_dir / "demo.json").read_text())
    return card


@pytest.mark.parametrize("number", [TERM, INT])
def test_a_server_says_its_address_answers_and_ends_quietly(
    data_dir: Path, database_url: str, number: signal.Signals
) -> None:
    settings = {"RDV_DATABASE_URL": database_url, "RDV_SECRET_KEY": SECRET_KEY}
    with running(data_dir, "serve", "--port", "0", until="http://", **settings) as server:
        assert server.said == f"{server.url}\n"
        status, answer = server.ask(VIEWER)
        assert (status, answer["data"]) == (200, {"viewer": {"kind": "ANONYMOUS", "profile": None, "scope": None}})
        assert server.told(number) == 0
    assert server.errors.read_text() == ""


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["worker"]])
def test_a_variable_that_is_no_setting_is_told_at_the_start(
    data_dir: Path, database_url: str, command: list[str]
) -> None:
    settings = {"RDV_DATABASE_URL": database_url, "RDV_SECRET_KEY": SECRET_KEY, "RDV_MAX_COSTS": "7"}
    with running(data_dir, *command, until=None, **settings) as started:
        _until(lambda: "RDV_MAX_COSTS: is no setting of this version" in started.errors.read_text())


def test_tokens_of_the_configured_issuer_are_accepted_and_others_get_a_401(
    data_dir: Path, database_url: str, tmp_path: Path
) -> None:
    ours, theirs = (DemoIssuer(tmp_path / name, issuer="us", audience="rdv") for name in ("ours", "theirs"))
    usager = Viewer(kind=ViewerKind.USAGER, subject="u")
    settings = {
        "RDV_DATABASE_URL": database_url,
        "RDV_SECRET_KEY": SECRET_KEY,
        "RDV_TOKEN_JWKS": ours.jwks(),
        "RDV_TOKEN_ISSUER": "us",
    }
    with running(data_dir, "serve", "--port", "0", until="http://", **settings) as server:
        good = server.ask(VIEWER, ours.token(usager, now=LONG_AGO, lifetime=A_CENTURY))
        bad = server.ask(VIEWER, theirs.token(usager, now=LONG_AGO, lifetime=A_CENTURY))
        old = server.ask(VIEWER, ours.token(usager, now=LONG_AGO, lifetime=timedelta(days=1)))
    assert (good[0], good[1]["data"]) == (200, {"viewer": {"kind": "USAGER", "profile": None, "scope": None}})
    refused = {"message": "The token is not valid.", "extensions": {"code": "UNAUTHENTICATED"}}
    assert bad == old == (401, {"errors": [refused]})


def test_without_an_issuer_every_token_gets_a_401(data_dir: Path, database_url: str, tmp_path: Path) -> None:
    token = DemoIssuer(tmp_path / "key", issuer="rdv-demo", audience="rdv").token(
        Viewer(kind=ViewerKind.USAGER, subject="u"), now=LONG_AGO, lifetime=A_CENTURY
    )
    settings = {"RDV_DATABASE_URL": database_url, "RDV_SECRET_KEY": SECRET_KEY}
    with running(data_dir, "serve", "--port", "0", until="http://", **settings) as server:
        assert server.ask(VIEWER, token)[0] == 401


def demo(data_dir: Path, *more: str, **settings: str) -> Any:
    return running(data_dir, "demo", "--port", "0", "--now", NOW, *more, until="curl", **settings)


def test_a_demo_on_a_given_database_writes_its_card_and_knows_its_personas(data_dir: Path, country_url: str) -> None:
    with demo(data_dir, RDV_DATABASE_URL=country_url) as server:
        card = card_of(data_dir)
        assert {name: value for name, value in card.items() if name != "tokens"} == {
            "url": server.url,
            "database_url": country_url,
            "now": NOW,
            "office_code": "sip-75111-01",
        }
        assert (data_dir / "demo.json").stat().st_mode & 0o777 == 0o600
        assert (data_dir / "demo-secret-key").stat().st_mode & 0o777 == 0o600
        found = {name: server.ask(VIEWER, token)[1]["data"]["viewer"] for name, token in card["tokens"].items()}
        assert server.told(TERM) == 0
    assert {name: tuple(viewer.values()) for name, viewer in found.items()} == {
        "usager": ("USAGER", None, None),
        "usager2": ("USAGER", None, None),
        "agent_local": ("AGENT", "LOCAL", "OWN"),
        "admin_local": ("ADMINISTRATOR", "LOCAL", "OWN"),
        "agent_national": ("AGENT", "NATIONAL", "NATIONAL"),
        "admin_national": ("ADMINISTRATOR", "NATIONAL", "NATIONAL"),
        "agent_departement": ("AGENT", "LOCAL", "DEPARTEMENT"),
        "kiosk": ("DEVICE", None, "OWN"),
    }
    assert not (data_dir / "postgresql").exists()
    assert not (data_dir / "demo.json").exists()
    assert server.errors.read_text() == ""


def test_what_a_demo_prints_can_be_tried_as_it_stands(data_dir: Path, country_url: str) -> None:
    with demo(data_dir, RDV_DATABASE_URL=country_url) as server:
        curl = server.said.splitlines()[-1]
        done = subprocess.run(["sh", "-c", curl], capture_output=True, check=True)
    slots = json.loads(done.stdout)["data"]["slots"]
    assert slots["count"] == sum(len(day["starts"]) for day in slots["days"])
    assert slots["days"] != []


def test_a_demo_without_a_frozen_clock_tells_the_real_one(data_dir: Path, country_url: str) -> None:
    with running(data_dir, "demo", "--port", "0", until="curl", RDV_DATABASE_URL=country_url) as server:
        told = datetime.fromisoformat(card_of(data_dir)["now"])
        assert server.ask(VIEWER)[0] == 200
    assert told.utcoffset() == timedelta(0)
    assert told > LONG_AGO + timedelta(days=365 * 5)


def test_other_parameters_are_told_and_a_reset_is_quiet(data_dir: Path, country_url: str) -> None:
    with demo(data_dir, RDV_DATABASE_URL=country_url) as first:
        assert "Filled earlier" not in first.said
    with demo(data_dir, "--fill", "0.1", RDV_DATABASE_URL=country_url) as second:
        assert "Filled earlier with --fill 0.6 --seed 1, and used again; --reset fills anew." in second.said
    with demo(data_dir, "--fill", "0.1", "--reset", RDV_DATABASE_URL=country_url) as third:
        assert "Filled earlier" not in third.said


def test_an_unknown_departement_is_one_line_that_names_the_known_ones(data_dir: Path, country_url: str) -> None:
    done = ran(data_dir, "demo", "--port", "0", "--departement", "2b", RDV_DATABASE_URL=country_url)
    line = "rdv: --departement: there is no office in '2B'; known are 75, 974\n"
    assert (done.returncode, done.stderr, done.stdout) == (1, line, "")


def test_an_exported_office_is_an_instance_with_the_same_slots_and_without_persons(
    data_dir: Path, country_url: str
) -> None:
    with demo(data_dir, RDV_DATABASE_URL=country_url) as server:
        office, reason = _ids(country_url)
        query = f"""{{ slots(input: {{officeId: "{office}", reasonId: "{reason}", from: "2027-03-01",
                                       to: "2027-03-12"}}) {{ days {{ starts }} }} }}"""
        answer = server.ask(query)[1]["data"]["slots"]["days"]
        done = ran(
            data_dir,
            *("export-instance", "--office", "sip-75111-01", "--from", "2027-03-01", "--to", "2027-03-12"),
            *("--now", NOW),
            RDV_DATABASE_URL=country_url,
        )
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["format"] == "rdv-instance/1"
    assert document["appointments"] != []
    assert "example.org" not in done.stdout
    assert "Agent " not in done.stdout
    instance = parse_instance(document)
    assert [query.reason for query in instance.queries] == [each.id for each in instance.reasons]
    found = solve(instance).answers[[query.reason for query in instance.queries].index(str(reason))]
    starts = [datetime.fromisoformat(start) for day in answer for start in day["starts"]]
    assert [start.isoformat() for start in starts] == [start.isoformat() for start in found.starts]
    assert starts != []


def _ids(url: str) -> tuple[int, int]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            """select o.id, r.id from office o, reason r
               where o.code = 'sip-75111-01' and r.code = 'taxes-pay-late'"""
        ).fetchone()
    assert found is not None
    return found[0], found[1]


@dataclass(frozen=True)
class Embedded:
    """A demo on a server of its own that has been started once, asked, and stopped by Ctrl-C."""

    data_dir: Path
    card: dict[str, Any]
    written: dict[str, Any]
    statuses: list[int]
    server_ran: bool
    exit_status: int
    errors: str
    left: list[str]


@pytest.fixture(scope="module")
def embedded() -> Iterator[Embedded]:
    with tempfile.TemporaryDirectory(prefix="rdv-cli-") as folder:
        Path(folder).chmod(0o711)
        data_dir = Path(folder, "data")
        with demo(data_dir, "--departement", "48") as server:
            card = card_of(data_dir)
            statuses = [server.ask(VIEWER, token)[0] for token in (None, card["tokens"]["agent_local"])]
            written = _written(card["database_url"])
            server_ran = processes_of(data_dir) != []
            exit_status = server.told(INT)
        yield Embedded(
            data_dir,
            card,
            written,
            statuses,
            server_ran,
            exit_status,
            server.errors.read_text(),
            processes_of(data_dir),
        )


def test_an_embedded_demo_of_real_offices_answers_and_leaves_nothing_running(embedded: Embedded) -> None:
    assert embedded.statuses == [200, 200]
    assert embedded.card["office_code"].startswith("sip-48")
    assert (embedded.server_ran, embedded.exit_status, embedded.left) == (True, 0, [])
    assert embedded.errors == "Loading the country's offices, communes and reasons …\n"


def test_a_second_start_neither_loads_nor_fills(embedded: Embedded) -> None:
    with demo(embedded.data_dir, "--departement", "48") as second:
        card = card_of(embedded.data_dir)
        written = _written(card["database_url"])
        assert second.told(TERM) == 0
    assert card["office_code"] == embedded.card["office_code"]
    assert written == embedded.written
    assert processes_of(embedded.data_dir) == []
    assert second.errors.read_text() == ""


def test_a_server_whose_demo_was_killed_stops_with_the_next_demo(embedded: Embedded) -> None:
    with demo(embedded.data_dir, "--departement", "48") as first:
        first.told(signal.SIGKILL)
    assert processes_of(embedded.data_dir) != []
    with demo(embedded.data_dir, "--departement", "48") as second:
        assert second.ask(VIEWER)[0] == 200
        assert second.told(INT) == 0
    assert processes_of(embedded.data_dir) == []


@pytest.mark.parametrize(
    ("number", "mark"), [(TERM, "postgresql"), (INT, "postgresql/PG_VERSION"), (INT, "postgresql/postmaster.pid")]
)
def test_a_demo_that_is_stopped_while_it_prepares_ends_quietly_and_can_start_again(
    data_dir: Path, number: signal.Signals, mark: str
) -> None:
    with running(data_dir, "demo", "--port", "0", until=None) as starting:
        _until(data_dir.joinpath(mark).exists)
        assert starting.told(number) == 0
    assert processes_of(data_dir) == []
    assert starting.errors.read_text() in ("", "Loading the country's offices, communes and reasons …\n")
    assert ran(data_dir, "migrate").returncode == 0


def _written(url: str) -> dict[str, Any]:
    """How many rows the tables that a demo fills have, the transaction that wrote last, and the last id given out."""
    with psycopg.connect(url) as connection:
        return {
            table: connection.execute(
                f"select count(*), max(xmin::text::bigint), pg_sequence_last_value('{table}_id_seq') from {table}"
            ).fetchone()
            for table in ("office", "reason", "counter", "agent", "appointment")
        }


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(6_000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come so far within a minute")
