"""A second or two of load on a real server, by the real generator: every answer right, every figure there."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.load.generator import NPM
from benchmarks.load.run import Wish, run
from benchmarks.load.scenarios import SCENARIOS
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


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_scenario_is_sent_as_planned_and_answered_without_an_error(
    seeded_url: str, tmp_path: Path, name: str
) -> None:
    needs("node", npm=NPM)
    clock = tmp_path / "clock"
    clock.write_text(NOW.isoformat(), encoding="utf-8")
    wish = Wish(
        scenarios=[name],
        workers=[1],
        rates=[25],
        start=25,
        seconds=2,
        step_seconds=1,
        agendas_kept=None,
        memory=False,
        now=NOW,
    )
    with serving(seeded_url, clock) as server:
        found = run(wish, database=None, url=server.url, data={}, tell=lambda _: None)
    (leg,) = found["legs"]
    (step,) = leg["steps"]
    assert (step["rate"], step["errors"], step["stopped"]) == (25, {}, False)
    assert leg["statements"] == {}  # this server tells no metrics
    if leg["measured"] is None:  # the machine was too slow for the rate; that is a figure, not a fault
        assert not step["held"]
        return
    operations = leg["measured"]["operations"]
    assert (operations["all"]["requests"], operations["all"]["errors"]) == (40, {})
    assert set(operations) - {"all"} <= set(SCENARIOS[name].weights)


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
    assert [one["code"] for one in target.offices] == ["bench-0001", "bench-0002"]
    assert len(target.reasons) == 12
    assert [process for process in processes if Path(f"/proc/{process}").exists()] == []
    assert SMALL.offices == len(target.offices)


def test_a_server_without_the_data_of_a_benchmark_is_refused(database_url: str) -> None:
    with serving_workers(database_url, 1) as (worker,), pytest.raises(BadSetting, match="`rdv bench seed` makes them"):
        look(worker.url)
