"""Whether a process lives and can answer, and its figures."""

import asyncio
import re
from importlib.metadata import version

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from rdv.models.database import Database
from tests.places import add_office
from tests.tools import ROOT
from tests.web.conftest import Opening


async def test_a_process_says_whether_it_can_answer(opened: Opening, database_url: str) -> None:
    client = await opened()
    assert (await client.get("/health/live")).text == "ok"
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "migration": "current", "oldestJobSeconds": 0.0})
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("update alembic_version set version_num = '0006'")
        late = await client.get("/health/ready")
        assert late.status_code == 503
        assert late.json()["why"].startswith("the database is at migration 0006")
        await connection.execute("drop table alembic_version")
        gone = await client.get("/health/ready")
    assert (gone.status_code, gone.json()["ready"]) == (503, False)
    assert database_url not in gone.text


async def test_a_server_that_runs_stays_ready_when_a_newer_one_has_migrated_the_database(
    opened: Opening, database_url: str
) -> None:
    client = await opened()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("update alembic_version set version_num = '9999'")
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()["migration"]) == (200, "newer")


async def test_a_database_that_hangs_is_not_waited_for(
    opened: Opening, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await opened()
    monkeypatch.setattr("rdv.web.health.PATIENCE_SECONDS", 0.1)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute("lock table alembic_version")
        hanging = await client.get("/health/ready")
    assert (hanging.status_code, hanging.json()) == (503, {"ready": False, "why": "the database does not answer"})


async def test_a_process_whose_connections_are_all_in_use_is_ready_and_tells_its_figures(
    opened: Opening, database_url: str
) -> None:
    client = await opened(metrics=True, pool_size=1)
    waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute("lock table reason")
        asked = [client.post("/graphql", json={"query": "{ reasons { id } }"}) for _ in range(3)]
        waiting = [asyncio.create_task(one) for one in asked]
        async with asyncio.timeout(20):
            while await (await connection.execute(waits)).fetchone() != (1,):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)
        ready = await client.get("/health/ready")
        figures = (await client.get("/metrics")).text
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert "\nrdv_database_connections 1.0\n" in figures
    assert "\nrdv_oldest_job_seconds 0.0\n" in figures
    assert [one.json()["data"] for one in await asyncio.gather(*waiting)] == [{"reasons": []}] * 3


async def test_a_process_whose_connections_were_cut_says_at_once_that_it_is_ready(
    opened: Opening, database_url: str
) -> None:
    client = await opened()
    cut = (
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> %s"
    )
    for _ in range(2):
        assert (await client.get("/health/ready")).status_code == 200
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            done = await (await connection.execute(cut, [connection.info.backend_pid])).fetchall()
        assert set(done) == {(True,)}
    assert (await client.get("/health/ready")).status_code == 200


async def test_a_job_that_waits_is_seen(opened: Opening, database_url: str) -> None:
    client = await opened(metrics=True)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        job = (
            "insert into procrastinate_jobs (queue_name, task_name, args) values ('default', 'generate_planning', '{}')"
        )
        await connection.execute(job)
        await connection.execute("update procrastinate_events set at = at - interval '1 hour'")
        await connection.execute("insert into procrastinate_workers (last_heartbeat) values (now())")
        await connection.execute(
            "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 hour')"
        )
    assert (await client.get("/health/ready")).json()["oldestJobSeconds"] > 3_599
    figures = (await client.get("/metrics")).text
    (waiting,) = re.findall(r"^rdv_oldest_job_seconds (\S+)$", figures, re.MULTILINE)
    assert float(waiting) > 3_599
    assert "\nrdv_workers_alive 1.0\n" in figures


async def test_jobs_that_failed_are_counted_until_somebody_has_looked(opened: Opening, database_url: str) -> None:
    client = await opened(metrics=True)
    assert "\nrdv_failed_jobs 0.0\n" in (await client.get("/metrics")).text
    job = "insert into procrastinate_jobs (queue_name, task_name, args, status) values ('default', 'tidy', '{}', %s)"
    operating = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    again, away = re.findall(r"^ *((?:select procrastinate_|delete from procrastinate_).*;)$", operating, re.MULTILINE)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for status in ("failed", "failed", "todo"):
            await connection.execute(job, [status])
        assert "\nrdv_failed_jobs 2.0\n" in (await client.get("/metrics")).text
        found = await connection.execute("select id from procrastinate_jobs order by id")
        first, second, third = [one for (one,) in await found.fetchall()]
        await connection.execute(again.replace("7", str(first)))
        assert "\nrdv_failed_jobs 1.0\n" in (await client.get("/metrics")).text
        await connection.execute(away.replace("7", str(second)))
        assert "\nrdv_failed_jobs 0.0\n" in (await client.get("/metrics")).text
        left = await connection.execute("select id, status::text from procrastinate_jobs order by id")
        assert await left.fetchall() == [(first, "todo"), (third, "todo")]


