"""The `slots` operation over HTTP, one worker, warm, against servers that give the same rows.

References, each a process of its own: bytes that are ready (static), the same values encoded by orjson for each
request, stock Strawberry, and graphql-yoga and mercurius (with its JIT) on Node. Ours runs twice: with the answers it
keeps, and without, so that each is executed (its rows are written once, as long as nothing changes). wrk is the load,
since it leaves two cores to the servers and their database; before, autocannon compares a thousand bodies of each
server with the first, whose rows have been checked. Rounds go around all servers; a ratio is the median of those of the
rounds. Then h2load asks at 80 % of what a server could do (`steady.py`). `make tools` gets all three.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import orjson

from benchmarks.office import write_office
from benchmarks.steady import steady
from rdv.models.database import migrate
from rdv.models.embedded import embedded_server

NPM = Path(__file__).parent / "npm"
WRK = Path(__file__).with_name("wrk.lua")
CONNECTIONS, SECONDS, ROUNDS = 32, 3, 5
MANY = 128  # connections: more of them share a statement
SHARE = 0.8  # of the capacity, for what a hundredth has to wait
STARTING_SECONDS = 60  # how long a server that was just started may take to answer
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
    if not (NPM / "node_modules").is_dir() or None in map(shutil.which, ("wrk", "h2load")):
        sys.exit("benchmarks/npm, wrk or h2load: run `make tools` first")
    rows = []
    with tempfile.TemporaryDirectory() as folder, embedded_server(Path(folder)) as address:
        migrate(address)
        office, reason = write_office(address)
        search = SEARCH % (office, reason)
        rows.append(_cold(address, search))
        for name, selection in SELECTIONS.items():
            with ExitStack() as stack:
                query = f"{{ slots(input: {search}) {{ days {{ {selection} }} }} }}"
                rows += _table(name, stack, Path(folder), address=address, query=query, selection=selection)
    return rows


def _table(
    name: str, stack: ExitStack, folder: Path, *, address: str, query: str, selection: str
) -> list[dict[str, Any]]:
    body = {"query": query}
    kept, executed = (
        stack.enter_context(_ours(f"rdv, {label}", address, body, megabytes=megabytes))
        for label, megabytes in (("answers kept", 64), ("each executed", 0))
    )
    first = httpx2.post(kept.url, json=body, timeout=STARTING_SECONDS).json()["data"]["slots"]["days"]
    starts = _checked(first)
    plain = {"query": f"{{ slots {{ days {{ {selection} }} }} }}"}
    file = folder / "rows.json"
    file.write_bytes(orjson.dumps(first))
    references = stack.enter_context(_references(file))
    servers = [
        *(Server(name=n, url=references[0] + path, body=plain, process=references[1]) for n, path in PATHS.items()),
        stack.enter_context(_node("yoga", file, plain)),
        stack.enter_context(_node("mercurius", file, plain)),
        executed,
        kept,
    ]
    static, encoded = servers[0], servers[1]
    for one in servers:
        text = _answer(one)
        assert _instants(orjson.loads(text)["data"]["slots"]["days"]) == _instants(first)
        _autocannon(one, amount=1000, expect=text)
    statements = {one.name: _statements(one) for one in (kept, executed)}
    rounds = _rounds(servers, CONNECTIONS)
    pairs = [(kept, static), *((one, encoded) for one in servers if one is not encoded)]
    rows = [_row(name, one, other, rounds, f"{starts} starts{statements.get(one.name, '')}") for one, other in pairs]
    many = _rounds([static, kept, executed], MANY)
    rows.append(_row(f"{name}, {MANY} connections", kept, static, many, f"{starts} starts"))
    return rows + [
        _evenly(name, one, statistics.median(found.rate for found in many[one.name]))
        for one in (static, kept, executed)  # the first tells what the machine adds by itself
    ]


def _rounds(servers: list[Server], connections: int) -> dict[str, list[Measured]]:
    """Return what each server did in each round, by name."""
    rounds = [{one.name: _measured(one, connections) for one in servers} for _ in range(ROUNDS)]
    return {one.name: [found[one.name] for found in rounds] for one in servers}


def _row(selection: str, one: Server, other: Server, rounds: dict[str, list[Measured]], checked: str) -> dict[str, Any]:
    ratios = [mine.rate / theirs.rate for mine, theirs in zip(rounds[one.name], rounds[other.name], strict=True)]
    return {
        "name": f"http {selection}: {one.name} / {other.name}",
        "value": _told(rounds[one.name]),
        "reference": f"{_told(rounds[other.name])} {other.name}",
        "ratio": statistics.median(ratios),
        "checked": f"{checked}; ratios {min(ratios):.2f} to {max(ratios):.2f}",
    }


def _evenly(selection: str, one: Server, capacity: float) -> dict[str, Any]:
    """Return how late the slowest of a hundred answers is at most of what the server can do."""
    body = orjson.dumps(one.body)
    found = sorted((steady(one.url, body, SHARE * capacity) for _ in range(ROUNDS)), key=lambda round_: round_.tail)
    middle, last = found[ROUNDS // 2], found[-1]
    return {
        "name": f"http {selection}: {one.name}, p99 at {middle.rate:.0f}/s",
        "value": f"{middle.p99:.1f} ms",
        "reference": f"{middle.p50:.1f} ms median",
        "ratio": middle.tail,
        "checked": f"all 200; at most {last.tail:.1f} of {ROUNDS}; sent {middle.late:.1f} ms late (99th)",
    }


def _told(rounds: list[Measured]) -> str:
    rate = statistics.median(one.rate for one in rounds)
    return f"{rate:.0f}/s, {statistics.median(one.milliseconds for one in rounds):.3f} ms"


PATHS = {"static": "/static", "orjson": "/orjson", "stock strawberry": "/graphql"}


def _cold(address: str, search: str) -> dict[str, Any]:
    """Ask a server that keeps no agenda: the office is read from the database and compiled anew for each request."""
    query = f"{{ slots(input: {search}) {{ days {{ {SELECTIONS['slots { start end remaining }']} }} }} }}"
    settings = {"RDV_AGENDAS_KEPT_MB": "0"}
    with _ours("cold", address, {}, megabytes=0, **settings) as server, httpx2.Client(timeout=30) as http:
        before, took = 0, []
        for turn in range(COLD_REQUESTS):
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


def _instants(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return rows with their moments as such, since Node writes them in UTC."""
    match value:
        case list():
            return [_instants(one) for one in value]
        case dict():
            return {name: _instants(one) for name, one in value.items()}
        case str() if "T" in value:
            return datetime.fromisoformat(value)
    return value


