"""Whether this process lives, and whether it can answer."""

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from rdv.errors import OperatorError
from rdv.models import jobs
from rdv.usecases.services import Services


async def alive(_: Request) -> Response:
    """Answer as long as the process does."""
    return PlainTextResponse("ok")


class Readiness:
    """Tells whether database and migrations are as they should be, and how long jobs have been waiting."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def answer(self, _: Request) -> Response:
        """Return 200, or 503 with what is wrong; nothing of the installation's addresses."""
        said: dict[str, object] = {"ready": True}
        try:
            await self._services.database.check()
            async with self._services.database.reading() as connection:
                said["oldestJobSeconds"] = await jobs.oldest_seconds(connection)
        except OperatorError as error:
            said = {"ready": False, "why": str(error)}
        except Exception:  # noqa: BLE001 - whatever it is, this process cannot answer now
            said = {"ready": False, "why": "the database does not answer"}
        headers = {"cache-control": "no-store"}
        return Response(orjson.dumps(said), 200 if said["ready"] else 503, headers, "application/json")
