"""Subscriptions: as server-sent events (one request, one stream), and by graphql-transport-ws (many on one socket).

Each caller has a bounded number of streams and of sockets, who they are is asked again for each event, and a browser's
socket is only taken from pages of ours or of origins that are allowed. When the server stops, streams end without
saying that they are complete, so that clients come back; uvicorn closes sockets with 1012, for the same reason.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import perf_counter
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry import UNSET
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation

from rdv.integrations.viewer import Viewer
from rdv.models.notices import Notices
from rdv.schema.calls import BadRequest, Call, call_from, called_by
from rdv.schema.endpoint import Endpoint, check_method, codes_of, formatted, masked, note, refused
from rdv.schema.texts import Translate, language_from
from rdv.web.metrics import Metrics
from rdv.web.rates import CODE, MESSAGE, Rates, caller_by

EVENTS = "text/event-stream"
PROTOCOL = "graphql-transport-ws"
PING_SECONDS = 15.0
INIT_SECONDS = 10
LONGEST_ID = 100


class Live:
    """Answers what is followed."""

    def __init__(
        self,
        endpoint: Endpoint,
        notices: Notices,
        *,
        per_caller: int,
        most: int,
        origins: frozenset[str],
        rates: Rates,
        metrics: Metrics,
    ) -> None:
        """`per_caller`: how many streams, and how many sockets, one caller may have open, `most`: all of them together.

        `origins` of scripts.

        Each operation of a socket counts as a request, by `rates` and `metrics`.
        """
        self.endpoint = endpoint
        self.notices = notices
        self.rates = rates
        self.metrics = metrics
        self.per_caller = per_caller
        self._origins = origins
        self._most, self._open = most, 0
        self.streams: Counter[str] = Counter()
        self._sockets: Counter[str] = Counter()

    @staticmethod
    def wanted(request: Request) -> bool:
        """Tell whether a request is for a stream of events."""
        return EVENTS in request.headers.get("accept", "")

    async def events(self, request: Request) -> Response:
        """Answer a request with a stream of its results."""
        translate = Translate(language_from(request.headers.get("accept-language", "")))
        token = request.headers.get("authorization")
        try:
            if request.method == "HEAD":
                raise BadRequest("A stream of events is asked for by GET or POST.", 405, allow="GET, POST")
            self.endpoint.viewer(token)
            called = await called_by(request, body_bytes=self.endpoint.limits.body_bytes, batch=0)
            prepared = await self.endpoint.prepared(cast("Call", called))
            check_method(request.method, prepared.kind)
            request.state.operation = prepared.name
            place = self.place(self.streams, self.caller(token, request.scope))
            place.__enter__()  # held until the stream ends
        except BadRequest as bad:
            return refused(request.scope, [bad.shown], "application/json", bad.status, bad.headers)
        except GraphQLError as error:
            return refused(request.scope, [formatted(error, translate)], "application/json", 400, {})
        except Exception as unforeseen:  # noqa: BLE001 - whatever it is, its text is not for callers
            return refused(request.scope, [masked(unforeseen, "stream", translate)], "application/json", 500, {})
        bodies = self.endpoint.followed(prepared, lambda: self.endpoint.known(token), translate)

        async def lines() -> AsyncIterator[bytes]:
            try:
                async for line in self._lines(bodies, request.scope):
                    yield line
            finally:
                place.__exit__(None, None, None)

        return StreamingResponse(lines(), headers={"cache-control": "no-store"}, media_type=EVENTS)

    async def websocket(self, websocket: WebSocket) -> None:
        """Speak graphql-transport-ws with a client."""
        if not self._may_come_from(websocket):
            await websocket.close(1008)
            return
        token = websocket.headers.get("authorization")
        try:
            self.endpoint.viewer(token)
            with self.place(self._sockets, self.caller(token, websocket.scope)):
                offered = websocket.scope.get("subprotocols", [])
                await websocket.accept(subprotocol=PROTOCOL if PROTOCOL in offered else None)
                if PROTOCOL not in offered:
                    await websocket.close(4406, "Subprotocol not acceptable")
                    return
                await _Socket(self, websocket, token).handle()
        except BadRequest:
            await websocket.close(1013)  # before it is accepted: a 403

    def caller(self, token: str | None, scope: Scope) -> str:
        """Return what a caller's places are counted by."""
        return caller_by(self.endpoint.identity, token, scope)

    @contextmanager
    def place(self, taken: Counter[str], caller: str) -> Iterator[None]:
        """Take one of a caller's places; raises BadRequest when all are taken, or all there are."""
        if taken[caller] >= self.per_caller:
            message = f"You follow {self.per_caller} things already: end one of them first."
            raise BadRequest(message, 429, code="TOO_MANY_SUBSCRIPTIONS", retry_after="5")
        if self._open >= self._most:
            raise BadRequest(
                "Too many follow something here: try again later.", 503, code="TOO_MANY_SUBSCRIPTIONS", retry_after="30"
            )
        taken[caller] += 1
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            taken[caller] -= 1
            if not taken[caller]:
                del taken[caller]

    async def _lines(self, bodies: AsyncGenerator[dict[str, Any], None], scope: Scope) -> AsyncIterator[bytes]:
        coming = asyncio.ensure_future(anext(bodies, None))
        try:
            while True:
                await asyncio.wait({coming}, timeout=PING_SECONDS)
                if not coming.done():
                    yield b":\n\n"  # keeps what is between awake, and finds out who has gone
                    continue
                if (body := coming.result()) is None:
                    break
                if "errors" in body:
                    note(scope, body["errors"])
                yield b"event: next\ndata: " + orjson.dumps(body) + b"\n\n"
                coming = asyncio.ensure_future(anext(bodies, None))
        finally:
            coming.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await coming
            await bodies.aclose()
        if not self.notices.closed:
            yield b"event: complete\ndata:\n\n"

    def _may_come_from(self, websocket: WebSocket) -> bool:
        origin = websocket.headers.get("origin")
        if origin is None or origin in self._origins or "*" in self._origins:
            return True
        try:
            return urlsplit(origin).netloc == websocket.headers.get("host")
        except ValueError:  # an address that is none
            return False


