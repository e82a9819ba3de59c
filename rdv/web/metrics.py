"""What Prometheus may ask: requests by operation, how long they take, agendas kept, jobs."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from time import perf_counter

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rdv.models import jobs
from rdv.usecases.agendas import Agendas
from rdv.usecases.services import Services
from rdv.web.answers import Figures
from rdv.web.health import promptly

log = logging.getLogger("rdv.requests")

OTHER = "other"  # operations of documents that are not ours: callers choose their names, so these are not counted apart
ALARMING = (
    "BUSY",
    "INTERNAL",
    "TIMEOUT",
    "UNAVAILABLE",
)  # codes counted from 0 on: an increase from nothing is none to Prometheus
Reading = tuple[str, Callable[[], float]]  # what it is, and how it is read
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

# When each series began: as many lines again, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """One process's figures."""

    def __init__(self, services: Services, answers: Figures, operations: Collection[str]) -> None:
        self.registry = CollectorRegistry()
        self._services = services
        self._known = frozenset(operations)
        self._series = cache(self._of)  # looking a series up costs as much as all the rest of counting
        self.requests = Counter(
            "rdv_requests_total", "GraphQL requests.", ["operation", "status"], registry=self.registry
        )
        self.errors = Counter(
            "rdv_errors_total", "GraphQL errors that were answered, by their code.", ["code"], registry=self.registry
        )
        for code in ALARMING:
            self.errors.labels(code)
        self.seconds = Histogram(
            "rdv_request_seconds",
            "How long GraphQL requests took, but for streams and what is asked by sockets: these last as one likes.",
            ["operation"],
            registry=self.registry,
            buckets=SECONDS,
        )
        versions = services.agendas.versions
        gauges: dict[str, Reading] = {
            "rdv_agendas": ("Compiled agendas in memory.", lambda: services.agendas.count),
            "rdv_agendas_bytes": ("About how much memory they take.", lambda: services.agendas.bytes),
            "rdv_followers": ("Subscriptions that wait for changes.", lambda: services.notices.followers),
            "rdv_database_connections": ("Connections in use.", lambda: services.database.in_use),
        }
        for name, (said, read) in gauges.items():
            Gauge(name, said, registry=self.registry).set_function(read)
        counters: dict[str, Reading] = {
            "rdv_agenda_hits_total": ("Agendas found in memory.", lambda: services.agendas.hits),
            "rdv_agenda_misses_total": ("Agendas read and compiled.", lambda: services.agendas.misses),
            "rdv_answers_kept_total": ("Answers kept to be sent again.", lambda: answers.kept),
            "rdv_answers_sent_again_total": ("Answers that were kept and still held.", lambda: answers.hits),
            "rdv_version_checks_total": ("Statements that asked for versions.", lambda: versions.statements),
            "rdv_undecided_starts_total": ("Starts not decided in time.", lambda: services.agendas.undecided),
            "rdv_statements_total": (
                "Statements sent to the database.",
                lambda: services.database.statements + versions.statements,
            ),
        }
        self.registry.register(_Counts(counters))
        self.registry.register(_Stages(services.agendas))
        ProcessCollector(registry=self.registry)
        Info("rdv_build", "Which rdv this is.", registry=self.registry).info({"version": version("rdv")})

    async def page(self, _: Request) -> Response:
        """Return the figures; those of jobs, which all processes share, are read now and left out if they cannot be."""
        shared = CollectorRegistry()
        try:
            await promptly(self._read_jobs(shared))
        except Exception as error:  # noqa: BLE001 - our own figures are wanted most when the database is away
            log.warning("the figures of jobs cannot be read: %s", type(error).__name__)
        page = generate_latest(self.registry) + generate_latest(shared)
        return Response(page, headers={"content-type": CONTENT_TYPE_LATEST})

    async def _read_jobs(self, registry: CollectorRegistry) -> None:
        async with self._services.database.watching() as connection:
            oldest, alive = await jobs.oldest_seconds(connection), await jobs.workers_alive(connection)
            failed = await jobs.failed(connection)
        waits = "For how many seconds the job that has been waiting longest could have been done."
        Gauge("rdv_oldest_job_seconds", waits, registry=registry).set(oldest)
        Gauge("rdv_workers_alive", "Workers with a recent sign of life.", registry=registry).set(alive)
        Gauge("rdv_failed_jobs", "Jobs that failed and are not repeated.", registry=registry).set(failed)

    def count(
        self,
        operation: str,
        status: int,
        seconds: float,
        codes: Mapping[str, int] | None = None,
        *,
        followed: bool = False,
    ) -> None:
        """Count one request, and log it; `codes`: of the errors it was answered with, and how many.

        What is `followed` ends when its caller likes: that it took long says nothing about us.
        """
        name = operation if operation in self._known else OTHER
        if log.isEnabledFor(logging.INFO):
            figures = {"operation": name, "status": status, "milliseconds": round(seconds * 1000, 1)}
            said = "%(operation)s: %(status)s in %(milliseconds)s ms"
            if codes:
                figures["codes"] = ", ".join(sorted(codes))
                said += " (%(codes)s)"
            log.info(said, figures, extra=figures)
        requests, observed = self._series(name, status)
        requests.inc()
        if not followed:
            observed.observe(seconds)
        if codes:
            for code, times in codes.items():
                self.errors.labels(code).inc(times)

    def _of(self, operation: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(operation, str(status)), self.seconds.labels(operation)


class _Counts(Collector):
    """What others count, as counters: Prometheus takes the rate of nothing else."""

    def __init__(self, counters: Mapping[str, Reading]) -> None:
        self._counters = counters

    def collect(self) -> Iterator[CounterMetricFamily]:
        for name, (said, read) in self._counters.items():
            yield CounterMetricFamily(name, said, value=read())


class _Stages(Collector):
    """Starts by the stage of the engine that decided them."""

    def __init__(self, agendas: Agendas) -> None:
        self._agendas = agendas

    def collect(self) -> Iterator[CounterMetricFamily]:
        found = CounterMetricFamily(
            "rdv_starts_settled", "Starts by the stage of the engine that decided them.", labels=["stage"]
        )
        for stage, count in sorted(self._agendas.settled.items()):
            found.add_metric([stage], count)
        yield found


class Measured:
    """ASGI middleware that counts the requests of one path; the endpoint names the operation in the scope's state."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, path: str) -> None:
        self._app, self._metrics, self._path = app, metrics, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count it when its answer is sent."""
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        began, status, followed = perf_counter(), 500, False

        async def noted(message: Message) -> None:
            nonlocal status, followed
            if message["type"] == "http.response.start":
                status = message["status"]
                followed = any(
                    name == b"content-type" and value.startswith(b"text/event-stream")
                    for name, value in message["headers"]
                )
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            state = scope.setdefault("state", {})
            operation, codes = state.get("operation", OTHER), state.get("codes")
            self._metrics.count(operation, status, perf_counter() - began, codes, followed=followed)
