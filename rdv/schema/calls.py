"""From the bytes of a request to what is to be run: size, media type, shape of the body."""

from dataclasses import dataclass
from typing import Any

import orjson
from graphql import DocumentNode, ExecutableDefinitionNode, OperationDefinitionNode
from starlette.requests import ClientDisconnect, Request

BY_ADDRESS = ("GET", "HEAD")  # methods that carry the request in the address and may change nothing
JSON = "application/json"


class BadRequest(Exception):
    """The request cannot be run; the message says why, the status which kind of fault it is, the code for machines."""

    def __init__(self, message: str, status: int = 400, *, code: str | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def shown(self) -> dict[str, Any]:
        """As a GraphQL error."""
        said: dict[str, Any] = {"message": str(self)}
        return said if self.code is None else said | {"extensions": {"code": self.code}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A GraphQL request as its sender wrote it: with a document, the hash of one, or both."""

    query: str | None
    document_hash: str | None
    variables: dict[str, Any] | None
    operation_name: str | None


async def called_by(request: Request, *, body_bytes: int, batch: int) -> Call | tuple[Call, ...]:
    """Return what a request asks for: a call, or a batch of them; raises BadRequest.

    `body_bytes`: how large it may be; `batch`: how many calls one request may bring as a list.
    """
    if request.method in BY_ADDRESS:
        given: dict[str, Any] = dict(request.query_params)
        for name in ("variables", "extensions"):
            if given.get(name):
                given[name] = _json(given[name])
        return call_from(given)
    # A type that no form and no script of another site can send without being allowed to (CSRF).
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in (JSON, "application/graphql+json"):
        raise BadRequest(f"Send {JSON}.", 415)
    given_body = _json(await _body(request, body_bytes))
    if not isinstance(given_body, list):
        return call_from(given_body)
    if not batch:
        raise BadRequest("Batches are not taken: send each operation by itself.")
    if not 0 < len(given_body) <= batch:
        raise BadRequest(f"A batch has 1 to {batch} operations.")
    return tuple(map(call_from, given_body))


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation of a document that is to be run; raises BadRequest."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if not operations or not all(isinstance(d, ExecutableDefinitionNode) for d in document.definitions):
        raise BadRequest("The document has no operation that can be run.")
    if name is None and len(operations) > 1:
        raise BadRequest("The document has several operations: name the one to be run in operationName.")
    for operation in operations:
        if name is None or (operation.name and operation.name.value == name):
            return operation
    raise BadRequest("The document has no operation of that name.")


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise BadRequest(f"The request is larger than {most} bytes.", 413)
    except ClientDisconnect:
        raise BadRequest("The request ended before its body did.") from None
    return bytes(body)


def _json(text: str | bytes) -> Any:  # noqa: ANN401 - whatever somebody sent
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadRequest("This is not JSON.") from None


def call_from(given: Any) -> Call:  # noqa: ANN401 - whatever somebody sent
    """Return what a JSON value asks for; raises BadRequest."""
    if not isinstance(given, dict):
        raise BadRequest("A request is a JSON object with a query.")
    query, variables, name = (given.get(key) for key in ("query", "variables", "operationName"))
    extensions = given.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        raise BadRequest("The extensions are not an object.")
    named = _hash(given, extensions or {})
    if query is not None and not isinstance(query, str):
        raise BadRequest("The query is missing.")
    if not (query or "").strip() and named is None:
        raise BadRequest("The query is missing.")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest("The variables are not an object.")
    if name is not None and not isinstance(name, str):
        raise BadRequest("The operationName is not a string.")
    return Call(query=query or None, document_hash=named, variables=variables, operation_name=name or None)


def _hash(given: dict[str, Any], extensions: dict[str, Any]) -> str | None:
    """Return the hash by which a request names its document: `documentId`, or that of automatic persisted queries."""
    named = given.get("documentId")
    persisted = extensions.get("persistedQuery")
    if named is None and persisted is not None:
        if not isinstance(persisted, dict) or persisted.get("version") != 1:
            raise BadRequest("Only version 1 of persisted queries is known.")
        named = persisted.get("sha256Hash")
    if named is None:
        return None
    if not isinstance(named, str) or not named:
        raise BadRequest("The documentId is not a string.")
    return named.removeprefix("sha256:").lower()
