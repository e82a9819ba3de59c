"""GraphQL over HTTP: one request in, one answer out, whatever the bytes are.

The guard comes first: size, method, media type, shape of the body. Then the document is parsed once, the operation
chosen and its cost estimated, and the schema runs it. A request that cannot be run is a 400 with GraphQL errors; what
goes wrong inside a resolver is a refusal (an expected error, with its code), or is masked behind a correlation id and
logged.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from graphql import ExecutionResult, FieldNode, GraphQLError, GraphQLSchema, GraphQLSyntaxError, OperationType
from starlette.requests import Request
from starlette.responses import Response

from rdv.errors import BadToken, InvalidInput, Refusal
from rdv.integrations.identity import Identity, bearer
from rdv.integrations.trace import trace_id
from rdv.integrations.viewer import ANONYMOUS, Viewer
from rdv.models import faults
from rdv.schema.build import build
from rdv.schema.calls import BY_ADDRESS, JSON, BadRequest, Call, called_by, operation_of
from rdv.schema.context import Context
from rdv.schema.cost import Limits, values_in
from rdv.schema.documents import Documents
from rdv.schema.execution import Runner
from rdv.schema.known import Known, KnownDocuments
from rdv.schema.texts import Translate, language_from
from rdv.usecases.services import Services

RETRY_SECONDS = "5"
VALUES_PER_TOKEN = 10  # coercing a value takes 1 to 20 µs; so many, in rows of demand, somewhat less than a second
TIMEOUT, UNAVAILABLE = "TIMEOUT", "UNAVAILABLE"
LATER = {TIMEOUT, UNAVAILABLE}  # codes of what may succeed when it is asked again
ALIKE = {"slots", "__typename"}  # fields of the root that depend on what a caller may do, and not on who it is
ACCESS_CODE = "accessCode"
NO_CODE = "none"  # by what faults are counted that have no code, as those of a request that is no GraphQL
GRAPHQL = "application/graphql-response+json"

log = logging.getLogger("rdv.graphql")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """What an installation decides about its endpoint."""

    limits: Limits = field(default_factory=Limits)
    documents: Documents = field(default_factory=lambda: Documents({}))
    introspection: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An operation that can be run; `alike`: it may be answered alike to all who may do the same."""

    call: Call
    known: Known
    kind: OperationType
    name: str
    cost: int
    alike: bool


