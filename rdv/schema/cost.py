"""What an operation may cost, estimated before anything runs.

The tree of reasons goes down and up again (`children { parent { children …`): each turn multiplies the answer by ten,
and 130 bytes ask for megabytes. So the selections are counted as the executor would complete them: merged by response
key, each fragment once per selection, and all below a list as often as it is long: what its `first` says, else what the
schema says of it to gateways (`@listSize`), else `LIST_LENGTH`. The count stops at the limit, whatever the document:
each step of it counts, so it is bounded itself.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
    visit,
)
from strawberry.federation.schema_directives import Cost, ListSize

from rdv.schema.writers import DEFINITION

MAX_COST = 50_000
ROOT_COST = (
    500  # a query or mutation of its own, or its `@cost` if that is more: at most a hundred of them in a request
)
ITEM_COST = 50  # of each thing that a list in an input of a query or mutation names: an office that is looked at
LIST_LENGTH = 10

LONGEST_LIST = 1_000  # no list is longer, whatever is asked for
FIRST = "first"  # the argument, or the field of an input, that says how much of a list is wanted

Sizes = tuple[tuple[str, str, int], ...]  # of variables: their names, what the size is of, and the size
NUMBER, INPUT, LIST, ITEMS = "number", "input", "list", "items"
Given = dict[tuple[str, str], int]  # the sizes by name and by what they are of
Fragments = dict[str, FragmentDefinitionNode]
Selected = tuple[GraphQLNamedType | None, SelectionNode]  # a selection, and the type it is made on


@dataclass(frozen=True, slots=True)
class Measure:
    """What an operation is estimated to cost, and how deep it goes; counted no further than the limits."""

    cost: int
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one operation may ask for: estimated cost, depth, aliases of fields, tokens, seconds.

    Its variables may have ten times as many values as its document tokens: tables of demand have thousands of rows.
    `comparisons`: of selections, which validation makes;
    each takes up to 10 µs. And a request: bytes of its body, operations in a batch (0 = no batches), which share the
    cost.
    """

    cost: int = MAX_COST
    depth: int = 25
    aliases: int = 200
    tokens: int = 5_000
    comparisons: int = 10_000
    seconds: float = 10.0
    body_bytes: int = 1_000_000
    batch: int = 10


@dataclass(frozen=True, slots=True)
class _Level:
    """Selections on one object, how often it is there, how deep, and how long its lists are if that was said above."""

    type: GraphQLNamedType | None
    sets: list[SelectionSetNode]
    times: int
    depth: int
    size: int | None = None


def values_in(variables: Mapping[str, Any] | None, most: int) -> int:
    """Count the values of variables, lists and objects with all they contain; counted no further than beyond `most`."""
    waiting: list[Any] = [variables or {}]
    count = 0
    while waiting and count <= most:
        value = waiting.pop()
        if isinstance(value, dict | list):
            count += len(value)
            if count <= most:
                waiting.extend(value.values() if isinstance(value, dict) else value)
    return count


def sizes_in(variables: Mapping[str, Any] | None) -> Sizes:
    """Return what variables may say of how much is wanted: numbers, `first` of inputs, lengths of lists."""
    found: list[tuple[str, str, int]] = []
    for name, value in (variables or {}).items():
        if isinstance(value, list):
            found += [(name, LIST, len(value)), (name, ITEMS, _names(value))]
        elif isinstance(value, dict):
            found += [(name, INPUT, size) for size in _whole(value.get(FIRST))]
            found.append((name, ITEMS, sum(_names(one) for one in value.values() if isinstance(one, list))))
        else:
            found += [(name, NUMBER, size) for size in _whole(value)]
    return tuple(found)


def _names(values: list[Any]) -> int:
    """Return how many things a list names; rows of a table, which are objects, are none."""
    return 0 if values and isinstance(values[0], dict) else len(values)


def _whole(value: object) -> list[int]:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return []
    return [int(min(max(value, 0), LONGEST_LIST))]


def _defaults(operation: OperationDefinitionNode, given: Given) -> None:
    """Add what the operation says of variables that are left out."""
    for one in operation.variable_definitions or ():
        value = one.default_value and value_from_ast_untyped(one.default_value)
        for name, kind, size in sizes_in({one.variable.name.value: value}):
            given.setdefault((name, kind), size)


