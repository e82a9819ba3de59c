"""What all mutations have in common: an expected refusal is an answer, not an error."""

from collections.abc import Awaitable, Callable
from typing import Any

from rdv import errors
from rdv.schema.context import Info
from rdv.schema.problems import problem


async def or_problem(
    info: Info, act: Callable[[], Awaitable[Any]], *, unexpected: tuple[type[errors.Refusal], ...] = ()
) -> Any:  # noqa: ANN401 - each mutation's own union
    """Return what the act returns, or its refusal; one that is not in the mutation's union is a GraphQL error."""
    try:
        return await act()
    except errors.Busy:
        raise
    except unexpected:
        raise
    except errors.Refusal as refusal:
        return problem(refusal, info.context.translate)
