"""How many requests one caller may send: by account where they are signed in, else by address."""

import math
import time
from hashlib import sha256

import orjson
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rdv.errors import BadSetting

MESSAGE = "Too many requests: wait a moment."


def rate_from(text: str) -> RateLimitItem:
    """Return a rate like 600/minute; raises BadSetting."""
    try:
        return parse(text)
    except ValueError:
        raise BadSetting("RDV_RATE_LIMIT: is not a rate like 600/minute") from None


class RateLimit:
    """ASGI middleware for one path; each process counts by itself, so n processes let up to n times as many through."""

    def __init__(self, app: ASGIApp, *, rate: RateLimitItem, path: str) -> None:
        self._app, self._rate, self._path = app, rate, path
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with when to come back."""
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope)
        if await self._limiter.hit(self._rate, caller):
            await self._app(scope, receive, send)
            return
        reset = (await self._limiter.get_window_stats(self._rate, caller)).reset_time
        wait = max(math.ceil(reset - time.time()), 1)  # noqa: TID251 - the limiter's own clock
        error = {"message": MESSAGE, "extensions": {"code": "TOO_MANY_REQUESTS"}}
        headers = {"retry-after": str(wait), "cache-control": "no-store"}
        refusal = Response(orjson.dumps({"errors": [error]}), 429, headers, "application/json")
        await refusal(scope, receive, send)


def caller_of(scope: Scope) -> str:
    """Return what a caller is counted by: a digest of their token, or their address."""
    token = Headers(scope=scope).get("authorization")
    if token:
        return sha256(token.encode()).hexdigest()
    client = scope.get("client")
    return str(client[0]) if client else "?"
