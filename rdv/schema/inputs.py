"""Inputs of leaves alone, made in one go.

Strawberry looks up the type of each field of an input for each request, a tenth of what a search takes. For scalars and
enums that is for nothing: graphql-core has turned them into what they are before.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from strawberry.schema.name_converter import NameConverter
from strawberry.types.arguments import InputContext

T = TypeVar("T")


def of_leaves(kind: type[T]) -> type[T]:
    """Have an input made from its values as they are; all its fields are scalars, enums, or optional ones."""
    definition: Any = kind.__strawberry_definition__  # type: ignore[attr-defined]  # `strawberry.input` puts it there
    names = {NameConverter().from_field(field): field.python_name for field in definition.fields}

    def made(_: type, given: Mapping[str, Any], __: InputContext) -> T:
        return kind(**{names[name]: value for name, value in given.items()})

    definition.from_input = made
    return kind
