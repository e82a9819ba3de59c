"""The composition root: one screen that opens what lives long, in the order it is needed, and closes it again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette_compress import CompressMiddleware

from rdv.errors import DatabaseUnavailable
from rdv.integrations.identity import Identity
from rdv.integrations.telemetry import Telemetry
from rdv.models import jobs, tidying
from rdv.models.database import Database
from rdv.models.notices import Notices
from rdv.schema.cost import Limits
from rdv.schema.documents import Documents, hash_of, operation_names, own_documents, read_manifests
from rdv.schema.endpoint import Endpoint, EndpointOptions
from rdv.settings import Settings, parts
from rdv.usecases import call_backs, generation, judging_holidays, public_holidays, rostering
from rdv.usecases.agendas import Agendas
from rdv.usecases.secrets import Secrets
from rdv.usecases.services import Services
from rdv.web.answers import Answers, Figures
from rdv.web.explorer import Explorer
from rdv.web.health import Readiness, alive
from rdv.web.live import Live
from rdv.web.metrics import Measured, Metrics
from rdv.web.rates import RateLimit, Rates, rate_from
from rdv.web.tracing import Traced

PATH = "/graphql"


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], datetime],
    identity: Identity,
    with_worker: bool = False,
    personas: Mapping[str, str] | None = None,
) -> Starlette:
    """Return the ASGI application; its database is checked when it starts.

    `with_worker`: it does jobs as well. `personas`: tokens by name that the explorer offers, in the demo.
    """
    services = open_services(settings, clock)
    documents = own_documents()
    endpoint = Endpoint(services, identity, endpoint_options(settings, documents))
    explorer = Explorer(documents, endpoint.schema, personas or {}) if settings.explorer else None
    figures = Figures()
    operations = operation_names(documents.values())
    metrics = Metrics(services, figures, operations)
    telemetry = Telemetry(settings.otlp_endpoint, share=settings.otlp_share) if settings.otlp_endpoint else None

    origins = frozenset(parts(settings.cors_origins))
    rates = Rates(rate_from(settings.rate_limit) if settings.rate_limit else None)
    live = Live(
        endpoint,
        services.notices,
        per_caller=settings.live_per_caller,
        most=settings.live_per_process,
        origins=origins,
        rates=rates,
        metrics=metrics,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if telemetry is not None:
                stack.push_async_callback(telemetry.close)
            stack.push_async_callback(services.close)
            await services.database.check()
            if with_worker:
                stack.push_async_callback(_ended, asyncio.create_task(work(settings, services)))
            yield

    routes = [
        Route(PATH, _Graphql(endpoint, live, explorer), methods=["GET", "POST"]),
        WebSocketRoute(PATH, live.websocket),
        Route("/health/live", alive),
        Route("/health/ready", Readiness(services).answer),
    ]
    if explorer is not None:
        routes.append(Route("/explorer/{name}", explorer.file))
    if settings.metrics:
        routes.append(Route("/metrics", metrics.page))
    traced = Middleware(Traced, telemetry=telemetry, operations=operations)
    measured = Middleware(Measured, metrics=metrics, path=PATH)
    limited = Middleware(RateLimit, rates=rates, identity=identity, path=PATH)
    middleware = [traced, measured, *_shared(origins), *([limited] if settings.rate_limit else [])]
    if kept_bytes := settings.answers_kept_mb * 1_000_000:
        middleware.append(
            Middleware(Answers, path=PATH, services=services, identity=identity, kept_bytes=kept_bytes, figures=figures)
        )
    # Tokens travel in a header that browsers do not send by themselves: compressed answers betray nothing (BREACH).
    middleware.append(Middleware(CompressMiddleware, minimum_size=1_000))
    app = Starlette(routes=routes, lifespan=lifespan, middleware=middleware)
    app.state.notices = services.notices  # whoever stops the server ends what is followed first
    return app


async def _ended(worker: asyncio.Task[None]) -> None:
    """End a worker; raises what it failed with, but for a database that went away, which the log has said by then."""
    worker.cancel()
    with suppress(asyncio.CancelledError, DatabaseUnavailable):
        await worker


class _Graphql:
    """What is at the path: the page for browsers, streams of events, answers. Starlette would wrap a function twice."""

    def __init__(self, endpoint: Endpoint, live: Live, explorer: Explorer | None) -> None:
        self._endpoint, self._live, self._explorer = endpoint, live, explorer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        await (await self._response(request))(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        if self._explorer is not None and self._explorer.wanted(request):
            return await self._explorer.page(request)
        return await (self._live.events(request) if self._live.wanted(request) else self._endpoint(request))


def endpoint_options(settings: Settings, documents: Mapping[str, str]) -> EndpointOptions:
    """Return what the settings say about the endpoint; raises BadSetting."""
    files = [Path(one) for one in parts(settings.trusted_documents)]
    trusted = {hash_of(one): one for one in documents.values()} | read_manifests(files)
    return EndpointOptions(
        limits=Limits(
            cost=settings.max_cost,
            depth=settings.max_depth,
            aliases=settings.max_aliases,
            tokens=settings.max_tokens,
            body_bytes=settings.max_body_bytes,
            batch=settings.max_batch,
            seconds=settings.operation_seconds,
        ),
        documents=Documents(trusted, only=settings.trusted_documents_only),
        introspection=settings.introspection,
    )


def _shared(origins: frozenset[str]) -> list[Middleware]:
    """Return what lets scripts of other sites ask, if any may."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=sorted(origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "traceparent"],
            expose_headers=["etag", "retry-after", "traceresponse"],
        )
    ]


def open_services(settings: Settings, clock: Callable[[], datetime]) -> Services:
    """Return what every use case needs; its database has to be closed."""
    database = Database(
        str(settings.database_url),
        direct_url=settings.direct_database_url,
        pool_size=settings.pool_size,
        statement_timeout_ms=settings.statement_timeout_ms,
    )
    return Services(
        database=database,
        notices=Notices(database),
        agendas=Agendas(database, kept_bytes=settings.agendas_kept_mb * 1_000_000),
        clock=clock,
        secrets=Secrets(settings.secret_key.get_secret_value()),
    )


async def work(settings: Settings, services: Services, *, once: bool = False, signals: bool = False) -> None:
    """Do the jobs that wait, and those that come; as many processes as one likes may."""

    async def generate_planning(draft_id: int) -> None:
        await rostering.generate_planning(services, draft_id)

    async def help_stranded(office_id: int) -> None:
        await call_backs.help_all_stranded(services, office_id)

    async def judge_holiday(holiday_change_id: int) -> None:
        await judging_holidays.judge_holiday(services, holiday_change_id)

    async def tidy() -> int:
        return await tidying.tidy(services.database, services.clock())

    app = jobs.jobs_app(
        settings.direct_database_url or str(settings.database_url),
        {
            generation.TASK: generate_planning,
            call_backs.TASK: help_stranded,
            public_holidays.TASK: judge_holiday,
        },
        nightly=tidy,
    )
    await jobs.work(app, once=once, signals=signals)
