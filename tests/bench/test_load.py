"""A second or two of load on a real server, by the real generator: every answer right, every figure there."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from benchmarks.load import report
from benchmarks.load.generator import NPM, drive
from benchmarks.load.probes import statements_by_operation
from benchmarks.load.run import Wish, plan, run
from benchmarks.load.scenarios import SCENARIOS
from benchmarks.load.servers import Worker
from benchmarks.load.servers import serving as serving_workers
from benchmarks.load.target import ask, look
from rdv.errors import BadSetting
from rdv.models.database import Database
from tests.bench.seeding import SMALL, fill
from tests.places import NOW
from tests.served import serving
from tests.tools import needs


@pytest.fixture
def seeded_url(database_url: str) -> str:
    async def settle() -> None:
        database = Database(database_url)
        await fill(database)
        await database.close()

    asyncio.run(settle())
    return database_url


@pytest.fixture
def tested(seeded_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A server with the clock of the seed, that tells its figures."""
    clock = tmp_path / "clock"
    clock.write_text(NOW.isoformat(), encoding="utf-8")
    monkeypatch.setenv("RDV_METRICS", "true")
    with serving(seeded_url, clock) as running:
        yield Worker(running.url)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_scenario_is_sent_as_planned_and_answered_without_an_error(tested: Worker, name: str) -> None:
    needs("node", npm=NPM)
    wanted = plan(SCENARIOS[name], look(tested.url), [tested], rate=25, seconds=2, today=NOW.date(), run=f"test-{name}")
    found = drive(wanted)
    assert (len(found.done), found.stopped) == (50, False)
    assert [said for said in found.verdict if said.startswith("error")] == []
    assert set(found.operation) <= set(SCENARIOS[name].weights)
    assert found.intended.tolist() == pytest.approx([40.0 * n for n in range(50)])


def test_too_many_unanswered_requests_end_a_run(tested: Worker) -> None:
    needs("node", npm=NPM)
    wanted = plan(SCENARIOS["campaign"], look(tested.url), [tested], rate=5_000, seconds=60, today=NOW.date(), run="x")
    found = drive(replace(wanted, most_waiting=20))
    assert found.stopped
    assert list(found.verdict).count("error: unanswered") == 22


def test_a_warm_search_takes_at_most_two_round_trips(tested: Worker) -> None:
    needs("node", npm=NPM)
    target = look(tested.url)
    found = statements_by_operation(SCENARIOS["campaign"], target, [tested], NOW, requests=4)
    assert set(found) == {"search_slots", "hold_slot", "confirm_appointment"}
    assert found["search_slots"] <= 2
    assert found["hold_slot"] >= 4  # a transaction that locks, reads and writes


def test_a_run_against_a_server_becomes_a_report(tested: Worker) -> None:
    needs("node", npm=NPM)
    wish = Wish(
        scenarios=["campaign"],
        workers=[1],
        rates=[10],
        start=10,
        seconds=1,
        step_seconds=1,
        agendas_kept_mb=None,
        memory=False,
        now=NOW,
    )
    found = run(wish, database=None, url=tested.url, data={"url": "of a test"}, tell=lambda _: None)
    assert [(leg["scenario"], leg["workers"], len(leg["steps"])) for leg in found["legs"]] == [("campaign", 1, 1)]
    assert orjson.loads(report.as_json(found)) == found
    assert "## campaign, 1 worker" in report.as_markdown(found).splitlines()
    assert report.as_html(found).count("<svg") == 2


def test_workers_serve_one_database_tell_their_statements_and_end(seeded_url: str) -> None:
    with serving_workers(seeded_url, 2) as workers:
        processes = [worker.process for worker in workers]
        assert len({worker.url for worker in workers}) == 2
        target = look(workers[0].url)
        before = workers[0].metric("rdv_statements_total")
        ask(workers[0].url, '{ office(code: "bench-0001") { id } }')
        assert before is not None
        assert workers[0].metric("rdv_statements_total") == before + 1
        memory = workers[1].memory()
        assert memory is not None
        assert 0 < memory["now"] <= memory["highest"]
    assert [one["code"] for one in target.offices] == [f"bench-000{n}" for n in (1, 2, 3, 4)]
    assert len(target.reasons) == 12
    assert [process for process in processes if Path(f"/proc/{process}").exists()] == []
    assert SMALL.offices == len(target.offices)


def test_a_server_without_the_data_of_a_benchmark_is_refused(database_url: str) -> None:
    with serving_workers(database_url, 1) as (worker,), pytest.raises(BadSetting, match="`rdv bench seed` makes them"):
        look(worker.url)
