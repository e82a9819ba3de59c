"""The trace of the request that is being answered: by which logs and callers name it, and what takes how long in it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any

trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)

# Begins a part of the trace, where traces are collected.
begin_span: ContextVar[Callable[[str], AbstractContextManager[Any]] | None] = ContextVar("begin_span", default=None)


def span(name: str) -> AbstractContextManager[Any]:
    """Tell the trace how long a part of the request takes; nothing happens where no traces are collected."""
    begin = begin_span.get()
    return nullcontext() if begin is None else begin(name)
