"""GraphQL over HTTP: one request in, one answer out, whatever the bytes are.

The guard comes first: size, method, media type, shape of the body. Then the document is parsed once, the operation
chosen and its cost estimated, and the schema runs it. A request that cannot be run is a 400 with GraphQL errors; what
goes wrong inside a resolver is a refusal (an expected error, with its code), or is masked behind a correlation id and
logged.
"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from graphql import DocumentNode, ExecutableDefinitionNode, GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.requests import Request
from starlette.responses import Response
from strawberry.types.graphql import OperationType as Allowed

from rdv.errors import BadToken, InvalidInput, Refusal
from rdv.integrations.identity import Identity
from rdv.integrations.viewer import ANONYMOUS, Viewer
from rdv.schema.build import Schema, build
from rdv.schema.context import Context
from rdv.schema.cost import is_too_costly
from rdv.schema.texts import Translate, language_from
from rdv.usecases.services import Services

MAX_BODY = 1_000_000
MAX_TOKENS = 5_000
DOCUMENTS_KEPT = 500
BY_ADDRESS = ("GET", "HEAD")  # methods that carry the request in the address and may change nothing
JSON = "application/json"
GRAPHQL = "application/graphql-response+json"

log = logging.getLogger("rdv.graphql")


class BadRequest(Exception):
    """The request cannot be run; the message says why, the status which kind of fault it is."""

    def __init__(self, message: str, status: int = 400, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A GraphQL request as its sender wrote it."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


class Endpoint:
    """Answers `/graphql`."""

    def __init__(self, services: Services, identity: Identity) -> None:
        self._services = services
        self._identity = identity
        self._schema: Schema = build()
        self._too_costly = lru_cache(maxsize=DOCUMENTS_KEPT)(self._measured)

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
            call = await _call(request)
            document = parsed(call.query)
            operation = _operation(document, call.operation_name)
            if operation.operation is OperationType.SUBSCRIPTION:
                raise BadRequest("There are no subscriptions.")
            if request.method in BY_ADDRESS and operation.operation is not OperationType.QUERY:
                raise BadRequest("Only queries may be sent by GET.", 405, allow="POST")
            if self._too_costly(call.query, call.operation_name):
                raise BadRequest(
                    "The operation asks for too much at once: ask for fewer fields, or in several requests."
                )
        except BadRequest as bad:
            return _refused([{"message": str(bad)}], media_type, bad.status, bad.headers)
        except GraphQLError as error:
            return _refused([dict(error.formatted)], media_type, 400, {})
        return await self._run(call, Context(self._services, viewer, translate, document), media_type)

    async def _run(self, call: Call, context: Context, media_type: str) -> Response:
        result = await self._schema.execute(
            call.query,
            variable_values=call.variables,
            context_value=context,
            operation_name=call.operation_name,
            allowed_operation_types=(Allowed.QUERY, Allowed.MUTATION),
        )
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [formatted(error, context.translate) for error in result.errors]
        started = result.data is not None or any(error.path for error in result.errors or ())
        if started:
            body["data"] = result.data
        status = 200 if started or media_type == JSON else 400
        return Response(orjson.dumps(body), status, {"vary": "Accept, Accept-Language"}, media_type)

    def _measured(self, query: str, operation_name: str | None) -> bool:
        document = parsed(query)
        return is_too_costly(_operation(document, operation_name), document, self._schema._schema)  # noqa: SLF001 - Strawberry shows it in no other way

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


@lru_cache(maxsize=DOCUMENTS_KEPT)
def parsed(query: str) -> DocumentNode:
    """Return a document; raises GraphQLError."""
    try:
        return parse(query, max_tokens=MAX_TOKENS)
    except RecursionError:
        raise GraphQLError("The document is nested too deeply.") from None


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
    correlation = secrets.token_hex(8)
    log.error("error %s in %s", correlation, where, exc_info=error)
    extensions = {"code": "INTERNAL", "correlationId": correlation}
    return {"message": translate("Something went wrong on our side."), "extensions": extensions}


async def _call(request: Request) -> Call:
    if request.method in BY_ADDRESS:
        given: dict[str, Any] = dict(request.query_params)
        for name in ("variables", "extensions"):
            if given.get(name):
                given[name] = _json(given[name])
        return _checked(given)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in (JSON, "application/graphql+json"):
        raise BadRequest(f"Send {JSON}.", 415)
    return _checked(_json(await _body(request)))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise BadRequest(f"The request is larger than {MAX_BODY} bytes.", 413)
    return bytes(body)


def _json(text: str | bytes) -> Any:  # noqa: ANN401 - whatever somebody sent
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadRequest("This is not JSON.") from None


def _checked(given: Any) -> Call:  # noqa: ANN401 - whatever somebody sent
    if not isinstance(given, dict):
        raise BadRequest("A request is a JSON object with a query.")
    query, variables, name = (given.get(key) for key in ("query", "variables", "operationName"))
    if not isinstance(query, str) or not query.strip():
        raise BadRequest("The query is missing.")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest("The variables are not an object.")
    if name is not None and not isinstance(name, str):
        raise BadRequest("The operationName is not a string.")
    if not isinstance(given.get("extensions") or {}, dict):
        raise BadRequest("The extensions are not an object.")
    return Call(query=query, variables=variables, operation_name=name or None)


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if not operations or not all(isinstance(d, ExecutableDefinitionNode) for d in document.definitions):
        raise BadRequest("The document has no operation that can be run.")
    if name is None and len(operations) > 1:
        raise BadRequest("The document has several operations: name the one to be run in operationName.")
    for operation in operations:
        if name is None or (operation.name and operation.name.value == name):
            return operation
    raise BadRequest("The document has no operation of that name.")


def _answer_type(accept: str) -> str:
    return GRAPHQL if GRAPHQL in accept.lower() else JSON


def _refused(errors: list[dict[str, Any]], media_type: str, status: int, headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps({"errors": errors}), status, headers, media_type)
