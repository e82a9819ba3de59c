"""The composition root: one screen that opens what lives long, in the order it is needed, and closes it again."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rdv.integrations.identity import Identity
from rdv.models.database import Database
from rdv.schema.endpoint import Endpoint
from rdv.settings import Settings
from rdv.usecases.agendas import Agendas
from rdv.usecases.secrets import Secrets
from rdv.usecases.services import Services


def create_app(settings: Settings, *, clock: Callable[[], datetime], identity: Identity) -> Starlette:
    """Return the ASGI application; its database is checked when it starts."""
    database = Database(
        str(settings.database_url), pool_size=settings.pool_size, statement_timeout_ms=settings.statement_timeout_ms
    )
    services = Services(
        database=database,
        agendas=Agendas(database, kept=settings.agendas_kept),
        clock=clock,
        secrets=Secrets(settings.secret_key.get_secret_value()),
    )
    endpoint = Endpoint(services, identity)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            await database.check()
            yield
        finally:
            await database.close()

    async def graphql(request: Request) -> Response:
        return await endpoint(request)

    return Starlette(
        routes=[Route("/graphql", graphql, methods=["GET", "POST"]), Route("/health/live", live)], lifespan=lifespan
    )


async def live(_: Request) -> Response:
    return PlainTextResponse("ok")
