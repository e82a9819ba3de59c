"""The application with settings of the test's own, asked over HTTP messages."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest

from rdv.app import create_app
from rdv.settings import read_settings
from tests.api.conftest import Clock, KnownViewers

Opening = Callable[..., Any]


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[Opening]:
    """Return a function that opens an application with some settings and returns a client of it."""
    async with AsyncExitStack() as stack:

        async def open_app(client: str = "127.0.0.1", **settings: Any) -> httpx2.AsyncClient:
            given = {"database_url": database_url, "secret_key": "k" * 32} | settings
            app = create_app(read_settings(**given), clock=Clock(), identity=KnownViewers())
            await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx2.ASGITransport(app=app, client=(client, 50_000), raise_app_exceptions=False)
            return await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://test"))

        yield open_app