class Endpoint:
    """Answers `/graphql`."""

    def __init__(self, services: Services, identity: Identity, options: EndpointOptions | None = None) -> None:
        self._services = services
        self.identity = identity
        self._options = options or EndpointOptions()
        self.schema: GraphQLSchema = build()._schema  # noqa: SLF001 - Strawberry shows it in no other way
        self.limits = self._options.limits
        self._runner = Runner(self.schema)
        self._known = KnownDocuments(self.schema, self.limits, introspection=self._options.introspection)

    async def __call__(self, request: Request) -> Response:
        """Answer one request; what nobody foresaw is masked like an error of a resolver."""
        translate = Translate(language_from(request.headers.get("accept-language", "")))
        media_type = _answer_type(request.headers.get("accept", ""))
        try:
            return await self._answer(request, translate, media_type)
        except Exception as unforeseen:  # noqa: BLE001 - whatever it is, its text is not for callers
            return refused(request.scope, [masked(unforeseen, "request", translate)], media_type, 500, {})

    async def _answer(self, request: Request, translate: Translate, media_type: str) -> Response:
        try:
            viewer = self.viewer(request.headers.get("authorization"))
            called = await called_by(request, body_bytes=self.limits.body_bytes, batch=self.limits.batch)
            if isinstance(called, tuple):
                answers = await self._batch(called, viewer, translate)
                note(request.scope, [error for answer in answers for error in answer.get("errors", ())])
                return Response(orjson.dumps(answers), headers={"cache-control": "no-store"}, media_type=media_type)
            prepared = await self._at_once(called)
            check_method(request.method, prepared.kind)
            request.state.operation = prepared.name
        except BadRequest as bad:
            return refused(request.scope, [bad.shown], media_type, bad.status, bad.headers)
        except GraphQLError as error:
            # Clients that know application/json only take any other status for a fault of the transport.
            status = 200 if media_type == JSON else 400
            return refused(request.scope, [formatted(error, translate)], media_type, status, {})
        context = Context(self._services, lambda: viewer, translate, prepared.known.document)
        body, status = await self._run(prepared, context, media_type)
        if "errors" in body:
            note(request.scope, body["errors"])
        request.state.alike = prepared.alike and "errors" not in body
        return _response(
            request, body, status, media_type, shared=viewer is ANONYMOUS and _may_be_stored(request, prepared)
        )

    async def _batch(self, calls: tuple[Call, ...], viewer: Viewer, translate: Translate) -> list[dict[str, Any]]:
        """Answer one call after the other; together they may cost, and take, what one may."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + self.limits.seconds
        answers: list[dict[str, Any]] = []
        cost = 0
        for call in calls:
            try:
                prepared = await self._at_once(call)
                cost += prepared.cost
                self._allow("estimated cost", cost, self.limits.cost)
            except BadRequest as bad:
                answers.append({"errors": [bad.shown]})
            except GraphQLError as error:
                answers.append({"errors": [formatted(error, translate)]})
            else:
                context = Context(self._services, lambda: viewer, translate, prepared.known.document)
                left = ends - loop.time()
                answers.append((await self._run(prepared, context, GRAPHQL, seconds=left))[0])
        return answers

    async def _at_once(self, call: Call) -> Prepared:
        prepared = await self.prepared(call)
        if prepared.kind is OperationType.SUBSCRIPTION:
            raise BadRequest("Subscriptions are followed by text/event-stream, or by graphql-transport-ws.", 406)
        return prepared

    async def prepared(self, call: Call) -> Prepared:
        """Return what a call asks to run; raises BadRequest or GraphQLError for what cannot be run."""
        most = VALUES_PER_TOKEN * self.limits.tokens
        self._allow("number of values in its variables", values_in(call.variables, most), most)
        known = await self._known.of(self._options.documents.of(call))
        operation = operation_of(known.document, call.operation_name)
        self._allow("number of aliases", known.aliases, self.limits.aliases)
        self._allow("number of repeated selections", known.comparisons, self.limits.comparisons)
        measure = await self._known.measured(known, operation, call.variables)
        self._allow("depth", measure.depth, self.limits.depth)
        self._allow("estimated cost", measure.cost, self.limits.cost)
        return Prepared(
            call=call,
            known=known,
            kind=operation.operation,
            name=operation.name.value if operation.name else "",
            cost=measure.cost,
            alike=all(
                isinstance(one, FieldNode) and one.name.value in ALIKE for one in operation.selection_set.selections
            ),
        )

    async def followed(
        self, prepared: Prepared, who: Callable[[], Viewer], translate: Translate
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Return the answers to an operation, one after the other: of a subscription as they come, else the only one.

        `who` is asked again for each, and raises BadToken when the caller's time is over.
        """
        try:
            context = Context(self._services, who, translate, prepared.known.document)
            if prepared.kind is not OperationType.SUBSCRIPTION:
                yield (await self._run(prepared, context, GRAPHQL))[0]
                return
            async for result in self._runner.follow(prepared.known, prepared.call, context):
                yield self._body(result, prepared, translate)
        except BadToken as bad:
            yield {"errors": [{"message": str(bad), "extensions": {"code": "UNAUTHENTICATED"}}]}
        except Refusal as refusal:
            yield {"errors": [{"message": translate(refusal.message, **refusal.values), "extensions": _told(refusal)}]}
        except Exception as unforeseen:  # noqa: BLE001 - whatever it is, its text is not for callers
            yield {"errors": [masked(unforeseen, "subscription", translate)]}

    async def _run(
        self, prepared: Prepared, context: Context, media_type: str, *, seconds: float | None = None
    ) -> tuple[dict[str, Any], int]:
        """Execute within the time that is allowed: when it is over, statements of the database are cancelled too."""
        try:
            async with asyncio.timeout(self.limits.seconds if seconds is None else seconds):
                result = await self._runner.run(prepared.known, prepared.call, context)
        except TimeoutError:
            return {"errors": [_timed_out(context.translate)]}, 503
        body = self._body(result, prepared, context.translate)
        if not body.get("data") and codes_of(body.get("errors", ())).keys() & LATER:
            return body, 503
        return body, 200 if "data" in body or media_type == JSON else 400

    def _body(self, result: ExecutionResult, prepared: Prepared, translate: Translate) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [formatted(error, translate) for error in result.errors]
        if result.data is not None or any(error.path for error in result.errors or ()):
            body["data"] = result.data
        cost = {"estimated": prepared.cost, "limit": self.limits.cost}
        return body | {"extensions": {"cost": cost}}

    @staticmethod
    def _allow(what: str, number: int, limit: int) -> None:
        if number > limit:
            raise BadRequest(
                f"The operation asks for too much at once: its {what} is at least {number}, the limit {limit}. "
                "Ask for fewer fields, or in several requests.",
                code="TOO_COSTLY",
            )

    def viewer(self, header: str | None) -> Viewer:
        """Return who sends an Authorization header; raises BadRequest for a token that proves nothing."""
        try:
            return self.known(header)
        except BadToken as bad:
            raise BadRequest(str(bad), 401, code="UNAUTHENTICATED", www_authenticate="Bearer") from None

    def known(self, header: str | None) -> Viewer:
        """Return who sends an Authorization header; raises BadToken."""
        return ANONYMOUS if header is None else bearer(self.identity, header)


