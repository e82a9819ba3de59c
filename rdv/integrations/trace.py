"""The trace of the request that is being answered, by which logs and callers name it."""

from contextvars import ContextVar

trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)
