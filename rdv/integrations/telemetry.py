"""Traces for an OpenTelemetry collector, by OTLP over HTTP. Its packages are an extra: `rdv[otel]`.

What is told: the operation's name where it is one of ours, its status, and how long its parts took; nothing of what was
asked or answered.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rdv.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

DISCREET: dict[str, Any] = {"record_exception": False, "set_status_on_exception": False}  # what they say may be data
MISSING = "RDV_OTLP_ENDPOINT: needs the packages of the extra `otel`: install rdv[otel]"


class Telemetry:
    """Collects spans and sends them, a few seconds later, in a thread of its own."""

    def __init__(self, endpoint: str, *, share: float) -> None:
        """`endpoint`: the collector's address, without a path; `share` of new traces that is collected, 0 to 1.

        Whoever passes a trace on decides for it. Raises BadSetting when the packages are not installed.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
            from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415
        except ImportError:
            raise BadSetting(MISSING) from None
        self._provider = TracerProvider(
            resource=Resource({"service.name": "rdv"}), sampler=ParentBased(TraceIdRatioBased(share))
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self._provider.get_tracer("rdv")

    @contextmanager
    def request(self, traceparent: str) -> Iterator[Any]:
        """Begin a request's span, in the caller's trace if there is one."""
        from opentelemetry.trace import SpanKind  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        parent = TraceContextTextMapPropagator().extract({"traceparent": traceparent})
        with self.tracer.start_as_current_span("request", context=parent, kind=SpanKind.SERVER, **DISCREET) as span:
            yield span

    def part(self, name: str) -> AbstractContextManager[Any]:
        """Begin the span of a part of what is going on."""
        return self.tracer.start_as_current_span(name, **DISCREET)

    async def close(self) -> None:
        """Send what is left."""
        await asyncio.to_thread(self._provider.shutdown)