def check_method(method: str, kind: OperationType) -> None:
    """Refuse to change anything by a method that pages of other sites may use without asking; raises BadRequest."""
    if method in BY_ADDRESS and kind is OperationType.MUTATION:
        raise BadRequest("Only queries may be sent by GET.", 405, allow="POST")


def formatted(error: GraphQLError, translate: Translate) -> dict[str, Any]:
    """Return an error as callers see it: their own faults and refusals as they are, everything else masked."""
    shown: dict[str, Any] = dict(error.formatted)
    original = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    if error.path is None or (original is None and isinstance(error, GraphQLError)):
        code = "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"
        return shown | {"extensions": {"code": code}}
    if isinstance(original, Refusal):
        return shown | {"message": translate(original.message, **original.values), "extensions": _told(original)}
    if isinstance(original, TimeoutError) or faults.is_too_late(original):  # the database did not answer
        return shown | _timed_out(translate)
    if faults.is_away(original):
        log.error("the database is away in %s: %s", error.path, type(original).__name__)
        message = translate("The service is not available at this moment: try again later.")
        return shown | {"message": message, "extensions": {"code": UNAVAILABLE}}
    return shown | masked(original, error.path, translate)


def _timed_out(translate: Translate) -> dict[str, Any]:
    message = translate("This takes too long: ask for less, or try again later.")
    return {"message": message, "extensions": {"code": TIMEOUT}}


def _told(refusal: Refusal) -> dict[str, str]:
    field = {"field": refusal.field} if isinstance(refusal, InvalidInput) else {}
    return {"code": refusal.code, **field}


def masked(error: BaseException | None, where: object, translate: Translate) -> dict[str, Any]:
    """Log an error under a new correlation id, and return what a caller may see of it."""
    correlation = trace_id.get() or secrets.token_hex(16)
    log.error("error %s in %s", correlation, where, exc_info=error)
    extensions = {"code": "INTERNAL", "correlationId": correlation}
    return {"message": translate("Something went wrong on our side."), "extensions": extensions}


def _answer_type(accept: str) -> str:
    return GRAPHQL if GRAPHQL in accept.lower() else JSON


def _may_be_stored(request: Request, prepared: Prepared) -> bool:
    """Tell whether caches may store an answer for anybody: a GET whose answer no access code can have opened."""
    if request.method not in BY_ADDRESS:
        return False
    return ACCESS_CODE not in prepared.known.query and ACCESS_CODE.encode() not in request.scope["query_string"]


def _response(request: Request, body: dict[str, Any], status: int, media_type: str, *, shared: bool) -> Response:
    """Return an answer; one to an anonymous GET may be kept by caches, which ask whether it still holds."""
    content = orjson.dumps(body)
    headers = {"vary": "Accept, Accept-Language, Authorization", "cache-control": "no-store"}
    if status == 503:
        headers["retry-after"] = RETRY_SECONDS
    if shared and "errors" not in body:
        tag = f'W/"{sha256(content).hexdigest()[:32]}"'
        headers |= {"cache-control": "no-cache", "etag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
    return Response(content, status, headers, media_type)


def codes_of(errors: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return by which codes there are errors, and how many."""
    return Counter(error.get("extensions", {}).get("code", NO_CODE) for error in errors)


def note(scope: MutableMapping[str, Any], errors: Iterable[Mapping[str, Any]]) -> None:
    """Have whoever counts requests count the errors that one is answered with as well."""
    scope.setdefault("state", {}).setdefault("codes", Counter()).update(codes_of(errors))


def refused(
    scope: MutableMapping[str, Any],
    errors: list[dict[str, Any]],
    media_type: str,
    status: int,
    headers: Mapping[str, str],
) -> Response:
    """Return the answer to a request that was not run."""
    note(scope, errors)
    return Response(orjson.dumps({"errors": errors}), status, {"cache-control": "no-store"} | dict(headers), media_type)
