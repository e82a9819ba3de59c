"""The `slots` operation over HTTP, one worker, warm, against servers that give the same rows.

References, each a process of its own: bytes that are ready (static), the same values encoded by orjson for each
request, stock Strawberry, and graphql-yoga and mercurius (with its JIT) on Node; autocannon is the load (`make tools`
gets both). Ours runs twice: with the answers it keeps, and without, so that each is worked out. Every body is compared
with the first, whose rows have been checked. Rounds go around all servers; of each, its best round counts.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson

from benchmarks.office import write_office
from rdv.models.database import migrate
from rdv.models.embedded import embedded_server

NPM = Path(__file__).parent / "npm"
CONNECTIONS, SECONDS, ROUNDS = 32, 3, 3
COLD_REQUESTS = 42
SEARCH = '{officeId: "%d", reasonId: "%d", from: "2027-03-01", to: "2027-03-30"}'
SELECTIONS = {
    "days { date starts }": "date starts",
    "slots { start end remaining }": "date slots { start end remaining }",
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that answers one request; `process` for its processor time."""

    name: str
    url: str
    body: dict[str, str]
    process: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Requests per second, and the server's milliseconds of processor time for one."""

    rate: float
    milliseconds: float


def run() -> list[dict[str, Any]]:
    """Return the rows of the table."""
    if not (NPM / "node_modules").is_dir():
        sys.exit("benchmarks/npm: run `make tools` first")
    rows = []
    with tempfile.TemporaryDirectory() as folder, embedded_server(Path(folder)) as address:
        migrate(address)
        office, reason = write_office(address)
        search = SEARCH % (office, reason)
        rows.append(_cold(address, [office, write_office(address, code="sip-other", reason=reason)[0]], reason))
        for name, selection in SELECTIONS.items():
            with ExitStack() as stack:
                query = f"{{ slots(input: {search}) {{ days {{ {selection} }} }} }}"
                rows += _table(name, stack, Path(folder), address=address, query=query, selection=selection)
    return rows


def _table(
    name: str, stack: ExitStack, folder: Path, *, address: str, query: str, selection: str
) -> list[dict[str, Any]]:
    body = {"query": query}
    kept, worked = (
        stack.enter_context(_ours(f"rdv, {label}", address, body, megabytes=megabytes))
        for label, megabytes in (("answers kept", 64), ("each worked out", 0))
    )
    first = httpx2.post(kept.url, json=body).json()["data"]["slots"]["days"]
    starts = _checked(first)
    plain = {"query": f"{{ slots {{ days {{ {selection} }} }} }}"}
    file = folder / "rows.json"
    file.write_bytes(orjson.dumps(first))
    references = stack.enter_context(_references(file))
    servers = [
        *(Server(name=n, url=references[0] + path, body=plain, process=references[1]) for n, path in PATHS.items()),
        stack.enter_context(_node("yoga", file, plain)),
        stack.enter_context(_node("mercurius", file, plain)),
        worked,
        kept,
    ]
    best: dict[str, Measured] = {}
    for _ in range(ROUNDS):
        for one in servers:
            found = _measured(one)
            if one.name not in best or found.rate > best[one.name].rate:
                best[one.name] = found
    statements = {one.name: _statements(one) for one in (kept, worked)}
    return [
        {
            "name": f"http {name}: {one.name}",
            "value": f"{best[one.name].rate:.0f}/s, {best[one.name].milliseconds:.2f} ms",
            "reference": f"{best[reference].rate:.0f}/s, {best[reference].milliseconds:.2f} ms {reference}",
            "ratio": best[one.name].rate / best[reference].rate,
            "checked": f"{starts} starts" + statements.get(one.name, ""),
        }
        for one in servers
        for reference in (("static",) if one is kept else ("orjson",))
        if one.name != reference
    ]


PATHS = {"static": "/static", "orjson": "/orjson", "stock strawberry": "/graphql"}


