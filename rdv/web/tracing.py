"""W3C trace context: a request's trace goes on with ours, and its answer says which it was."""

import re
from collections.abc import Collection
from random import getrandbits

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rdv.integrations.telemetry import Telemetry
from rdv.integrations.trace import begin_span, trace_id

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")


class Traced:
    """ASGI middleware: takes `traceparent`, or begins a trace, and answers with `traceresponse`."""

    def __init__(self, app: ASGIApp, *, telemetry: Telemetry | None, operations: Collection[str]) -> None:
        """`telemetry` collects the traces; only the names of these `operations` are told it."""
        self._app, self._telemetry, self._operations = app, telemetry, frozenset(operations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its trace."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
        if self._telemetry is not None:
            await self._collected(self._telemetry, given.decode("latin-1").strip(), scope, receive, send)
            return
        parent = _TRACEPARENT.fullmatch(given.decode("latin-1").strip()) if given else None
        chance = f"{getrandbits(192):048x}"  # a name, not a secret; the system's own chance costs a system call
        trace, flags = (parent[1], parent[2]) if parent else (chance[16:], "00")
        await self._under(trace, f"00-{trace}-{chance[:16]}-{flags}", scope, receive, send)

    async def _collected(
        self, telemetry: Telemetry, traceparent: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
            await send(message)

        with telemetry.request(traceparent) as span:
            context = span.get_span_context()
            trace, flags = f"{context.trace_id:032x}", f"{context.trace_flags:02x}"
            token = begin_span.set(telemetry.part)
            try:
                await self._under(trace, f"00-{trace}-{context.span_id:016x}-{flags}", scope, receive, noted)
            finally:
                begin_span.reset(token)
                operation = scope.get("state", {}).get("operation")
                if operation in self._operations:
                    span.update_name(operation)

    async def _under(self, trace: str, response: str, scope: Scope, receive: Receive, send: Send) -> None:
        header = (b"traceresponse", response.encode())

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        token = trace_id.set(trace)
        try:
            await self._app(scope, receive, noted)
        finally:
            trace_id.reset(token)
