"""Lists of plain objects, completed by code made for their selection.

A field of an object costs graphql-core some microseconds: a path, an info, a resolver, a check of the type. Five
hundred slots of three fields cost more than everything else of their request. Where each selected field is a plain
attribute, none of that can matter, so a function is written for the selection, once, that takes the attributes and
checks them. Whatever is unusual (another class, a null, an awaitable, a number out of range) is a `Surprise`: the stock
way then meets it again and reports it as usual, which costs nothing but time since attributes have no effects.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from graphql import (
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.pyutils import Undefined
from orjson import Fragment, dumps

DEFINITION = "strawberry-definition"  # where Strawberry keeps its own description of a type or field
SHAPES_KEPT = 500
TYPENAME = "__typename"

# What values of a leaf type usually are: these are written as they are.
USUAL = {
    "Int": "{0}.__class__ is int and -2147483648 <= {0} <= 2147483647",
    "String": "{0}.__class__ is str",
    "ID": "{0}.__class__ is str",
    "DateTime": "{0}.__class__ is str",  # an `Instant`
    "Boolean": "{0}.__class__ is bool",
}

T = TypeVar("T")
Writer = Callable[[Sequence[Any]], list[Any]]


class Surprise(Exception):
    """A value that only the stock way knows how to complete."""


class Rows(list[T]):
    """A list of objects that never changes: what was completed of it last is kept with it, as JSON."""

    last: "tuple[Shape, Fragment] | None" = None

    def completed(self, shape: "Shape") -> Fragment:
        """Return it completed by a shape, as orjson writes it into what surrounds it; raises Surprise."""
        if self.last is None or self.last[0] != shape:
            self.last = shape, Fragment(dumps(writer(shape)(self)))
        return self.last[1]


class Shape(NamedTuple):
    """What is selected of a type: response keys, the fields behind them, and what is selected below."""

    type: GraphQLObjectType
    fields: tuple[tuple[str, str, "Shape | None"], ...]


Shapes = dict[tuple[object, ...], Shape | None]  # by a type and the ids of the fields that lead to it


def is_plain(field: GraphQLField) -> bool:
    """Tell whether a field is nothing but an attribute of its object."""
    return getattr(field.resolve, "_is_default", False) and DEFINITION in field.extensions


@lru_cache(maxsize=SHAPES_KEPT)
def writer(shape: Shape) -> Writer:
    """Return the function that completes lists of objects by a shape; all of its fields are plain."""
    source = _Source()
    one = source.object(shape)
    source.lines.append(f"def write(rows):\n    return [{one}(row) for row in rows]")
    made: dict[str, Any] = source.names
    # Nothing of it comes from a caller but response keys, which are GraphQL names, and quoted all the same.
    exec("\n".join(source.lines), made)  # noqa: S102
    found: Writer = made["write"]
    return found


class _Source:
    """The text of the functions for a shape, and the values that it names."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"Surprise": Surprise, "plain_list": _plain_list}

    def object(self, shape: Shape) -> str:
        """Write the function for objects of a shape and return its name."""
        below = [
            self._field(f"v{at}", shape.type.fields[name], under)
            for at, (_, name, under) in enumerate(shape.fields)
            if name != TYPENAME
        ]
        function = self._named(None, "object")
        lines = [f"def {function}(row):"]
        lines.append(f"    if row.__class__ is not {self._named(_class_of(shape.type), 'class')}: raise Surprise")
        lines += [f"    {line}" for line in below]
        pairs = (
            f"{key!r}: {shape.type.name!r}" if name == TYPENAME else f"{key!r}: v{at}"
            for at, (key, name, _) in enumerate(shape.fields)
        )
        lines.append(f"    return {{{', '.join(pairs)}}}")
        self.lines += lines
        return function

    def _field(self, value: str, field: GraphQLField, under: Shape | None) -> str:
        attribute = field.extensions[DEFINITION].python_name
        return f"{value} = row.{attribute}; {value} = {self._completed(value, field.type, under)}"

    def _completed(self, value: str, kind: GraphQLOutputType, under: Shape | None) -> str:
        """Return the expression that completes a variable's value."""
        if not is_non_null_type(kind):
            return f"None if {value} is None else {self._present(value, kind, under)}"
        return self._present(value, kind.of_type, under)

    def _present(self, value: str, kind: Any, under: Shape | None) -> str:  # noqa: ANN401 - any type that may be null
        if is_list_type(kind):
            item = self._completed("x", kind.of_type, under)
            if "for x in" in item:
                item = f"{self._function(item)}(x)"
            return f"[{item} for x in plain_list({value})]"
        if is_leaf_type(kind):
            return self._leaf(value, kind)
        assert under is not None  # noqa: S101 - an object is selected with something below
        return f"{self.object(under)}({value})"

    def _function(self, expression: str) -> str:
        name = self._named(None, "item")
        self.lines.append(f"def {name}(x):\n    return {expression}")
        return name

    def _leaf(self, value: str, kind: GraphQLLeafType) -> str:
        other = f"{self._named(_checked(kind), 'leaf')}({value})"
        usual = USUAL.get(kind.name)
        return f"({value} if {usual.format(value)} else {other})" if usual else other

    def _named(self, value: Any, what: str) -> str:  # noqa: ANN401 - whatever the text refers to
        name = f"{what}_{len(self.names)}"
        self.names[name] = value
        return name


def _class_of(kind: GraphQLObjectType) -> type:
    origin: type = kind.extensions[DEFINITION].origin
    return origin


def _plain_list(value: Any) -> list[Any] | tuple[Any, ...]:  # noqa: ANN401 - whatever a resolver left there
    if value.__class__ is list or value.__class__ is tuple:
        found: list[Any] | tuple[Any, ...] = value
        return found
    raise Surprise


def _checked(kind: GraphQLLeafType) -> Callable[[Any], Any]:
    written = kind.coerce_output_value

    def checked(value: Any) -> Any:  # noqa: ANN401 - whatever a resolver left there
        try:
            done = None if value is None else written(value)
        except Exception:  # noqa: BLE001 - the stock way meets it again and reports it
            raise Surprise from None
        if done is None or done is Undefined:
            raise Surprise
        return done

    return checked