def _checked(days: list[dict[str, Any]]) -> int:
    """Check the rows against what was written: 22 working days less Easter Monday, none outside the hours."""
    starts = [s for day in days for s in day.get("starts") or [slot["start"] for slot in day["slots"]]]
    assert len(days) == 21, len(days)
    assert all("09:00" <= start[11:16] <= "16:30" for start in starts)
    assert starts == sorted(set(starts))
    return len(starts)


def _answer(server: Server) -> str:
    found = httpx2.post(server.url, json=server.body, timeout=STARTING_SECONDS).raise_for_status()
    assert "errors" not in found.json()
    return found.text


def _length(server: Server) -> int:
    """Return how many bytes an answer has at least, with its head."""
    plain = {"accept-encoding": "identity"}  # wrk does not ask for anything else
    found = httpx2.post(server.url, json=server.body, headers=plain, timeout=STARTING_SECONDS)
    head = sum(len(name) + len(value) + len(": \r\n") for name, value in found.headers.raw)
    return len("HTTP/1.1 200 OK\r\n") + head + len("\r\n") + len(found.content)


def _measured(server: Server, connections: int) -> Measured:
    length = _length(server)
    before = _processor_seconds(server.process)
    said = subprocess.run(  # noqa: S603 - Debian's, by its name
        [
            *("wrk", "-t", "1", "-c", str(connections), "-d", str(SECONDS), "--timeout", "30", "-s", WRK, server.url),
            *("--", orjson.dumps(server.body).decode()),
        ],
        capture_output=True,
        check=True,
    )
    used = _processor_seconds(server.process) - before
    found = orjson.loads(said.stderr)
    assert found["errors"] == 0, found
    assert found["bytes"] >= found["requests"] * length, found  # so that none was a shorter answer
    return Measured(rate=found["requests"] / found["seconds"], milliseconds=1000 * used / found["requests"])


def _autocannon(server: Server, *, amount: int, expect: str | None = None) -> int:
    """Send so many requests at once, each answer as expected, and return how many were answered."""
    said = subprocess.run(  # noqa: S603 - the locked package
        [
            NPM / "node_modules/.bin/autocannon",
            *("-c", str(CONNECTIONS), "-a", str(amount), "-m", "POST", "-H", "content-type=application/json"),
            *("-b", orjson.dumps(server.body).decode(), "--json", "--no-progress"),
            *([] if expect is None else ["--expectBody", expect]),
            server.url,
        ],
        capture_output=True,
        check=True,
    )
    result = orjson.loads(said.stdout)
    assert not any(result[fault] for fault in ("mismatches", "errors", "non2xx")), result
    answered: int = result["2xx"]
    return answered


def _statements(server: Server) -> str:
    """Say how many statements a lone request takes, and one of many at once."""
    before = _sent(server)
    httpx2.post(server.url, json=server.body)
    alone = _sent(server) - before
    answered = _autocannon(server, amount=1000)
    many = (_sent(server) - before - alone) / answered
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