def measure(
    operation: OperationDefinitionNode,
    document: DocumentNode,
    schema: GraphQLSchema,
    limits: Limits,
    sizes: Sizes = (),
) -> Measure:
    """Estimate an operation's cost and depth; what is not in the schema is left to validation."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    root = schema.get_root_type(operation.operation)
    levels = [_Level(root, [operation.selection_set], 1, 1)]
    given: Given = {(name, kind): size for name, kind, size in sizes}
    _defaults(operation, given)
    cost, deepest = 0, 0
    while levels:
        level = levels.pop()
        deepest = max(deepest, level.depth)
        below: dict[tuple[str | None, str], _Level] = {}
        seen: set[tuple[str | None, str]] = set()
        for on, selection in _selections(level.type, level.sets, fragments, schema):
            cost += 1  # each step, so that no document keeps the count going for long
            if cost > limits.cost or deepest > limits.depth:
                return Measure(cost, deepest)
            field = getattr(on, "fields", {}).get(selection.name.value) if isinstance(selection, FieldNode) else None
            if field is None or not isinstance(selection, FieldNode):
                continue
            key = (getattr(on, "name", None), (selection.alias or selection.name).value)
            if key not in seen:
                seen.add(key)
                cost += level.times + (_at_root(field, selection, given) if on is root else 0)
            if selection.selection_set:
                size = _said(selection, given)
                many, passed = 1, size
                if is_list_type(get_nullable_type(field.type)):
                    asked = _length(selection, given)
                    many, passed = _first_of(size, level.size, asked, _assumed(field), LIST_LENGTH), None
                under = below.setdefault(
                    key, _Level(get_named_type(field.type), [], level.times * many, level.depth + 1, passed)
                )
                under.sets.append(selection.selection_set)
        levels.extend(below.values())
    return Measure(cost, deepest)


def _at_root(field: GraphQLField, selection: FieldNode, given: Given) -> int:
    """Return what a query or mutation costs by itself: what lists in its inputs name is looked at one by one."""
    items = 0
    for argument in selection.arguments or ():
        if isinstance(argument.value, VariableNode):
            items += given.get((argument.value.name.value, ITEMS), 0)
        elif isinstance(argument.value, ObjectValueNode):
            for value in (one.value for one in argument.value.fields):
                if isinstance(value, ListValueNode):
                    items += sum(not isinstance(one, ObjectValueNode) for one in value.values)
                elif isinstance(value, VariableNode):
                    items += given.get((value.name.value, ITEMS), 0)
    return max(ROOT_COST, _weight(field)) + ITEM_COST * items


def _said(selection: FieldNode, given: Given) -> int | None:
    """Return what `first` of a field's arguments, or of an input among them, says."""
    for argument in selection.arguments or ():
        values = [(argument.name.value, argument.value)]
        if isinstance(argument.value, ObjectValueNode):
            values = [(one.name.value, one.value) for one in argument.value.fields]
        for name, value in values:
            if isinstance(value, VariableNode):
                size = given.get((value.name.value, NUMBER if name == FIRST else INPUT))
                if size is not None:
                    return size
            if name == FIRST and isinstance(value, IntValueNode):
                return int(value.value[:9])
    return None


def _length(selection: FieldNode, given: Given) -> int | None:
    """Return the length of a list among a field's arguments: so long is what comes of it."""
    for argument in selection.arguments or ():
        if isinstance(argument.value, ListValueNode):
            return len(argument.value.values)
        if isinstance(argument.value, VariableNode):
            size = given.get((argument.value.name.value, LIST))
            if size is not None:
                return size
    return None


def _assumed(field: GraphQLField) -> int | None:
    found = (one.assumed_size for one in _directives(field) if isinstance(one, ListSize))
    return next(found, None)


def _weight(field: GraphQLField) -> int:
    return next((one.weight for one in _directives(field) if isinstance(one, Cost)), 0)


def _directives(field: GraphQLField) -> Sequence[object]:
    return getattr(field.extensions.get(DEFINITION), "directives", None) or ()


def _first_of(*sizes: int | None) -> int:
    size = next(one for one in sizes if one is not None)
    return min(max(size, 1), LONGEST_LIST)


def aliases_of(document: DocumentNode) -> int:
    """Return how many fields of a document are given another name."""
    counter = _Aliases()
    visit(document, counter)
    return counter.count


class _Aliases(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.count += node.alias is not None


def comparisons(document: DocumentNode, schema: GraphQLSchema, most: int) -> int:
    """Count what validation compares: a field with those before it of its name, fragments (at half price) with others.

    The rule that fields must agree grows with the square of the document: 5,000 tokens took a second. Each selection
    counts as well, so that no document keeps the count going for long; it stops beyond `most`.
    """
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    roots = (getattr(one, "selection_set", None) for one in document.definitions)
    levels = [[one] for one in roots if one is not None]
    count = len(fragments) * (len(fragments) - 1) // 4
    while levels:
        before: Counter[str] = Counter()
        below: dict[str, list[SelectionSetNode]] = {}
        for _, selection in _selections(None, levels.pop(), fragments, schema):
            count += 1
            if isinstance(selection, FieldNode):
                name = (selection.alias or selection.name).value
                count += before[name]
                before[name] += 1
                if selection.selection_set:
                    below.setdefault(name, []).append(selection.selection_set)
            if count > most:
                return count
        levels.extend(below.values())
    return count


def _selections(
    parent: GraphQLNamedType | None, sets: Sequence[SelectionSetNode], fragments: Fragments, schema: GraphQLSchema
) -> Iterator[Selected]:
    spread: set[str] = set()
    waiting: list[Selected] = [(parent, s) for selections in sets for s in selections.selections]
    while waiting:
        on, selection = waiting.pop()
        yield on, selection
        inner: InlineFragmentNode | FragmentDefinitionNode | None = None
        if isinstance(selection, InlineFragmentNode):
            inner = selection
        elif not isinstance(selection, FieldNode):
            name = selection.name.value  # type: ignore[attr-defined]  # what is neither is a spread
            inner = None if name in spread else fragments.get(name)
            spread.add(name)
        if inner is not None:
            condition = inner.type_condition
            within = schema.get_type(condition.name.value) if condition else on
            waiting.extend((within, s) for s in inner.selection_set.selections)
