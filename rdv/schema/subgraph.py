"""What makes the schema a subgraph: the two fields by which a gateway reads it and follows references into it."""

from typing import Annotated

import strawberry
from strawberry.federation.schema import FederationAny
from strawberry.types.scalar import ScalarDefinition, ScalarWrapper

from rdv.schema.context import Info
from rdv.schema.gateway import ONCE
from rdv.schema.references import Entity, entities

MACHINERY = ("_Any", "_Entity", "_Service", "_entities", "_service")  # left out of what is published, as usual

ANY: dict[object, type | ScalarDefinition | ScalarWrapper] = {
    FederationAny: strawberry.scalar(
        name="_Any",
        description="A reference to an entity: its `__typename` and one of its keys.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    )
}

# Imported by @link, and written out as well, so that tools that know nothing of federation can read the schema.
DEFINITIONS = '''
"""A selection of fields."""
scalar federation__FieldSet

"""A scope of a token: its kind."""
scalar federation__Scope

"""A policy: a module of the rights."""
scalar federation__Policy

"""An element of an imported specification."""
scalar link__Import

"""What an imported specification is needed for."""
enum link__Purpose {
  """Access control."""
  SECURITY

  """Execution."""
  EXECUTION
}

directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE

directive @shareable repeatable on OBJECT | FIELD_DEFINITION

directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM

directive @requiresScopes(scopes: [[federation__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM

directive @policy(policies: [[federation__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM

directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR

directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
'''  # noqa: E501 - a definition is one line


@strawberry.type(name="_Service", description="What a gateway has to know of the subgraph.")
class Service:
    sdl: str = strawberry.field(description="The schema with its federation directives.")


@strawberry.type(description="What a gateway asks.")
class Subgraph:
    @strawberry.field(
        name="_service",
        description="What a gateway has to know to compose the schema with others; not where introspection is off.",
        directives=[ONCE],
    )
    def service(self, info: Info) -> Service:
        return Service(sdl=info.schema.as_str())

    @strawberry.field(
        name="_entities",
        description="What references of other subgraphs stand for, in their order; null for what does not exist, or "
        "not for the caller.",
    )
    async def entities(
        self,
        info: Info,
        representations: Annotated[
            list[FederationAny], strawberry.argument(description="References, at most 200 of them.")
        ],
    ) -> list[Entity | None]:
        return await entities(info.context, representations)
