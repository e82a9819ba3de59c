"""What Prometheus may ask: requests by operation, how long they take, agendas kept, jobs."""

from collections.abc import Callable, Collection
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rdv.usecases.services import Services

OTHER = "other"  # operations of documents that are not ours: callers choose their names, so these are not counted apart
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """One process's figures."""

    def __init__(self, services: Services, operations: Collection[str]) -> None:
        self.registry = CollectorRegistry()
        self._known = frozenset(operations)
        self.requests = Counter(
            "rdv_requests_total", "GraphQL requests.", ["operation", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "rdv_request_seconds",
            "How long GraphQL requests took.",
            ["operation"],
            registry=self.registry,
            buckets=SECONDS,
        )
        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "rdv_agendas": ("Compiled agendas in memory.", lambda: services.agendas.count),
            "rdv_agenda_hits": ("Agendas found in memory, in all.", lambda: services.agendas.hits),
            "rdv_agenda_misses": ("Agendas read and compiled, in all.", lambda: services.agendas.misses),
            "rdv_undecided_starts": ("Starts not decided in time, in all.", lambda: services.agendas.undecided),
            "rdv_statements_total": ("Statements sent to the database, in all.", lambda: services.database.statements),
            "rdv_database_connections": ("Connections in use.", lambda: services.database.in_use),
        }
        for name, (said, read) in gauges.items():
            Gauge(name, said, registry=self.registry).set_function(read)

    async def page(self, _: Request) -> Response:
        """Return the figures."""
        return Response(generate_latest(self.registry), headers={"content-type": CONTENT_TYPE_LATEST})

    def count(self, operation: str, status: int, seconds: float) -> None:
        """Count one request."""
        name = operation if operation in self._known else OTHER
        self.requests.labels(name, str(status)).inc()
        self.seconds.labels(name).observe(seconds)


class Measured:
    """ASGI middleware that counts the requests of one path; the endpoint names the operation in the scope's state."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, path: str) -> None:
        self._app, self._metrics, self._path = app, metrics, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count it when its answer is sent."""
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            name = scope.setdefault("state", {}).get("operation", OTHER)
            self._metrics.count(name, status, perf_counter() - began)
