"""What is found out about a document once: its parts, its faults, what an operation of it may cost.

Reading and validating five thousand tokens takes a tenth of a second, so a thread does it, one document at a time: the
event loop goes on, and whoever sends many new documents makes those wait who do the same. What was found out is kept
by its weight: a document is mostly its syntax tree, fifty times the size of its text.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    ValidationRule,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)

from rdv.schema.calls import BadRequest
from rdv.schema.cost import Limits, Measure, Sizes, aliases_of, comparisons, measure, sizes_in
from rdv.schema.writers import Shapes

KEPT_BYTES = 64_000_000
OVERHEAD, LETTER_BYTES, TOKEN_BYTES = 4_000, 4, 1_000  # at most, of what is kept of a document
MEASURES_KEPT = 20  # of one document: its operations with different sizes of lists
QUICK = 200  # comparisons: a document with fewer is measured in a millisecond or two
MOST_FAULTS = 10  # told: looking for what may have been meant takes ten milliseconds for each
LONGEST_FAULT = 500  # letters: it repeats names that callers choose


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A document; `shapes` of its lists, None when a directive may change them, or when it has faults.

    With more `aliases` or `comparisons` than are allowed it was not validated.
    """

    query: str
    document: DocumentNode
    aliases: int
    comparisons: int
    faults: tuple[GraphQLError, ...]
    shapes: Shapes | None
    measures: LRUCache[tuple[int, Sizes], Measure] = field(default_factory=lambda: LRUCache(MEASURES_KEPT))


class KnownDocuments:
    """Reads, validates and measures documents for one schema."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, introspection: bool) -> None:
        self._schema, self._limits = schema, limits
        self._rules = [*specified_rules, *([] if introspection else [NoSchemaIntrospectionCustomRule, _NoService])]
        self._hinting = introspection  # what may have been meant tells of the schema
        self._kept: LRUCache[str, Known] = LRUCache(KEPT_BYTES, getsizeof=_weight)
        self._one_at_a_time = asyncio.Lock()
        self._reader = ThreadPoolExecutor(1, "documents")  # who is cancelled lets the lock go, and not the thread

    async def of(self, query: str) -> Known:
        """Return what is known of a document; raises GraphQLError for what is none, BadRequest when too many wait."""
        if (known := self._kept.get(query)) is not None:
            return known
        known = await self._in_turn(lambda: self._kept.get(query), lambda: self._found_out(query))
        if _weight(known) <= self._kept.maxsize:
            self._kept[query] = known
        return known

    async def measured(
        self, known: Known, operation: OperationDefinitionNode, variables: Mapping[str, Any] | None
    ) -> Measure:
        """Return what an operation may cost with these variables."""
        given = variables or {}
        declared = [one.variable.name.value for one in operation.variable_definitions or ()]
        sizes = sizes_in({name: given[name] for name in declared if name in given})
        key = (id(operation), sizes)  # the document keeps it alive
        if (found := known.measures.get(key)) is None:

            def measured() -> Measure:
                return measure(operation, known.document, self._schema, self._limits, sizes)

            if known.comparisons < QUICK:
                found = measured()
            else:
                found = await self._in_turn(lambda: known.measures.get(key), measured)
            known.measures[key] = found
        return found

    async def _in_turn(self, done: Callable[[], T | None], work: Callable[[], T]) -> T:
        """Work in the thread once it is free, if it is not done by then; raises BadRequest when that takes too long."""
        try:
            async with asyncio.timeout(self._limits.seconds), self._one_at_a_time:
                if (found := done()) is not None:
                    return found
                return await asyncio.get_running_loop().run_in_executor(self._reader, work)
        except TimeoutError:
            raise BadRequest(
                "Too many new documents are being read: try again later.", 503, code="TIMEOUT", retry_after="5"
            ) from None

    def _found_out(self, query: str) -> Known:
        try:
            document = parse(query, max_tokens=self._limits.tokens)
        except RecursionError:
            raise GraphQLError("The document is nested too deeply.") from None
        aliases, compared = aliases_of(document), comparisons(document, self._schema, self._limits.comparisons)
        faults: tuple[GraphQLError, ...] = ()
        if aliases <= self._limits.aliases and compared <= self._limits.comparisons:
            faults = tuple(
                validate(
                    self._schema,
                    document,
                    self._rules,
                    max_errors=MOST_FAULTS,
                    hide_suggestions=not self._hinting,
                )
            )
            for one in faults:
                one.message = one.message[:LONGEST_FAULT]
        return Known(
            query=query,
            document=document,
            aliases=aliases,
            comparisons=compared,
            faults=faults,
            shapes=None if faults or _conditional(document) else {},
        )


class _NoService(ValidationRule):
    """Refuses the field that shows gateways the whole schema."""

    def enter_field(self, node: FieldNode, *_: object) -> None:
        if node.name.value == "_service":
            self.report_error(
                GraphQLError("Introspection is off here: gateways compose from the published schema.", node)
            )


def _weight(known: Known) -> int:
    return OVERHEAD + LETTER_BYTES * len(known.query) + TOKEN_BYTES * (known.document.token_count or 0)


def _conditional(document: DocumentNode) -> bool:
    """Tell whether a selection may be there for some variables only."""
    found = False

    class Directives(Visitor):
        def enter_directive(self, *_: object) -> None:
            nonlocal found
            found = True

    visit(document, Directives())
    return found