def _cold(address: str, offices: list[int], reason: int) -> dict[str, Any]:
    """Ask two offices in turn of a server that keeps one: each is read from the database and compiled anew."""
    settings = {"RDV_AGENDAS_KEPT": "1"}
    with _ours("cold", address, {}, megabytes=0, **settings) as server, httpx2.Client(timeout=30) as http:
        before, took = 0, []
        for turn in range(COLD_REQUESTS):
            search = SEARCH % (offices[turn % 2], reason)
            query = f"{{ slots(input: {search}) {{ days {{ {SELECTIONS['slots { start end remaining }']} }} }} }}"
            began = time.perf_counter()
            answer = http.post(server.url, json={"query": query})
            took.append(time.perf_counter() - began)
            starts = _checked(answer.json()["data"]["slots"]["days"])
            if turn == 1:  # what a process reads once has been read
                before, took = _sent(server), []
        statements = (_sent(server) - before) / len(took)
    took.sort()
    return {
        "name": "http cold office: slots { start end remaining }",
        "value": f"{took[len(took) // 2] * 1e3:.0f} ms, at most {took[-1] * 1e3:.0f}",
        "reference": "50 ms",
        "ratio": 0.05 / took[len(took) // 2],
        "checked": f"{starts} starts; SQL statements: {statements:.1f}",
    }


def _sent(server: Server) -> int:
    figures = httpx2.get(server.url.removesuffix("/graphql") + "/metrics").text
    (line,) = (line for line in figures.splitlines() if line.startswith("rdv_statements_total "))
    return int(float(line.split()[1]))


def _checked(days: list[dict[str, Any]]) -> int:
    """Check the rows against what was written: 22 working days less Easter Monday, none outside the hours."""
    starts = [s for day in days for s in day.get("starts") or [slot["start"] for slot in day["slots"]]]
    assert len(days) == 21, len(days)
    assert all("09:00" <= start[11:16] <= "16:30" for start in starts)
    assert starts == sorted(set(starts))
    return len(starts)


def _measured(server: Server) -> Measured:
    wanted = httpx2.post(server.url, json=server.body).raise_for_status()
    assert "errors" not in wanted.json()
    before = _processor_seconds(server.process)
    said = subprocess.run(  # noqa: S603 - the locked package
        [
            NPM / "node_modules/.bin/autocannon",
            *("-c", str(CONNECTIONS), "-d", str(SECONDS), "-m", "POST", "-H", "content-type=application/json"),
            *("-b", orjson.dumps(server.body).decode(), "--expectBody", wanted.text, "--json", "--no-progress"),
            server.url,
        ],
        capture_output=True,
        check=True,
    )
    used = _processor_seconds(server.process) - before
    result = orjson.loads(said.stdout)
    assert not any(result[fault] for fault in ("mismatches", "errors", "non2xx")), result
    done = result["2xx"]
    return Measured(rate=done / result["duration"], milliseconds=1000 * used / done)


def _statements(server: Server) -> str:
    """Say how many statements a lone request takes, and one of many at once."""
    before = _sent(server)
    httpx2.post(server.url, json=server.body)
    alone = _sent(server) - before
    said = subprocess.run(  # noqa: S603 - the locked package
        [
            NPM / "node_modules/.bin/autocannon",
            *("-c", str(CONNECTIONS), "-a", "1000", "-m", "POST", "-H", "content-type=application/json"),
            *("-b", orjson.dumps(server.body).decode(), "--json", "--no-progress"),
            server.url,
        ],
        capture_output=True,
        check=True,
    )
    many = (_sent(server) - before - alone) / orjson.loads(said.stdout)["2xx"]
    return f"; SQL statements: {alone} alone, {many:.2f} at {CONNECTIONS} at once"


@contextmanager
def _ours(name: str, address: str, body: dict[str, str], *, megabytes: int, **more: str) -> Iterator[Server]:
    settings = {"RDV_DATABASE_URL": address, "RDV_SECRET_KEY": "benchmark " * 4, "RDV_METRICS": "1"}
    settings |= {"RDV_ANSWERS_KEPT_MB": str(megabytes)} | more
    with _python("benchmarks.served", [], settings) as (url, process):
        yield Server(name=name, url=url + "/graphql", body=body, process=process)


@contextmanager
def _references(file: Path) -> Iterator[tuple[str, int]]:
    with _python("benchmarks.references", [str(file)], {}) as found:
        yield found


@contextmanager
def _python(module: str, arguments: list[str], settings: dict[str, str]) -> Iterator[tuple[str, int]]:
    listening = socket.create_server(("127.0.0.1", 0))
    started = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module, str(listening.fileno()), *arguments],
        env=os.environ | settings,
        pass_fds=[listening.fileno()],
    )
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", started.pid
    finally:
        started.terminate()
        started.wait()
        listening.close()


@contextmanager
def _node(kind: str, file: Path, body: dict[str, str]) -> Iterator[Server]:
    with subprocess.Popen(  # noqa: S603 - our own script
        ["node", "servers.mjs", kind, str(file)],  # noqa: S607 - wherever the machine has it
        cwd=NPM,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"NODE_ENV": "production"},
    ) as started:
        try:
            assert started.stdout is not None
            port = int(started.stdout.readline())
            yield Server(name=kind, url=f"http://127.0.0.1:{port}/graphql", body=body, process=started.pid)
        finally:
            started.terminate()


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
