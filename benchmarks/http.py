"""The `slots` operation over HTTP: one uvicorn worker, warm, against a bare endpoint that returns the same bytes.

Two figures each: requests per second as a client with eight connections sees them, and the server's own processor time
per request, which a noisy machine and a slow client disturb less. Ratios are bare to real: 1.00 would be as fast.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.office import write_office
from rdv.models.database import migrate
from rdv.models.embedded import embedded_server

REQUESTS = 800
CONNECTIONS = 8
STARTS = "{ slots(input: %s) { days { date starts } } }"
SLOTS = "{ slots(input: %s) { days { date slots { start end remaining } } } }"
SEARCH = '{officeId: "%d", reasonId: "%d", from: "2027-03-01", to: "2027-03-30"}'


def run() -> list[dict[str, Any]]:
    """Return the rows of the table."""
    with tempfile.TemporaryDirectory() as folder, embedded_server(Path(folder)) as address:
        migrate(address)
        search = SEARCH % write_office(address)
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        environment = os.environ | {"RDV_DATABASE_URL": address, "RDV_SECRET_KEY": "benchmark " * 4}
        server = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "benchmarks.served", str(listening.fileno())],
            env=environment,
            pass_fds=[listening.fileno()],
        )
        try:
            return asyncio.run(_measured(url, server.pid, search))
        finally:
            server.terminate()
            server.wait()
            listening.close()


async def _measured(url: str, process: int, search: str) -> list[dict[str, Any]]:
    rows = []
    async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
        for name, document in (("days { date starts }", STARTS), ("slots { start end remaining }", SLOTS)):
            body = {"query": document % search}
            first = (await client.post("/graphql", json=body)).content
            days = _checked(first)
            await client.post("/keep", content=first)
            before = int((await client.get("/statements")).text)
            real = await _rate(client, "/graphql", body, process, first)
            statements = (int((await client.get("/statements")).text) - before) / REQUESTS
            bare = await _rate(client, "/bare", body, process, first)
            rows += [
                {
                    "name": f"http {name}: requests/s",
                    "value": f"{real[0]:.0f}",
                    "reference": f"{bare[0]:.0f} bare",
                    "ratio": real[0] / bare[0],
                    "checked": f"{days} days, {len(first)} bytes",
                },
                {
                    "name": f"http {name}: server ms/request",
                    "value": f"{real[1]:.2f}",
                    "reference": f"{bare[1]:.2f} bare",
                    "ratio": bare[1] / real[1],
                    "checked": f"{statements:.2f} SQL statements/request",
                },
            ]
    return rows


def _checked(answer: bytes) -> int:
    """Check the answer against what was written: 22 working days less Easter Monday, none outside the hours."""
    import orjson  # noqa: PLC0415 - beside its only use

    days = orjson.loads(answer)["data"]["slots"]["days"]
    starts = [s for day in days for s in day.get("starts") or [slot["start"] for slot in day["slots"]]]
    assert len(days) == 21, len(days)
    assert all("09:00" <= start[11:16] <= "16:30" for start in starts)
    assert starts == sorted(set(starts))
    return len(days)


async def _rate(
    client: httpx2.AsyncClient, path: str, body: dict[str, str], process: int, wanted: bytes
) -> tuple[float, float]:
    """Return requests per second and the server's milliseconds of processor time per request."""
    left = iter(range(REQUESTS))

    async def one_client() -> None:
        for _ in left:
            answer = await client.post(path, json=body)
            assert answer.content == wanted

    used, began = _processor_seconds(process), time.perf_counter()
    await asyncio.gather(*(one_client() for _ in range(CONNECTIONS)))
    took, used = time.perf_counter() - began, _processor_seconds(process) - used
    return REQUESTS / took, 1000 * used / REQUESTS


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
