"""How results are completed: as graphql-core does it, except for lists of plain leaves, which are done in one go.

A list of some hundred starts costs graphql-core a path, an info and several checks per item. None of that can matter
for a non-null leaf that serialises: whatever is unusual (a null, an awaitable, a value that does not serialise) is left
to the stock way, which also reports it as usual.
"""

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLOutputType, GraphQLResolveInfo, is_leaf_type, is_non_null_type
from graphql.pyutils import AwaitableOrValue, Path, Undefined
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class ExecutionContext(StrawberryGraphQLCoreExecutionContext):
    """Completes lists of non-null leaves by one comprehension."""

    def complete_iterable_value(  # noqa: PLR0917 - graphql-core's signature
        self,
        item_type: GraphQLOutputType,
        field_details_list: Any,  # noqa: ANN401 - private to graphql-core
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,  # noqa: ANN401 - private to graphql-core
    ) -> AwaitableOrValue[list[Any]]:
        if isinstance(items, list) and is_non_null_type(item_type) and is_leaf_type(item_type.of_type):
            written = item_type.of_type.coerce_output_value
            try:
                done = [written(item) for item in items]
            except Exception:  # noqa: BLE001, S110 - the stock way meets it again and reports it
                pass
            else:
                if not any(value is None or value is Undefined for value in done):
                    return done
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)
