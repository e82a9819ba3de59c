"""The application in this process, asked over HTTP messages, with a clock that tests move and tokens they sign."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
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

    async def work(self) -> None:
        """Do the jobs that wait, as `rdv worker --once` does."""
        services = open_services(self.settings, self.clock)
        try:
            await work(self.settings, services, once=True)
        finally:
            await services.database.close()

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
