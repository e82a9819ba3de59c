"""How long a request holds the event loop: what others wait for it, whatever its own answer takes.

The real application runs on asyncio's own loop, and each step of it is timed. Each request is made once for nothing
(documents are validated once), then the offices are changed, so that they are read and worked out again: as a whole, or
where the request says so, one day of each, as after a booking. The longest steps of each count; what runs in threads is
not in them, but what it takes of the interpreter is.
"""

import asyncio
import tempfile
import time
from asyncio import events
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import psycopg
from starlette.types import ASGIApp, Message

from benchmarks.office import NOW, write_office
from rdv.app import create_app
from rdv.integrations.identity import NoIdentity
from rdv.models.database import migrate
from rdv.models.embedded import embedded_server
from rdv.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
OFFICES = 40
WHOLE = "update office set version = version + 1"
BOOKED = """
update appointment set pinned = not pinned
where id in (select min(id) from appointment where day = date '2027-03-15' group by office_id)
"""
SEARCH = 'slots(input: {officeId: "%d", reasonId: "%d", from: "2027-03-01", to: "%s"})'
NEAREST = 'earliestSlots(input: {reasonId: "%d", departement: "75", first: 100})'


def run() -> list[dict[str, Any]]:
    """Return the rows of the table."""
    with tempfile.TemporaryDirectory() as folder, embedded_server(Path(folder)) as address:
        migrate(address)
        office, reason = write_office(address, days=60)
        for number in range(OFFICES):
            write_office(address, days=60, code=f"sip-{number}", reason=reason)
        month, most = (SEARCH % (office, reason, day) for day in ("2027-03-30", "2027-05-01"))
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("analyze")  # as a server's own does within a minute
        requests = {
            "a month, days { date starts }": f"{{ {month} {{ days {{ date starts }} }} }}",
            "62 days, slots": f"{{ {most} {{ days {{ date slots {{ start end remaining }} }} }} }}",
            "62 days, why": f"{{ {most} {{ count why {{ date code starts detail }} }} }}",
            f"{OFFICES} offices": (earliest := f"{{ {NEAREST % reason} {{ office {{ name }} slot {{ start }} }} }}"),
            f"{OFFICES} offices, a booking each": earliest,
            "a document of 20 kB": f"{{ {month} {{ {' '.join(f'a{n}: count' for n in range(199))} }} }}" + " " * 16_000,
        }
        return asyncio.run(_measured(address, requests))


async def _measured(address: str, requests: dict[str, str]) -> list[dict[str, Any]]:
    settings = read_settings(database_url=address, secret_key="benchmark " * 4, answers_kept_mb=0)
    app = create_app(settings, clock=lambda: NOW, identity=NoIdentity())
    rows = []
    async with app.router.lifespan_context(app):
        for name, query in requests.items():
            body = orjson.dumps({"query": query})
            await _answer(app, body)
            steps: list[list[float]] = []
            for _ in range(ROUNDS):
                with psycopg.connect(address) as connection:
                    connection.execute(BOOKED if "booking" in name else WHOLE)
                with _Steps() as taken:
                    found = await _answer(app, body)
                assert b'"errors"' not in found, found[:500]
                steps.append(sorted(taken, reverse=True))
            longest = sorted(one[0] for one in steps)
            rows.append(
                {
                    "name": f"holds: {name}",
                    "value": f"{longest[ROUNDS // 2] * 1e3:.1f} ms, at most {longest[-1] * 1e3:.1f}",
                    "reference": "5 ms",
                    "ratio": longest[ROUNDS // 2] / 0.005,
                    "checked": f"{len(found)} bytes, {sum(map(sum, steps)) / ROUNDS * 1e3:.1f} ms in all",
                }
            )
    return rows


class _Steps:
    """Times each step of the loop meanwhile."""

    def __enter__(self) -> list[float]:
        self._run: Callable[[Any], None] = events.Handle._run  # noqa: SLF001 - there is no other place
        steps: list[float] = []

        def timed(handle: Any) -> None:  # noqa: ANN401 - private to asyncio
            began = time.perf_counter()
            self._run(handle)
            steps.append(time.perf_counter() - began)

        events.Handle._run = timed  # type: ignore[method-assign,assignment]  # noqa: SLF001 - see above
        return steps

    def __exit__(self, *_: object) -> None:
        events.Handle._run = self._run  # type: ignore[method-assign,assignment]  # noqa: SLF001 - see above


async def _answer(app: ASGIApp, body: bytes) -> bytes:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"x"), (b"content-type", b"application/json")]
    path = {"path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": ""}
    scope = {"type": "http", "method": "POST", "http_version": "1.1", "scheme": "http", "headers": headers, **path}
    await app(scope | {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)}, receive, send)
    return b"".join(one.get("body", b"") for one in sent)
