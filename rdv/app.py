"""The composition root: one screen that opens what lives long, in the order it is needed, and closes it again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rdv.integrations.identity import Identity
from rdv.models import jobs
from rdv.models.database import Database
from rdv.schema.endpoint import Endpoint
from rdv.settings import Settings
from rdv.usecases import generation, rostering
from rdv.usecases.agendas import Agendas
from rdv.usecases.secrets import Secrets
from rdv.usecases.services import Services


def create_app(
    settings: Settings, *, clock: Callable[[], datetime], identity: Identity, with_worker: bool = False
) -> Starlette:
    """Return the ASGI application; its database is checked when it starts. `with_worker`: it does jobs as well."""
    services = open_services(settings, clock)
    endpoint = Endpoint(services, identity)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        worker: asyncio.Task[None] | None = None
        try:
            await services.database.check()
            worker = asyncio.create_task(work(settings, services)) if with_worker else None
            yield
        finally:
            if worker is not None:
                worker.cancel()
                with suppress(asyncio.CancelledError):
                    await worker
            await services.database.close()

    async def graphql(request: Request) -> Response:
        return await endpoint(request)

    return Starlette(
        routes=[Route("/graphql", graphql, methods=["GET", "POST"]), Route("/health/live", live)], lifespan=lifespan
    )


def open_services(settings: Settings, clock: Callable[[], datetime]) -> Services:
    """Return what every use case needs; its database has to be closed."""
    database = Database(
        str(settings.database_url), pool_size=settings.pool_size, statement_timeout_ms=settings.statement_timeout_ms
    )
    return Services(
        database=database,
        agendas=Agendas(database, kept=settings.agendas_kept),
        clock=clock,
        secrets=Secrets(settings.secret_key.get_secret_value()),
    )


async def work(settings: Settings, services: Services, *, once: bool = False, signals: bool = False) -> None:
    """Do the jobs that wait, and those that come; as many processes as one likes may."""

    async def generate_planning(draft_id: int) -> None:
        await rostering.generate_planning(services, draft_id)

    app = jobs.jobs_app(str(settings.database_url), {generation.TASK: generate_planning})
    await jobs.work(app, once=once, signals=signals)


async def live(_: Request) -> Response:
    return PlainTextResponse("ok")