class _Adapter:
    """A socket as Strawberry's handler of the protocol takes it."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def iter_json(self) -> AsyncGenerator[object, None]:
        while self._websocket.application_state is not WebSocketState.DISCONNECTED:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if (text := message.get("text")) is None:
                raise NonTextMessageReceived
            try:
                yield orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise NonJsonMessageReceived from error

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self._websocket.send_text(orjson.dumps(message).decode())
        except (WebSocketDisconnect, RuntimeError) as error:  # Starlette's, for a socket that is closed
            raise WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        with suppress(RuntimeError):  # it is closed already
            # In bytes: a frame that closes takes 123, and callers choose what reasons repeat.
            await self._websocket.close(code, reason.encode()[:123].decode(errors="ignore"))


class _Socket(BaseGraphQLTransportWSHandler[Any, None]):
    """One socket: the protocol is Strawberry's, what is run and sent is ours."""

    def __init__(self, live: Live, websocket: WebSocket, token: str | None) -> None:
        super().__init__(
            cast("Any", self),  # of the view only `on_ws_connect` is asked
            cast("Any", _Adapter(websocket)),
            SimpleNamespace(connection_params=None),
            None,
            cast("Any", None),  # nothing is run by Strawberry's schema
            timedelta(seconds=INIT_SECONDS),
            live.per_caller,
        )
        self._live, self._token, self._scope = live, token, websocket.scope
        self._caller = live.caller(token, websocket.scope)
        self._translate = Translate(language_from(websocket.headers.get("accept-language", "")))

    async def on_ws_connect(self, context: SimpleNamespace) -> object:
        """Take the token and the language of the first message, which browsers cannot send otherwise."""
        given = {name.lower(): value for name, value in (context.connection_params or {}).items()}
        token = given.get("authorization", self._token)
        if token is not None and not isinstance(token, str):
            raise ConnectionRejectionError
        if isinstance(language := given.get("accept-language", given.get("acceptlanguage")), str):
            self._translate = Translate(language_from(language))
        try:
            self._live.endpoint.viewer(token)
        except BadRequest:
            raise ConnectionRejectionError from None
        self._token, self._caller = token, self._live.caller(token, self._scope)
        return UNSET

    async def handle_message(self, message: Any) -> None:  # noqa: ANN401 - whatever somebody sent
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            await self.handle_invalid_message("A message is an object with a type")
            return
        if message["type"] in ("subscribe", "complete"):
            identity = message.get("id")
            if not isinstance(identity, str) or not 0 < len(identity) <= LONGEST_ID:
                await self.handle_invalid_message("A message about an operation has its id")
                return
        if message["type"] == "subscribe":
            payload = message.get("payload")
            if not isinstance(payload, dict):
                await self.handle_invalid_message("The payload is not an object")
                return
            # Strawberry passes `variables` on as they are: so the whole payload comes along, a hash in it or not.
            message = message | {"payload": {"query": "", "variables": payload}}
        await super().handle_message(message)

    async def run_operation(self, operation: Operation[Any, None]) -> None:
        """Send an operation's results."""
        live, began, name, status = self._live, perf_counter(), "", 200
        codes: Counter[str] = Counter()
        with suppress(WebSocketDisconnected):
            try:
                with live.place(live.streams, self._caller):
                    if await live.rates.wait(self._caller):
                        raise BadRequest(MESSAGE, 429, code=CODE)
                    prepared = await live.endpoint.prepared(call_from(operation.variables))
                    name = prepared.name
                    bodies = live.endpoint.followed(prepared, self._who, self._translate)
                    await self._send(operation, bodies, codes)
            except BadRequest as bad:
                status = bad.status
                await self._refuse(operation, [bad.shown], codes)
            except GraphQLError as error:
                status = 400
                await self._refuse(operation, [formatted(error, self._translate)], codes)
            except Exception as unforeseen:  # noqa: BLE001 - whatever it is, its text is not for callers
                status = 500
                await self._refuse(operation, [masked(unforeseen, "socket", self._translate)], codes)
            finally:  # most that is followed is ended by its client
                live.metrics.count(name, status, perf_counter() - began, codes, followed=True)

    async def _send(
        self, operation: Operation[Any, None], bodies: AsyncGenerator[dict[str, Any], None], codes: Counter[str]
    ) -> None:
        try:
            async for body in bodies:
                if "data" not in body:
                    await self._refuse(operation, body["errors"], codes)
                    return
                if "errors" in body:
                    codes.update(codes_of(body["errors"]))
                await operation.send_operation_message(
                    cast("Any", {"id": operation.id, "type": "next", "payload": body})
                )
        finally:
            await bodies.aclose()
        if not self._live.notices.closed:
            await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def _refuse(self, operation: Operation[Any, None], errors: list[Any], codes: Counter[str]) -> None:
        codes.update(codes_of(errors))
        await operation.send_operation_message({"id": operation.id, "type": "error", "payload": errors})

    @property
    def _who(self) -> Callable[[], Viewer]:
        return lambda: self._live.endpoint.known(self._token)
