"""What sort of visit a query asks for: what an office's compiled side and its book key their findings by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a query asks for, without its dates: two queries of one kind have the same feasible starts.

    `duration`, `span` (duration and buffer) and `step` are ticks; `counters` are those that allow it, exposed or not;
    `skilled` are the agents that may serve it, `agents_needed` of them at once (0 when nobody has to be named).
    """

    duration: int
    span: int
    step: int
    counters: int
    skilled: int
    agents_needed: int
