"""Whether this process lives, and whether it can answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from rdv.errors import OperatorError
from rdv.models import jobs
from rdv.usecases.services import Services

PATIENCE_SECONDS = 2.0  # those who watch ask every few seconds, and give up themselves soon
Answer = TypeVar("Answer")


async def promptly(asked: Coroutine[Any, Any, Answer]) -> Answer:
    """Return what the database is asked; raises TimeoutError when it does not answer for long.

    Nobody waits for what is given up: on a connection that hangs, cancelling takes the driver several seconds more.
    """
    task = asyncio.ensure_future(asked)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # also when nobody looks any more
    try:
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()


async def alive(_: Request) -> Response:
    """Answer as long as the process does."""
    return PlainTextResponse("ok")


class Readiness:
    """Tells whether database and migrations are as they should be, and how long jobs have been waiting."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def answer(self, _: Request) -> Response:
        """Return 200, or 503 with what is wrong; nothing of the installation's addresses."""
        try:
            said = await promptly(self._said())
        except OperatorError as error:
            said = {"ready": False, "why": str(error)}
        except Exception:  # noqa: BLE001 - whatever it is, this process cannot answer now
            said = {"ready": False, "why": "the database does not answer"}
        headers = {"cache-control": "no-store"}
        return Response(orjson.dumps(said), 200 if said["ready"] else 503, headers, "application/json")

    async def _said(self) -> dict[str, object]:
        migration = await self._services.database.watch()
        async with self._services.database.watching() as connection:
            oldest = await jobs.oldest_seconds(connection)
        return {"ready": True, "migration": migration, "oldestJobSeconds": oldest}
