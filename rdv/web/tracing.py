"""W3C trace context: a request's trace goes on with ours, and its answer says which it was."""

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
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
        given = _TRACEPARENT.fullmatch(Headers(scope=scope).get("traceparent", "").strip())
        trace, flags = (given[1], given[2]) if given else (secrets.token_hex(16), "00")
        response = f"00-{trace}-{secrets.token_hex(8)}-{flags}"

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["traceresponse"] = response
            await send(message)

        token = trace_id.set(trace)
        try:
            await self._app(scope, receive, noted)
        finally:
            trace_id.reset(token)
