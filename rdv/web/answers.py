"""Answers that are the same for many callers, kept as they were sent, and sent again while they hold.

An answer is kept when it was made of offices' agendas alone: by the request as it came and what the caller may do (not
who it is), until the clock makes it another one. It is sent again only after the versions of those agendas have been
asked of the database, for each request: so nothing that was committed before a request came is missing from its answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cachetools import LRUCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rdv.integrations.identity import Identity, bearer
from rdv.integrations.viewer import Viewer
from rdv.models.reads import Asked, Reads, Version, noting
from rdv.usecases.agendas import end_of_minute
from rdv.usecases.services import Services

Key = tuple[Any, ...]  # a caller's reach, the method, the query string, the body, then headers

LONGEST_BODY = 50_000
MOST_HEADERS = 8  # of those that an answer may depend on: others than a browser sends are not worth keeping
OVERHEAD = 2_000  # bytes an answer takes beside its body, as measured, and for each of what it depends on
HEADER_BYTES, VERSION_BYTES, OFFICE_BYTES = 200, 450, 120
VARYING = frozenset({b"accept", b"accept-encoding", b"accept-language", b"content-type"})
ANYBODY = "anybody"  # who has no token
METHODS = ("GET", "POST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer and what it depends on."""

    start: Message
    body: bytes
    operation: str
    began: datetime
    until: datetime | None
    versions: Mapping[Asked, Version | None]
    asked: Key


class Answers:
    """ASGI middleware for one path."""

    def __init__(
        self, app: ASGIApp, *, path: str, services: Services, identity: Identity, kept_bytes: int, figures: "Figures"
    ) -> None:
        """`kept_bytes`: how much is kept; the answers that were asked for least recently are dropped first."""
        self._app, self._path, self._services, self._identity = app, path, services, identity
        self._kept: LRUCache[Key, Kept] = LRUCache(kept_bytes, getsizeof=_size)
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send an answer that is kept and holds; else pass the request on, and keep its answer if it may be kept."""
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] not in METHODS:
            await self._app(scope, receive, send)
            return
        began = [await receive()]
        length = len(began[0].get("body", b""))
        while began[-1].get("more_body") and length <= LONGEST_BODY:
            began.append(await receive())
            length += len(began[-1].get("body", b""))
        if began[-1].get("more_body"):
            await self._app(scope, _replayed(began, receive), send)
            return
        key = self._key(scope, b"".join(one.get("body", b"") for one in began))
        if key is None:
            await self._app(scope, _replayed(began, receive), send)
            return
        kept = self._kept.get(key)
        versions = await self._versions(kept)
        if kept is not None and versions is not None and _agree(versions, kept.versions):
            self._figures.hits += 1
            scope.setdefault("state", {})["operation"] = kept.operation
            await send(_copied(kept.start))
            await send({"type": "http.response.body", "body": kept.body})
            return
        await self._made(key, versions or {}, scope, _replayed(began, receive), send)

    async def _versions(self, kept: Kept | None) -> Mapping[Asked, Version] | None:
        """Return the versions, as they are now, of what an answer was made of; None where they do not matter."""
        now = self._services.clock()
        if kept is None or now < kept.began or (kept.until is not None and now >= kept.until):
            return None
        try:
            return await self._services.agendas.versions.all(kept.versions)
        except Exception:  # noqa: BLE001 - the endpoint meets it again, and says what is to be said
            return None

    async def _made(
        self,
        key: Key,
        versions: Mapping[Asked, Version],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Pass a request on, with the versions that were asked for it, and keep its answer if it may be kept."""
        sent: list[Message] = []
        began = self._services.clock()

        async def recorded(message: Message) -> None:
            sent.append(_copied(message))
            await send(message)

        reads = Reads(asked=versions)
        token = noting.set(reads)
        try:
            await self._app(scope, receive, recorded)
        finally:
            noting.reset(token)
        state = scope.get("state", {})
        if not state.get("alike") or reads.others or not reads.agendas or sent[0]["status"] != 200:
            return
        made = Kept(
            start=sent[0],
            body=b"".join(message.get("body", b"") for message in sent[1:]),
            operation=state["operation"],
            began=began,
            until=_until(reads, began),
            versions=reads.agendas,
            asked=key,
        )
        if _size(made) <= self._kept.maxsize:
            self._figures.kept += 1
            self._kept.pop(key, None)  # with its key, which the new one has as well
            self._kept[key] = made

    def _key(self, scope: Scope, body: bytes) -> Key | None:
        """Return all that an answer depends on beside the agendas; None for requests whose answers are not kept."""
        given: list[tuple[bytes, bytes]] = []
        tokens: list[bytes] = []
        for header in scope["headers"]:
            name = header[0]
            if name in VARYING:
                given.append(header)
            elif name == b"authorization":
                tokens.append(header[1])
            elif name == b"if-none-match":
                return None
            if name == b"accept" and b"event-stream" in header[1]:
                return None  # it does not end
        if len(given) > MOST_HEADERS:
            return None
        reach = self._reach(tokens) if tokens else ANYBODY
        return None if reach is None else (reach, scope["method"], scope["query_string"], body, *given)

    def _reach(self, tokens: list[bytes]) -> Viewer | None:
        """Return what a caller may do, without who it is; None where the endpoint has something to refuse."""
        try:
            viewer = bearer(self._identity, tokens[0].decode("latin-1"))
        except Exception:  # noqa: BLE001 - the endpoint meets it again, and says what is to be said
            return None
        return replace(viewer, subject=None, name=None) if len(tokens) == 1 else None


@dataclass(slots=True)
class Figures:
    """How many answers were kept, and how often one was sent again."""

    kept: int = 0
    hits: int = 0


def _agree(found: Mapping[Asked, Version], versions: Mapping[Asked, Version | None]) -> bool:
    return all(found.get(asked) == version for asked, version in versions.items())


def _until(reads: Reads, began: datetime) -> datetime | None:
    """Return the first moment at which an answer may be another one."""
    if not reads.clocked:
        return reads.until
    minute = end_of_minute(began)
    return minute if reads.until is None else min(minute, reads.until)


def _size(kept: Kept) -> int:
    reach, _, query, body, *headers = kept.asked
    named = len(reach.offices) * OFFICE_BYTES if isinstance(reach, Viewer) else 0
    told = sum(HEADER_BYTES + len(value) for _, value in headers)
    return OVERHEAD + len(kept.body) + len(query) + len(body) + told + named + VERSION_BYTES * len(kept.versions)


def _replayed(began: list[Message], receive: Receive) -> Receive:
    async def replayed() -> Message:
        return began.pop(0) if began else await receive()

    return replayed


def _copied(message: Message) -> Message:
    """Copy a message: middleware outside adds headers of its own to each that is sent."""
    return {**message, "headers": list(message["headers"])} if "headers" in message else message
