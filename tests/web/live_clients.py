"""Real servers, and clients that follow something on them: by server-sent events and by websockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from tests.api.conftest import QUERIES
from tests.places import NOW, Place
from tests.served import Served, serving

PATIENCE = 20
ISSUER = {"issuer": "https://identity.example.org", "audience": "rdv"}
START = "2027-03-03T09:00:00+01:00"
TAKEN = 'holdSlot(input: {officeId: "%s", reasonId: "%s", start: "%s"}) { __typename ... on Hold { token } }'


def text(name: str) -> str:
    return (QUERIES / f"{name}.graphql").read_text(encoding="utf-8")


def slots(place: Place) -> dict[str, Any]:
    variables = {"officeId": place.office, "reasonId": place.reasons["declare"]}
    return {"query": text("slots_changed"), "variables": variables}


@contextmanager
def served(database_url: str, folder: Path, **settings: str) -> Iterator[Served]:
    """Serve; the server has ended by itself, without an error, at the end."""
    clock = folder / "now"
    if not clock.exists():
        clock.write_text(NOW.isoformat(), encoding="utf-8")
    with serving(database_url, clock, **settings) as server:
        yield server
    assert "Traceback" not in server.log.read_text(encoding="utf-8")


async def ask(server: Served, query: str, **variables: Any) -> dict[str, Any]:
    async with httpx2.AsyncClient(timeout=PATIENCE) as http:
        answer = (await http.post(server.url, json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]
    return found


async def take(server: Served, place: Place, start: str = START) -> str:
    """Hold a slot and return the hold's token."""
    held = (await ask(server, f"mutation {{ {TAKEN % (place.office, place.reasons['declare'], start)} }}"))["holdSlot"]
    assert held["__typename"] == "Hold"
    return str(held["token"])


async def book(server: Served, place: Place) -> dict[str, str]:
    usager = {"firstName": "Camille", "lastName": "Exemple"}
    given = {"holdToken": await take(server, place), "usager": usager}
    made = (await ask(server, text("confirm_appointment"), input=given))["confirmAppointment"]
    return {"reference": made["appointment"]["reference"], "accessCode": made["accessCode"]}


class Stream:
    """Server-sent events of one request."""

    def __init__(self, response: httpx2.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, Any]:
        """Return the next event and its data."""
        async with asyncio.timeout(PATIENCE):
            while not (line := await anext(self._lines)).startswith("event: "):
                assert line in ("", ":"), line
            data = (await anext(self._lines)).removeprefix("data:").strip()
        return line.removeprefix("event: "), json.loads(data) if data else None


@asynccontextmanager
async def stream(server: Served, body: dict[str, Any], **headers: str) -> AsyncIterator[Stream]:
    given = {"accept": "text/event-stream"} | headers
    async with (
        httpx2.AsyncClient(timeout=PATIENCE) as http,
        http.stream("POST", server.url, json=body, headers=given) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response)


@asynccontextmanager
async def socket(server: Served, *, token: str | None = None, **more: Any) -> AsyncIterator[ClientConnection]:
    """Open a socket that has been acknowledged."""
    async with open_socket(server, **more) as opened:
        payload = {"authorization": f"Bearer {token}"} if token else {}
        await opened.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert await received(opened) == {"type": "connection_ack"}
        yield opened


def open_socket(server: Served, **more: Any) -> connect:
    return connect(server.url.replace("http", "ws"), subprotocols=["graphql-transport-ws"], **more)  # type: ignore[list-item]


async def received(opened: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(opened.recv(), PATIENCE))


async def closed(opened: ClientConnection) -> int | None:
    """Return with which code the server closes a socket."""
    async with asyncio.timeout(PATIENCE):
        await opened.wait_closed()
    return opened.close_code


def subscribe(body: dict[str, Any], identity: str = "1") -> str:
    return json.dumps({"id": identity, "type": "subscribe", "payload": body})
