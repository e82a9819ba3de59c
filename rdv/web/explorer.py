"""GraphiQL for people who look around, with every asset served by us."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_input_type,
    is_required_input_field,
    parse,
    type_from_ast,
)
from starlette.requests import Request
from starlette.responses import Response

# The whole page comes from here. CodeMirror sets styles by hand, and the stylesheet has its fonts within.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
HEADERS = {"content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
ASSETS = {
    "graphiql.min.js",
    "graphiql.min.css",
    "react.production.min.js",
    "react-dom.production.min.js",
    "explorer.js",
    "explorer.css",
}


class Explorer:
    """Answers browsers: the page, its assets, and what its menus offer."""

    def __init__(self, documents: Mapping[str, str], schema: GraphQLSchema, personas: Mapping[str, str]) -> None:
        """`documents` by name; `personas`: tokens by name, of the demo only."""
        menu = [_entry(name, text, schema) for name, text in documents.items()]
        self._menu = orjson.dumps({"documents": menu, "personas": dict(personas)})

    @staticmethod
    def wanted(request: Request) -> bool:
        """Tell whether a request is a browser's that wants to see a page."""
        accept = request.headers.get("accept", "")
        return request.method in ("GET", "HEAD") and "text/html" in accept and "query" not in request.query_params

    async def page(self, _: Request) -> Response:
        """Return the page."""
        return Response(asset("explorer.html"), headers=HEADERS | {"cache-control": "no-cache"}, media_type="text/html")

    async def file(self, request: Request) -> Response:
        """Return an asset, or the menus."""
        name = request.path_params["name"]
        if name == "menu.json":
            return Response(self._menu, headers=HEADERS | {"cache-control": "no-store"}, media_type="application/json")
        if name not in ASSETS:
            return Response("Not found", 404)
        kept = {"cache-control": "public, max-age=3600"}
        return Response(asset(name), headers=HEADERS | kept, media_type=TYPES["." + name.rsplit(".", 1)[1]])


@cache
def asset(name: str) -> bytes:
    """Return a file of the explorer."""
    return files("rdv.web").joinpath("assets", name).read_bytes()


def _entry(name: str, text: str, schema: GraphQLSchema) -> dict[str, str]:
    """Return a document as the menu has it: with its first comment, and variables to be filled in."""
    comments = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("#")]
    return {"name": name, "text": text, "about": " ".join(comments), "variables": _variables(text, schema)}


def _variables(text: str, schema: GraphQLSchema) -> str:
    found: dict[str, Any] = {}
    for operation in parse(text).definitions:
        if isinstance(operation, OperationDefinitionNode):
            for one in operation.variable_definitions or ():
                kind = type_from_ast(schema, one.type)
                found[one.variable.name.value] = _example(kind) if is_input_type(kind) else None
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()


def _example(kind: GraphQLInputType) -> Any:  # noqa: ANN401 - a value of any input type
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        return {key: _example(one.type) for key, one in named.fields.items() if is_required_input_field(one)}
    return {"Int": 0, "Boolean": False, "Date": "2027-03-02", "ID": "", "String": ""}.get(named.name)
