"""The server under the HTTP benchmark: the real application, and how many statements it has sent so far.

`python -m benchmarks.served SOCKET`: the socket (an inherited file descriptor) is already bound; the database's address
comes from the environment like any setting.
"""

import gc
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
from rdv.models.versions import Versions
from rdv.settings import read_settings

opened: list[Versions] = []
pooled = 0


class CountingDatabase(Database):
    """Counts the statements it sends."""

    def __init__(self, url: str, **options: int) -> None:
        super().__init__(url, **options)
        event.listen(self.engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        global pooled  # noqa: PLW0603 - one server a process
        pooled += 1


async def statements(_: Request) -> Response:
    return Response(str(pooled + opened[0].statements))


def main() -> None:
    composition.Database = CountingDatabase  # type: ignore[misc]  # the product has no hook for counting, rightly
    settings = read_settings()
    open_services = composition.open_services

    def opening(*given: object) -> object:
        services = open_services(*given)  # type: ignore[arg-type]
        opened.append(services.agendas.versions)
        return services

    composition.open_services = opening  # type: ignore[assignment]
    application = composition.create_app(settings, clock=lambda: NOW, identity=NoIdentity())
    application.router.routes.append(Route("/statements", statements))
    gc.collect()
    gc.freeze()  # as `rdv serve` does
    config = uvicorn.Config(application, log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


main()
