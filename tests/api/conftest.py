"""The application in this process, asked over HTTP messages, with a clock that tests move and tokens they sign."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from rdv.app import create_app, open_services, work
from rdv.errors import BadToken
from rdv.integrations.viewer import Viewer
from rdv.settings import Settings, read_settings
from tests.places import NOW

QUERIES = Path(__file__).parents[2] / "queries"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class KnownViewers:
    """Identity by name: a token is the name of a viewer the test has made known."""

    def __init__(self) -> None:
        self.known: dict[str, Viewer] = {}

    def viewer(self, token: str) -> Viewer:
        if token not in self.known:
            raise BadToken
        return self.known[token]


@dataclass
class Api:
    """A client; `ask` and `do` run a document of `queries/` or a literal one and return its data."""

    client: httpx2.AsyncClient
    clock: Clock
    viewers: KnownViewers
    settings: Settings

    async def answer(
        self, document: str, variables: dict[str, Any] | None = None, *, who: str | None = None, **headers: str
    ) -> dict[str, Any]:
        """Return the whole answer to a document: a name in `queries/` or a literal one."""
        text = document if "{" in document else (QUERIES / f"{document}.graphql").read_text(encoding="utf-8")
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if who:
            given["authorization"] = f"Bearer {who}"
        response = await self.client.post("/graphql", json={"query": text, "variables": variables}, headers=given)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def data(
        self, document: str, variables: dict[str, Any] | None = None, *, who: str | None = None, **headers: str
    ) -> dict[str, Any]:
        """Return the data of an answer without errors."""
        answer = await self.answer(document, variables, who=who, **headers)
        assert "errors" not in answer, answer["errors"]
        found: dict[str, Any] = answer["data"]
        return found

    async def event(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the data of the first event of a subscription of `queries/`, and go away."""
        text = (QUERIES / f"{document}.graphql").read_text(encoding="utf-8")
        body, got, came = orjson.dumps({"query": text, "variables": variables}), bytearray(), asyncio.Event()
        asked = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not asked:
                await came.wait()
            return asked.pop() if asked else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            got.extend(message.get("body", b""))
            if b"\n\n" in got:
                came.set()

        headers = [(b"accept", b"text/event-stream"), (b"content-type", b"application/json"), (b"host", b"test")]
        path = {"path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "", "scheme": "http"}
        scope = {"type": "http", "method": "POST", "http_version": "1.1", "headers": headers, **path}
        async with asyncio.timeout(20):
            await self.client._transport.app(scope, receive, send)  # type: ignore[attr-defined]
        kind, data = bytes(got).split(b"\n")[:2]
        assert kind == b"event: next", got
        found: dict[str, Any] = orjson.loads(data.removeprefix(b"data: "))["data"]
        return found

    async def work(self) -> None:
        """Do the jobs that wait, as `rdv worker --once` does."""
        services = open_services(self.settings, self.clock)
        try:
            await work(self.settings, services, once=True)
        finally:
            await services.close()

    async def refusal(
        self, document: str, variables: dict[str, Any] | None = None, *, who: str | None = None
    ) -> dict[str, Any]:
        """Return the extensions of the only error of an answer."""
        (error,) = (await self.answer(document, variables, who=who))["errors"]
        return {**error["extensions"], "path": error["path"]}


@asynccontextmanager
async def opened(database_url: str, **more: Any) -> AsyncIterator[Api]:
    """Run the application on a database, with more settings if need be."""
    settings = read_settings(database_url=database_url, secret_key="k" * 32, **more)
    clock, viewers = Clock(), KnownViewers()
    app = create_app(settings, clock=clock, identity=viewers)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client,
    ):
        yield Api(client, clock, viewers, settings)


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    async with opened(database_url) as running:
        yield running
