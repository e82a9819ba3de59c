"""How many requests one caller may send: by account where they are signed in, else by address."""

import math
import time
from bisect import bisect_left
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from rdv.errors import BadSetting
from rdv.integrations.identity import Identity, bearer
from rdv.schema.endpoint import refused

MESSAGE = "Too many requests: wait a moment."
CODE = "TOO_MANY_REQUESTS"
SWEEP_SECONDS = 10.0
NOBODY = "?"  # who has no address, or one that a proxy made up


def rate_from(text: str) -> RateLimitItem:
    """Return a rate like 600/minute; raises BadSetting."""
    try:
        return parse(text)
    except ValueError:
        raise BadSetting("RDV_RATE_LIMIT: is not a rate like 600/minute") from None


def caller_by(identity: Identity, authorization: str | None, scope: Scope) -> str:
    """Return what a caller is counted by: the account of a token that holds, else the address."""
    try:
        viewer = None if authorization is None else bearer(identity, authorization)
    except Exception:  # noqa: BLE001 - a token that proves nothing, or nobody who could tell: the endpoint says which
        viewer = None
    if viewer is not None and viewer.subject is not None:
        return f"account {viewer.subject}"
    client = scope.get("client")
    return f"address {_network(client[0]) if client else NOBODY}"


@lru_cache(maxsize=10_000)
def _network(host: str) -> str:
    """Return an address, of IPv6 the network of 64 bits that one household or company is given."""
    try:
        address = ip_address(host)
    except ValueError:
        return NOBODY
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or ip_network((address, 64), strict=False))


class _Storage(MemoryStorage):
    """Forgets whom nobody has heard of for a while, all at once now and then.

    The library's own way looks at each caller it knows, by a thread, whenever a request comes: with ten thousand
    callers it never came to an end.
    """

    def __init__(self) -> None:
        super().__init__()
        self._swept = 0.0

    async def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 - called before each entry
        now = time.time()  # noqa: TID251 - the limiter's own clock
        if now < self._swept + SWEEP_SECONDS:
            return
        self._swept = now
        for key, entries in list(self.events.items()):  # the newest first
            holding = bisect_left(entries, -now, key=lambda one: -one.expiry)
            if holding:
                del entries[holding:]
            else:
                del self.events[key]
                self.locks.pop(key, None)


class Rates:
    """Counts what callers send; each process by itself, so n processes let up to n times as many through."""

    def __init__(self, rate: RateLimitItem | None) -> None:
        """Without a `rate` everything goes through."""
        self._rate = rate
        self._storage = _Storage()
        self._limiter = MovingWindowRateLimiter(self._storage) if rate else None

    @property
    def known(self) -> int:
        """How many callers are remembered."""
        return len(self._storage.events)

    async def wait(self, caller: str) -> int:
        """Count one request; return how many seconds the caller has to wait before it may be taken, mostly 0."""
        if self._rate is None or self._limiter is None or await self._limiter.hit(self._rate, caller):
            return 0
        reset = (await self._limiter.get_window_stats(self._rate, caller)).reset_time
        return max(math.ceil(reset - time.time()), 1)  # noqa: TID251 - the limiter's own clock


class RateLimit:
    """ASGI middleware for one path."""

    def __init__(self, app: ASGIApp, *, rates: Rates, identity: Identity, path: str) -> None:
        self._app, self._rates, self._identity, self._path = app, rates, identity, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with when to come back."""
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        caller = caller_by(self._identity, Headers(scope=scope).get("authorization"), scope)
        if not (wait := await self._rates.wait(caller)):
            await self._app(scope, receive, send)
            return
        error = {"message": MESSAGE, "extensions": {"code": CODE}}
        refusal = refused(scope, [error], "application/json", 429, {"retry-after": str(wait)})
        await refusal(scope, receive, send)
