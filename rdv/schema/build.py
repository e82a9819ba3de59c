"""The schema itself, and its printed form, which is committed beside this file."""

from copy import copy
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast

import strawberry
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, Undefined
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter

from rdv.schema import problems
from rdv.schema.mutation import Mutation
from rdv.schema.query import Query
from rdv.schema.scalars import SCALARS
from rdv.schema.subgraph import ANY, DEFINITIONS, MACHINERY
from rdv.schema.subscription import Subscription

COMMITTED = Path(__file__).with_name("schema.graphql")


class Schema(strawberry.federation.Schema):
    """A subgraph. Leaves the logging of errors to the endpoint, which knows what is expected and what is not."""

    def process_errors(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - Strawberry's signature
        return

    def as_str(self) -> str:
        """Return the schema as it is published, without the fields every subgraph has."""
        return self._published

    @cached_property
    def _published(self) -> str:
        shown = copy(self)
        shown._schema = _without_machinery(self._schema)  # noqa: SLF001 - the printer's place for it
        return print_schema(shown) + "\n" + DEFINITIONS


class Names(NameConverter):
    """Strawberry's names, each worked out once: it asks for them anew in each request."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = cache(super().apply_naming_config)

    def apply_naming_config(self, name: str) -> str:
        return self._kept(name)


def build() -> Schema:
    """Return the executable schema."""
    schema = Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[problems.Problem],
        config=StrawberryConfig(name_converter=Names(), scalar_map=SCALARS),
        scalar_overrides=ANY,
        federation_version="2.9",
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


def _without_machinery(schema: GraphQLSchema) -> GraphQLSchema:
    query = cast("GraphQLObjectType", schema.query_type).to_kwargs()
    query["fields"] = {name: field for name, field in query["fields"].items() if name not in MACHINERY}
    return GraphQLSchema(
        query=GraphQLObjectType(**query),
        mutation=schema.mutation_type,
        subscription=schema.subscription_type,
        types=[one for name, one in schema.type_map.items() if name not in (*MACHINERY, "Query")],
        directives=schema.directives,
    )


def printed() -> str:
    """Return the schema as it is published."""
    return build().as_str().rstrip() + "\n"
