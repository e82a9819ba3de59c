"""The schema itself, and its printed form, which is committed beside this file."""

from pathlib import Path
from typing import Any

import strawberry
from strawberry.extensions import SchemaExtension, ValidationCache
from strawberry.schema.config import StrawberryConfig

from rdv.schema import problems
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


def build() -> Schema:
    """Return the executable schema."""
    return Schema(
        query=Query,
        mutation=Mutation,
        types=[problems.Problem],
        extensions=[GivenDocument, lambda: ValidationCache(maxsize=500)],
        config=StrawberryConfig(scalar_map=SCALARS),
    )


def printed() -> str:
    """Return the schema as it is published."""
    return build().as_str().rstrip() + "\n"
