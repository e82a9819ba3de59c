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
