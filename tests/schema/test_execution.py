"""Our way of completing lists gives what graphql-core's own gives, down to the errors."""

import asyncio
import datetime as dt
from enum import Enum
from typing import Any

import orjson
import pytest
import strawberry
from hypothesis import given
from hypothesis import strategies as st
from strawberry.schema.config import StrawberryConfig

from rdv.schema import execution
from rdv.schema.execution import Executor
from rdv.schema.scalars import SCALARS, Instant, instant
from rdv.schema.writers import Rows as KeptRows


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


@strawberry.type
class Part:
    number: int
    colour: Colour | None


@strawberry.type
class Row:
    text: str
    number: int
    ratio: float | None
    flag: bool
    key: strawberry.ID
    day: dt.date
    moment: dt.datetime
    written: Instant
    colours: list[Colour]
    numbers: list[int | None] | None
    part: Part | None
    parts: list[Part]
    table: list[list[int]]

    @strawberry.field
    def twice(self) -> int:
        return 2 * self.number


@strawberry.type
class Rows:
    @strawberry.field
    def rows(self) -> list[Row] | None:
        return ROWS[0]


ROWS: list[Any] = [None]
MOMENT = dt.datetime(2027, 3, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=1)))
USUAL: dict[str, Any] = {
    "text": "é",
    "number": 1,
    "ratio": 0.5,
    "flag": True,
    "key": "k",
    "day": MOMENT.date(),
    "moment": MOMENT,
    "written": instant(MOMENT),
    "colours": [Colour.RED],
    "numbers": [1, None],
    "part": Part(number=1, colour=None),
    "parts": [Part(number=2, colour=Colour.BLUE)],
    "table": [[1, 2], []],
}
FIELDS = [*(set(USUAL) - {"part", "parts"}), "part { number colour }", "parts { colour __typename }", "again: number"]
UNUSUAL = st.sampled_from([None, 2**31, -1, "x", "", 1.5, True, float("nan"), (), (1,), [None], [Colour.RED], MOMENT])
ONE_SCHEMA = strawberry.Schema(Rows, config=StrawberryConfig(scalar_map=SCALARS))
QUICK_SCHEMA = strawberry.Schema(Rows, config=StrawberryConfig(scalar_map=SCALARS), execution_context_class=Executor)


@given(
    rows=st.lists(st.dictionaries(st.sampled_from(sorted(USUAL)), UNUSUAL, max_size=2), min_size=1, max_size=3),
    fields=st.sets(st.sampled_from([*FIELDS, "twice", "... @include(if: false) { text }", "... on Row { text }"])),
    kept=st.booleans(),
)
def test_lists_of_objects_are_completed_as_by_the_stock_executor(
    rows: list[dict[str, Any]], fields: set[str], kept: bool
) -> None:
    ROWS[0] = (KeptRows if kept else list)(Row(**USUAL | one) for one in rows)
    query = f"{{ rows {{ __typename {' '.join(fields)} }} }}"
    stock, *quick = [schema.execute_sync(query) for schema in (ONE_SCHEMA, QUICK_SCHEMA, QUICK_SCHEMA)]
    for one in quick:
        assert _comparable(one) == _comparable(stock)


async def test_a_row_of_another_class_or_with_an_awaitable_is_left_to_the_stock_executor() -> None:
    class Other(Row):
        pass

    for row in (Other(**USUAL), Row(**USUAL | {"number": later()}), ValueError("broken")):
        ROWS[0] = [row]
        result = await QUICK_SCHEMA.execute("{ rows { number } }")
        number = 7 if isinstance(row, Row) and not isinstance(row, Other) else 1
        if isinstance(row, ValueError):
            assert [error.message for error in result.errors or ()] == ["broken"]
        else:
            assert result.data == {"rows": [{"number": number}]}


def _comparable(result: Any) -> tuple[str, list[Any]]:
    return repr(orjson.loads(orjson.dumps(result.data))), [error.formatted for error in result.errors or ()]


@pytest.mark.parametrize("field", [*VALUES, "awaitable", "nested"])
async def test_a_list_is_completed_as_by_the_stock_executor(field: str) -> None:
    name = "".join(part.capitalize() if at else part for at, part in enumerate(field.split("_")))
    answers = []
    for options in ({}, {"execution_context_class": Executor}):
        schema = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS), **options)  # type: ignore[arg-type]
        result = await schema.execute(f"{{ {name} }}")
        answers.append((result.data, [error.formatted for error in result.errors or ()]))
    assert answers[0] == answers[1]


async def test_what_goes_on_beside_a_field_that_failed_is_kept_until_it_ends() -> None:
    going, ended = asyncio.Event(), []

    @strawberry.type
    class Two:
        @strawberry.field
        async def slow(self) -> int:
            await going.wait()
            ended.append("slow")
            return 1

        @strawberry.field
        def broken(self) -> int:
            raise ValueError("broken")

    schema = strawberry.Schema(Two, execution_context_class=Executor)
    result = await schema.execute("{ slow broken }")
    assert (result.data, len(execution._settling)) == (None, 1)
    going.set()
    await asyncio.sleep(0.01)
    assert (ended, execution._settling) == (["slow"], set())
