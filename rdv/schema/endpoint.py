"""GraphQL over HTTP: one request in, one answer out, whatever the bytes are.

The guard comes first: size, method, media type, shape of the body. Then the document is parsed once, the operation
chosen and its cost estimated, and the schema runs it. A request that cannot be run is a 400 with GraphQL errors; what
goes wrong inside a resolver is a refusal (an expected error, with its code), or is masked behind a correlation id and
logged.
"""

import logging
import secrets
from asyncio import timeout
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

import orjson
from graphql import FieldNode, GraphQLError, GraphQLSchema, OperationType
from starlette.requests import Request
from starlette.responses import Response

from rdv.errors import BadToken, InvalidInput, Refusal
from rdv.integrations.identity import Identity
from rdv.integrations.trace import trace_id
from rdv.integrations.viewer import ANONYMOUS, Viewer
from rdv.schema.build import build
from rdv.schema.calls import BY_ADDRESS, DOCUMENTS_KEPT, JSON, BadRequest, Call, call_of, operation_of, parsed
from rdv.schema.context import Context
from rdv.schema.cost import Limits, Measure, aliases_of, measure
from rdv.schema.documents import Documents
from rdv.schema.execution import Runner
from rdv.schema.texts import Translate, language_from
from rdv.usecases.services import Services

RETRY_SECONDS = "5"
ALIKE = {"slots", "__typename"}  # fields of the root that depend on what a caller may do, and not on who it is
GRAPHQL = "application/graphql-response+json"

