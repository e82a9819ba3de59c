"""Our way of completing lists gives what graphql-core's own gives, down to the errors."""

from enum import Enum
from typing import Any

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from rdv.schema.execution import Executor
from rdv.schema.scalars import SCALARS


@strawberry.enum
class Colour(Enum):
    RED = "RED"
    BLUE = "BLUE"


async def later() -> int:
    return 7


VALUES: dict[str, Any] = {
    "numbers": [1, 2, 3],
    "none": [],
    "texts": ["a", "é"],
    "colours": [Colour.RED, Colour.BLUE],
    "maybe": [1, None],
    "null_inside": [1, None, 3],
    "not_a_number": [1, "x", 3],
    "tuple_of_numbers": (1, 2),
}


@strawberry.type
class Query:
    @strawberry.field
    def numbers(self) -> list[int]:
        return VALUES["numbers"]

    @strawberry.field
    def none(self) -> list[int]:
        return VALUES["none"]

    @strawberry.field
    def texts(self) -> list[str]:
        return VALUES["texts"]

    @strawberry.field
    def colours(self) -> list[Colour]:
        return VALUES["colours"]

    @strawberry.field
    def maybe(self) -> list[int | None]:
        return VALUES["maybe"]

    @strawberry.field
    def null_inside(self) -> list[int] | None:
        return VALUES["null_inside"]

    @strawberry.field
    def not_a_number(self) -> list[int] | None:
        return VALUES["not_a_number"]

    @strawberry.field
    def tuple_of_numbers(self) -> list[int]:
        return VALUES["tuple_of_numbers"]

    @strawberry.field
    def awaitable(self) -> list[int]:
        return [later(), 8]  # type: ignore[list-item]

    @strawberry.field
    def nested(self) -> list[list[int]]:
        return [[1], [2, 3]]


@pytest.mark.parametrize("field", [*VALUES, "awaitable", "nested"])
async def test_a_list_is_completed_as_by_the_stock_executor(field: str) -> None:
    name = "".join(part.capitalize() if at else part for at, part in enumerate(field.split("_")))
    answers = []
    for given in ({}, {"execution_context_class": Executor}):
        schema = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS), **given)  # type: ignore[arg-type]
        result = await schema.execute(f"{{ {name} }}")
        answers.append((result.data, [error.formatted for error in result.errors or ()]))
    assert answers[0] == answers[1]
