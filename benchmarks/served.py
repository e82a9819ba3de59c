"""The server under the HTTP benchmark: the real application, and the same bytes from a bare Starlette endpoint.

`python -m benchmarks.served SOCKET`: the socket (an inherited file descriptor) is already bound; the database's address
comes from the environment like any setting. Statements are counted, and told at `/statements`.
"""

import socket
import sys

import uvicorn
from sqlalchemy import event
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.office import NOW
from rdv import app as composition
from rdv.integrations.identity import NoIdentity
from rdv.models.database import Database
from rdv.settings import read_settings

kept = {"bytes": b"", "statements": 0}


class CountingDatabase(Database):
    """Counts the statements it sends."""

    def __init__(self, url: str, **options: int) -> None:
        super().__init__(url, **options)
        event.listen(self.engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        kept["statements"] += 1  # type: ignore[operator]  # a number


async def keep(request: Request) -> Response:
    kept["bytes"] = await request.body()
    return Response()


async def bare(request: Request) -> Response:
    await request.body()
    return Response(kept["bytes"], media_type="application/json")


async def statements(_: Request) -> Response:
    return Response(str(kept["statements"]))


def main() -> None:
    composition.Database = CountingDatabase  # type: ignore[misc]  # the product has no hook for counting, rightly
    application = composition.create_app(read_settings(), clock=lambda: NOW, identity=NoIdentity())
    application.router.routes += [
        Route("/keep", keep, methods=["POST"]),
        Route("/bare", bare, methods=["POST"]),
        Route("/statements", statements),
    ]
    config = uvicorn.Config(application, log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


main()