log = logging.getLogger("rdv.graphql")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """What an installation decides about its endpoint."""

    limits: Limits = field(default_factory=Limits)
    documents: Documents = field(default_factory=lambda: Documents({}))
    introspection: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is known of an operation before it runs; `alike`: it may be answered alike to all who may do the same."""

    measure: Measure
    aliases: int
    alike: bool


class Endpoint:
    """Answers `/graphql`."""

    def __init__(self, services: Services, identity: Identity, options: EndpointOptions | None = None) -> None:
        self._services = services
        self._identity = identity
        self._options = options or EndpointOptions()
        self.schema: GraphQLSchema = build()._schema  # noqa: SLF001 - Strawberry shows it in no other way
        self._runner = Runner(self.schema, introspection=self._options.introspection)
        self._measured = lru_cache(maxsize=DOCUMENTS_KEPT)(self._measure)

    async def __call__(self, request: Request) -> Response:
        """Answer one request; what nobody foresaw is masked like an error of a resolver."""
        translate = Translate(language_from(request.headers.get("accept-language", "")))
        media_type = _answer_type(request.headers.get("accept", ""))
        try:
            return await self._answer(request, translate, media_type)
        except Exception as unforeseen:  # noqa: BLE001 - whatever it is, its text is not for callers
            return _refused([masked(unforeseen, "request", translate)], media_type, 500, {})

    async def _answer(self, request: Request, translate: Translate, media_type: str) -> Response:
        try:
            viewer = self._viewer(request)
            call = await call_of(request)
            query = self._options.documents.of(call)
            document = parsed(query)
            operation = operation_of(document, call.operation_name)
            if operation.operation is OperationType.SUBSCRIPTION:
                raise BadRequest("There are no subscriptions.")
            if request.method in BY_ADDRESS and operation.operation is not OperationType.QUERY:
                raise BadRequest("Only queries may be sent by GET.", 405, allow="POST")
            request.state.operation = operation.name.value if operation.name else ""
            checked = self._checked(query, call.operation_name)
        except BadRequest as bad:
            return _refused([bad.shown], media_type, bad.status, bad.headers)
        except GraphQLError as error:
            # Clients that know application/json only take any other status for a fault of the transport.
            return _refused([dict(error.formatted)], media_type, 200 if media_type == JSON else 400, {})
        context = Context(self._services, viewer, translate, document)
        body, status = await self._run(query, call, context, media_type)
        body["extensions"] = {"cost": {"estimated": checked.measure.cost, "limit": self._options.limits.cost}}
        request.state.alike = checked.alike and "errors" not in body
        return _response(request, body, status, media_type, shared=viewer is ANONYMOUS)

    async def _run(self, query: str, call: Call, context: Context, media_type: str) -> tuple[dict[str, Any], int]:
        """Execute within the time that is allowed: when it is over, statements of the database are cancelled too."""
        try:
            async with timeout(self._options.limits.seconds):
                result = await self._runner.run(query, call, context)
        except TimeoutError:
            message = context.translate("This takes too long: ask for less, or try again later.")
            return {"errors": [{"message": message, "extensions": {"code": "TIMEOUT"}}]}, 503
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [formatted(error, context.translate) for error in result.errors]
        started = result.data is not None or any(error.path for error in result.errors or ())
        if started:
            body["data"] = result.data
        return body, 200 if started or media_type == JSON else 400

    def _checked(self, query: str, operation_name: str | None) -> "Checked":
        """Return what is known of an operation before it runs; raises BadRequest for one that asks for too much."""
        limits = self._options.limits
        found = self._measured(query, operation_name)
        for what, number, limit in (
            ("depth", found.measure.depth, limits.depth),
            ("number of aliases", found.aliases, limits.aliases),
            ("estimated cost", found.measure.cost, limits.cost),
        ):
            if number > limit:
                raise BadRequest(
                    f"The operation asks for too much at once: its {what} is at least {number}, the limit {limit}. "
                    "Ask for fewer fields, or in several requests.",
                    code="TOO_COSTLY",
                )
        return found

    def _measure(self, query: str, operation_name: str | None) -> "Checked":
        document = parsed(query)
        operation = operation_of(document, operation_name)
        return Checked(
            measure=measure(operation, document, self.schema, self._options.limits),
            aliases=aliases_of(document),
            alike=all(
                isinstance(one, FieldNode) and one.name.value in ALIKE for one in operation.selection_set.selections
            ),
        )

    def _viewer(self, request: Request) -> Viewer:
        header = request.headers.get("authorization")
        if header is None:
            return ANONYMOUS
        scheme, _, token = header.partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise BadToken
            return self._identity.viewer(token.strip())
        except BadToken as bad:
            raise BadRequest(str(bad), 401, www_authenticate="Bearer") from None


def formatted(error: GraphQLError, translate: Translate) -> Mapping[str, Any]:
    """Return an error as callers see it: their own faults and refusals as they are, everything else masked."""
    shown = dict(error.formatted)
    original = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    if error.path is None or (original is None and isinstance(error, GraphQLError)):
        return shown
    if isinstance(original, Refusal):
        field = {"field": original.field} if isinstance(original, InvalidInput) else {}
        message = translate(original.message, **original.values)
        return shown | {"message": message, "extensions": {"code": original.code, **field}}
    return shown | masked(original, error.path, translate)


def masked(error: BaseException | None, where: object, translate: Translate) -> dict[str, Any]:
    """Log an error under a new correlation id, and return what a caller may see of it."""
    correlation = trace_id.get() or secrets.token_hex(16)
    log.error("error %s in %s", correlation, where, exc_info=error)
    extensions = {"code": "INTERNAL", "correlationId": correlation}
    return {"message": translate("Something went wrong on our side."), "extensions": extensions}


def _answer_type(accept: str) -> str:
    return GRAPHQL if GRAPHQL in accept.lower() else JSON


def _response(request: Request, body: dict[str, Any], status: int, media_type: str, *, shared: bool) -> Response:
    """Return an answer; one to an anonymous GET may be kept by caches, which ask whether it still holds."""
    content = orjson.dumps(body)
    headers = {"vary": "Accept, Accept-Language, Authorization", "cache-control": "no-store"}
    if status == 503:
        headers["retry-after"] = RETRY_SECONDS
    if request.method in BY_ADDRESS and shared and "errors" not in body:
        tag = f'W/"{sha256(content).hexdigest()[:32]}"'
        headers |= {"cache-control": "no-cache", "etag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
    return Response(content, status, headers, media_type)


def _refused(errors: list[dict[str, Any]], media_type: str, status: int, headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps({"errors": errors}), status, {"cache-control": "no-store"} | dict(headers), media_type)