async def test_figures_of_jobs_are_left_out_when_the_database_does_not_answer(
    opened: Opening, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await opened(metrics=True)
    monkeypatch.setattr("rdv.web.health.PATIENCE_SECONDS", 0.1)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute("lock table procrastinate_jobs")
        figures = (await client.get("/metrics")).text
    assert "rdv_agendas 0.0" in figures
    assert "rdv_oldest_job_seconds" not in figures
    assert "rdv_workers_alive" not in figures


async def test_prometheus_reads_figures_where_it_is_set_so(opened: Opening) -> None:
    assert (await (await opened()).get("/metrics")).status_code == 404
    client = await opened(metrics=True)
    await client.post("/graphql", json={"query": "query Viewer { viewer { kind } }"})
    await client.post("/graphql", json={"query": "query Secret { viewer { kind } }"})
    await client.post("/graphql", json={"query": "{"})
    figures = (await client.get("/metrics")).text
    assert 'rdv_requests_total{operation="Viewer",status="200"} 1.0' in figures
    # Callers choose names: what is not one of ours is not counted apart.
    assert "Secret" not in figures
    assert re.search(r'rdv_requests_total\{operation="other",status="200"\} 2\.0', figures)
    for name in ("rdv_agendas", "rdv_undecided_starts_total", "rdv_database_connections"):
        assert re.search(rf"^{name} \d", figures, re.MULTILINE), name


async def test_prometheus_is_told_which_stage_of_the_engine_decided_and_what_was_kept(
    opened: Opening, database: Database
) -> None:
    place = await add_office(database)
    client = await opened(metrics=True)
    search = 'slots(input: {officeId: "%s", reasonId: "%s", from: "2027-03-03", to: "2027-03-03"}) { count }'
    for _ in range(2):
        query = {"query": f"{{ {search % (place.office, place.reasons['declare'])} }}"}
        starts = (await client.post("/graphql", json=query)).json()["data"]["slots"]["count"]
    figures = (await client.get("/metrics")).text
    settled = re.findall(r'^rdv_starts_settled_total\{stage="\w+"\} (\d+)\.0$', figures, re.MULTILINE)
    assert sum(map(int, settled)) >= starts > 0
    for name in ("rdv_answers_kept_total", "rdv_answers_sent_again_total", "rdv_agenda_misses_total"):
        assert f"{name} 1.0" in figures


async def test_prometheus_is_told_by_which_codes_requests_are_answered_with_errors(opened: Opening) -> None:
    client = await opened(metrics=True, rate_limit="5/minute")
    search = 'slots(input: {officeId: "0", reasonId: "0", from: "2027-03-03", to: "2027-03-03"}) { count }'
    good, unknown, broken = ({"query": one} for one in ("{ __typename }", f"{{ a: {search} b: {search} }}", "{"))
    await client.post("/graphql", json=good)
    assert 'rdv_errors_total{code="INTERNAL"} 0.0' in (await client.get("/metrics")).text
    await client.post("/graphql", json=unknown)
    await client.post("/graphql", json=[good, unknown, broken])
    await client.post("/graphql", json=broken)
    await client.post("/graphql", json=7)
    await client.post("/graphql", json=good)  # one too many
    counted = re.findall(r'^rdv_errors_total\{code="(\w+)"\} (\S+)$', (await client.get("/metrics")).text, re.MULTILINE)
    assert {code: float(times) for code, times in counted if times != "0.0"} == {
        "NOT_FOUND": 2,
        "GRAPHQL_PARSE_FAILED": 2,
        "none": 1,
        "TOO_MANY_REQUESTS": 1,
    }


async def test_figures_follow_the_conventions_of_prometheus(opened: Opening) -> None:
    client = await opened(metrics=True)
    await client.post("/graphql", json={"query": "{ __typename }"})
    figures = (await client.get("/metrics")).text
    families = {one.name: one for one in text_string_to_metric_families(figures)}
    samples = [sample.name for one in families.values() for sample in one.samples]
    assert not [name for name in samples if name.endswith("_created")]
    assert [sample.labels for sample in families["rdv_build_info"].samples] == [{"version": version("rdv")}]
    assert families["process_resident_memory_bytes"].samples[0].value > 0
    only_grow = {one.name for one in families.values() if one.type == "counter"}
    assert {name.removesuffix("_total") for name in samples if name.endswith("_total")} <= only_grow
    assert "rdv_statements" in only_grow
