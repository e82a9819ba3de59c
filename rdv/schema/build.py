"""The schema itself, and its printed form, which is committed beside this file."""

from pathlib import Path
from typing import Any

import strawberry
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, Undefined
from strawberry.extensions import DisableIntrospection, SchemaExtension, ValidationCache
from strawberry.schema.config import StrawberryConfig

from rdv.schema import problems
from rdv.schema.execution import ExecutionContext
from rdv.schema.mutation import Mutation
from rdv.schema.query import Query
from rdv.schema.scalars import SCALARS

COMMITTED = Path(__file__).with_name("schema.graphql")


class Schema(strawberry.Schema):
    """Leaves the logging of errors to the endpoint, which knows what is expected and what is not."""

    def process_errors(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - Strawberry's signature
        return


class GivenDocument(SchemaExtension):
    """Takes the document that the endpoint has already read."""

    def on_parse(self) -> Any:  # noqa: ANN401 - Strawberry's signature
        context = self.execution_context
        context.graphql_document = context.context.document
        yield


def build(*, introspection: bool = True) -> Schema:
    """Return the executable schema; without `introspection` it does not tell about itself."""
    closed: list[Any] = [] if introspection else [DisableIntrospection]
    schema = Schema(
        query=Query,
        mutation=Mutation,
        types=[problems.Problem],
        extensions=[GivenDocument, *closed, lambda: ValidationCache(maxsize=500)],
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=ExecutionContext,
    )
    _without_null_defaults(schema._schema)  # noqa: SLF001 - Strawberry shows it in no other way
    return schema


def _without_null_defaults(schema: GraphQLSchema) -> None:
    """Publish what may be left out as the contract does: `code: String`, without a default of null."""
    for one in schema.type_map.values():
        if isinstance(one, GraphQLInputObjectType):
            given = list(one.fields.values())
        elif isinstance(one, GraphQLObjectType | GraphQLInterfaceType):
            given = [argument for field in one.fields.values() for argument in field.args.values()]
        else:
            continue
        for each in given:
            if each.default_value is None:
                each.default_value = Undefined


def printed() -> str:
    """Return the schema as it is published."""
    return build().as_str().rstrip() + "\n"
