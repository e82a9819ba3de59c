"""W3C trace context: a request's trace goes on with ours, and its answer says which it was."""

import os
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rdv.integrations.trace import trace_id

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")


class Traced:
    """ASGI middleware: takes `traceparent`, or begins a trace, and answers with `traceresponse`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its trace."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
        parent = _TRACEPARENT.fullmatch(given.decode("latin-1").strip()) if given else None
        chance = os.urandom(24).hex()
        trace, flags = (parent[1], parent[2]) if parent else (chance[16:], "00")
        response = (b"traceresponse", f"00-{trace}-{chance[:16]}-{flags}".encode())

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), response]
            await send(message)

        token = trace_id.set(trace)
        try:
            await self._app(scope, receive, noted)
        finally:
            trace_id.reset(token)
