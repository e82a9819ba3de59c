"""What an operation may cost, estimated before anything runs.

The tree of reasons goes down and up again (`children { parent { children …`): each turn multiplies the answer by ten,
and 130 bytes ask for megabytes. So the selections are counted as the executor would complete them: merged by response
key, each fragment once per selection, and all below a list `LIST_LENGTH` times. The count stops at the limit, whatever
the document: each step of it counts, so it is bounded itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_list_type,
    visit,
)

MAX_COST = 50_000
ROOT_COST = 500  # a query or mutation of its own: at most a hundred of them in one request
LIST_LENGTH = 10

Fragments = dict[str, FragmentDefinitionNode]
Selected = tuple[GraphQLNamedType | None, SelectionNode]  # a selection, and the type it is made on


@dataclass(frozen=True, slots=True)
class Measure:
    """What an operation is estimated to cost, and how deep it goes; counted no further than the limits."""

    cost: int
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one operation may ask for: estimated cost, depth, aliases of fields, seconds."""

    cost: int = MAX_COST
    depth: int = 25
    aliases: int = 200
    seconds: float = 10.0


def measure(
    operation: OperationDefinitionNode, document: DocumentNode, schema: GraphQLSchema, limits: Limits
) -> Measure:
    """Estimate an operation's cost and depth; what is not in the schema is left to validation."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    root = schema.get_root_type(operation.operation)
    levels: list[tuple[GraphQLNamedType | None, list[SelectionSetNode], int, int]] = [
        (root, [operation.selection_set], 1, 1)
    ]
    cost, deepest = 0, 0
    while levels:
        parent, sets, times, depth = levels.pop()
        deepest = max(deepest, depth)
        below: dict[tuple[str | None, str], tuple[GraphQLNamedType, list[SelectionSetNode], int, int]] = {}
        seen: set[tuple[str | None, str]] = set()
        for on, selection in _selections(parent, sets, fragments, schema):
            cost += 1  # each step, so that no document keeps the count going for long
            if cost > limits.cost or deepest > limits.depth:
                return Measure(cost, deepest)
            field = getattr(on, "fields", {}).get(selection.name.value) if isinstance(selection, FieldNode) else None
            if field is None or not isinstance(selection, FieldNode):
                continue
            key = (getattr(on, "name", None), (selection.alias or selection.name).value)
            if key not in seen:
                seen.add(key)
                cost += times + (ROOT_COST if on is root else 0)
            if selection.selection_set:
                many = LIST_LENGTH if is_list_type(get_nullable_type(field.type)) else 1
                under = below.setdefault(key, (get_named_type(field.type), [], times * many, depth + 1))
                under[1].append(selection.selection_set)
        levels.extend(below.values())
    return Measure(cost, deepest)


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
