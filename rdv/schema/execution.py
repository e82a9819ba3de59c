"""How operations are run: as graphql-core does it, except for lists of what is plain, which are completed in one go.

A list of some hundred starts or slots costs graphql-core a path, an info and several checks per item and field. None of
that can matter for a non-null leaf that serialises, nor for an object of which only attributes are selected
(`writers.py`). Whatever is unusual is left to the stock way, which also reports it as usual.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterable
from inspect import isawaitable
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    execute,
    get_named_type,
    is_leaf_type,
    is_non_null_type,
    is_object_type,
    subscribe,
)
from graphql.pyutils import AwaitableOrValue, Path, Undefined
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from rdv.schema.calls import Call
from rdv.schema.context import Context
from rdv.schema.known import Known
from rdv.schema.writers import TYPENAME, Rows, Shape, Shapes, is_plain, writer

_settling: set[Any] = set()


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Completes lists of non-null leaves, and of objects of which only attributes are selected, in one go."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - graphql-core's signature
        shapes: Shapes | None = kwargs.pop("shapes", None)
        super().__init__(*args, **kwargs)
        self._shapes = {} if shapes is None else shapes

    def settle_in_background(self, awaitables: list[Awaitable[Any]]) -> None:
        """Keep what goes on beside a field that failed until it has ended, the executor gone or not.

        Else it is collected with the executor, in the middle of a statement, and its connection is lost to the pool.
        """
        super().settle_in_background(awaitables)
        for one in self.background_futures:
            _settling.add(one)
            one.add_done_callback(_settling.discard)

    def complete_iterable_value(  # noqa: PLR0917 - graphql-core's signature
        self,
        item_type: GraphQLOutputType,
        field_details_list: Any,  # noqa: ANN401 - private to graphql-core
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,  # noqa: ANN401 - private to graphql-core
    ) -> AwaitableOrValue[list[Any]]:
        if isinstance(items, list) and items and is_non_null_type(item_type):
            inner = item_type.of_type
            if is_leaf_type(inner):
                done = _leaves(inner, items)
            elif is_object_type(inner):
                done = self._objects(inner, field_details_list, items)
            else:
                done = None
            if done is not None:
                return done
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def _objects(self, kind: GraphQLObjectType, details: Any, items: list[Any]) -> Any:  # noqa: ANN401
        shape = self._shape(kind, details)
        if shape is None:
            return None
        try:
            return items.completed(shape) if isinstance(items, Rows) else writer(shape)(items)
        except Exception:  # noqa: BLE001 - a `Surprise`, or an attribute that is not there: the stock way reports it
            return None

    def _shape(self, kind: GraphQLObjectType, details: Any) -> Shape | None:  # noqa: ANN401 - private to graphql-core
        """Return what is selected of a type, None unless all of it is plain, down to the leaves."""
        key = (kind, *(id(one.node) for one in details))  # the document keeps its nodes alive
        if key not in self._shapes:
            self._shapes[key] = self._shape_of(kind, details)
        return self._shapes[key]

    def _shape_of(self, kind: GraphQLObjectType, details: Any) -> Shape | None:  # noqa: ANN401
        fields: list[tuple[str, str, Shape | None]] = []
        for key, selected in self.collect_subfields(kind, details).grouped_field_set.items():
            name = selected[0].node.name.value
            field = kind.fields.get(name)
            under = None
            if name != TYPENAME:
                if field is None or not is_plain(field):
                    return None
                inner = get_named_type(field.type)
                under = self._shape_of(inner, selected) if is_object_type(inner) else None
                if under is None and not is_leaf_type(inner):
                    return None
            fields.append((key, name, under))
        return Shape(kind, tuple(fields))


class Runner:
    """Runs operations of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    async def run(self, known: Known, call: Call, context: Context) -> ExecutionResult:
        """Run one operation of a document; what is wrong with it is in the result."""
        if known.faults:
            return ExecutionResult(data=None, errors=list(known.faults))
        result = execute(
            self._schema,
            known.document,
            context_value=context,
            variable_values=call.variables,
            operation_name=call.operation_name,
            executor_class=Executor,
            shapes=known.shapes,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # a TypeGuard in all but name
        )
        return await result if isawaitable(result) else result

    async def follow(self, known: Known, call: Call, context: Context) -> AsyncIterator[ExecutionResult]:
        """Run a subscription: a result for each of its events; what is wrong with it is in the only one.

        Raises what the source of its events raises.
        """
        if known.faults:
            yield ExecutionResult(data=None, errors=list(known.faults))
            return
        source = subscribe(
            self._schema,
            known.document,
            context_value=context,
            variable_values=call.variables,
            operation_name=call.operation_name,
            executor_class=Executor,
        )
        events = await source if isawaitable(source) else source
        if isinstance(events, ExecutionResult):
            yield events
            return
        try:
            async for result in events:
                yield result
        finally:
            if isinstance(events, AsyncGenerator):  # so that its source ends now, not when memory is tidied up
                await events.aclose()


def _leaves(kind: Any, items: list[Any]) -> list[Any] | None:  # noqa: ANN401 - graphql-core's union of leaf types
    written = kind.coerce_output_value
    try:
        done = [written(item) for item in items]
    except Exception:  # noqa: BLE001 - the stock way meets it again and reports it
        return None
    return None if any(value is None or value is Undefined for value in done) else done
