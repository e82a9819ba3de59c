"""Documents by hash: those of manifests, which may be the only ones that run, and those callers have sent before.

Manifests have the form of Apollo's persisted query manifests, which front-end tools write: `rdv documents build` writes
ours. A caller registers a document by sending it once with its hash (automatic persisted queries); of these a bounded
number is remembered.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError, OperationDefinitionNode, parse

import rdv
from rdv.errors import BadSetting
from rdv.schema.calls import BadRequest, Call

FORMAT = {"format": "apollo-persisted-query-manifest", "version": 1}
MOST_REMEMBERED = 1_000
LONGEST_REMEMBERED = 20_000  # characters


class Documents:
    """Finds the document of a call. `only`: no others than the manifests' run."""

    def __init__(self, trusted: Mapping[str, str], *, only: bool = False) -> None:
        self._trusted = dict(trusted)
        self._only = only
        self._remembered: OrderedDict[str, str] = OrderedDict()

    def of(self, call: Call) -> str:
        """Return a call's document; raises BadRequest."""
        if call.query is None:
            found = self._trusted.get(call.document_hash or "") or self._remembered.get(call.document_hash or "")
            if found is None:
                raise BadRequest("PersistedQueryNotFound", 200, code="PERSISTED_QUERY_NOT_FOUND")
            return found
        if call.document_hash is None and not self._only:
            return call.query
        digest = hash_of(call.query)
        if call.document_hash is not None and call.document_hash != digest:
            raise BadRequest("The hash is not that of the document.")
        if self._only and digest not in self._trusted:
            raise BadRequest("Only documents that are known here are run.", 403, code="DOCUMENT_NOT_TRUSTED")
        if call.document_hash is not None:
            self._remember(digest, call.query)
        return call.query

    def _remember(self, digest: str, query: str) -> None:
        if digest in self._trusted or len(query) > LONGEST_REMEMBERED:
            return
        self._remembered[digest] = query
        self._remembered.move_to_end(digest)
        while len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)


def hash_of(document: str) -> str:
    """Return a document's SHA-256, by which it is known."""
    return sha256(document.encode()).hexdigest()


def own_documents() -> dict[str, str]:
    """Return our documents by name: from the wheel, or from the checkout that is installed."""
    package = Path(rdv.__file__).parent
    folder = next((one for one in (package / "queries", package.parent / "queries") if one.is_dir()), None)
    files = sorted(folder.glob("*.graphql")) if folder else []
    return {file.stem: file.read_text(encoding="utf-8") for file in files}


def operation_names(documents: Iterable[str]) -> frozenset[str]:
    """Return the names of the operations of documents."""
    return frozenset(str(_entry(one)["name"]) for one in documents)


def manifest(documents: Iterable[str]) -> dict[str, Any]:
    """Return the manifest of documents, in the order of their operations' names."""
    operations = [_entry(one) for one in documents]
    return FORMAT | {"operations": sorted(operations, key=lambda one: str(one["name"]))}


def read_manifests(files: Iterable[Path]) -> dict[str, str]:
    """Return the documents of manifests by hash; raises BadSetting for one that is none, or whose ids are wrong."""
    found: dict[str, str] = {}
    for file in files:
        try:
            operations = orjson.loads(file.read_bytes())["operations"]
            bodies = {str(one["id"]).removeprefix("sha256:"): str(one["body"]) for one in operations}
        except (OSError, ValueError, LookupError, TypeError):
            raise BadSetting(f"RDV_TRUSTED_DOCUMENTS: {file} is not a manifest of persisted queries") from None
        wrong = [digest for digest, body in bodies.items() if digest != hash_of(body)]
        if wrong:
            raise BadSetting(f"RDV_TRUSTED_DOCUMENTS: {file}: {wrong[0]} is not the SHA-256 of its document")
        found |= bodies
    return found


def _entry(document: str) -> dict[str, str]:
    try:
        operations = [one for one in parse(document).definitions if isinstance(one, OperationDefinitionNode)]
    except GraphQLError as error:
        raise BadSetting(f"a document cannot be read: {error.message}") from None
    name = next((one.name.value for one in operations if one.name), "")
    return {"id": hash_of(document), "name": name, "type": operations[0].operation.value, "body": document}
