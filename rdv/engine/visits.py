"""The assignment problem, free of calendars: fixed-time visits to be put on counters and agents.

`compile.py` turns an office's situation into a `Problem`; `assignment.py` answers questions about it. Times are ticks
(integers of one instance's horizon); a set of counters or agents is an integer whose bit i stands for the i-th one.
Everything that openings, closures, skills, presence, absences and pins say about a visit is already in its
eligibility: what is left is that no counter and no agent has two visits at once.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One appointment, or one that might be: it occupies `[start, until)` on one counter and `agents_needed` agents.

    `counters`: where it may sit. `agents`: who may serve it. `must_agents`: agents it keeps (pinned), included in
    `agents`. `counter`/`served_by`: where it stands now (None/0: nowhere yet).
    """

    id: str
    start: int
    until: int
    counters: int
    agents: int = 0
    agents_needed: int = 0
    must_agents: int = 0
    counter: int | None = None
    served_by: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Visits in list order (the order decides who is stranded: the newest first) and what they share.

    `agent_counters[a]`: the counters agent a may work at; None = agents are not bound to counters at all.
    `agent_flexibility[a]`: how many sorts of visits agent a can serve; of two, the less flexible is taken first.
    """

    visits: tuple[Visit, ...]
    counter_count: int
    agent_count: int = 0
    agent_counters: tuple[int, ...] | None = None
    agent_flexibility: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Seat:
    """A visit's counter (index) and agents (bit set)."""

    counter: int
    agents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A witness: a seat for every visit that is not stranded."""

    seats: dict[str, Seat]
    stranded: tuple[str, ...]
    undecided: int = 0


def unit_of(visit: Visit, agent: int | None = None) -> Visit:
    """Return what a visit is to one of its agents, as a visit that sits at agents; `agent`: who serves it now."""
    kept = agent is not None and visit.must_agents >> agent & 1
    return Visit(
        id=visit.id if agent is None else f"{visit.id}\0{agent}",
        start=visit.start,
        until=visit.until,
        counters=1 << agent if agent is not None and kept else visit.agents,
        counter=agent,
    )
