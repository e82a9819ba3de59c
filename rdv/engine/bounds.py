"""How many more visits certainly do not fit, and where counting alone is the whole truth.

*Hall's condition*, tick by tick: visits that can only sit in a set S of counters and are there at one tick can be no
more than S has counters. With S the counters of the new visit this is one subtraction; over all sets S it is a matching
(`chains.py`). The condition knows nothing of the fact that a visit cannot change its counter half-way, nor of agents.

*Counting is exact* where the visits' sets of counters are equal or disjoint: inside one such set only the number of
visits matters, because intervals that never overlap more than k-fold can be dealt out to k counters. The same holds for
agents, of whom a visit takes several, as long as agents are not bound to counters: the two questions are independent
then. An office whose counters all take the same visits is settled by this alone.

Example: three counters that take everything, at most two visits at any moment of 09:00-09:30: one more fits, whichever
counters the two hold now, even if those of 09:00-09:15 and of 09:15-09:30 hold all three between them.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

from rdv.engine.visits import Problem, Visit


class Loads:
    """How many of a problem's visits there are at each tick, by the sets of counters and agents they choose from."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._begin = min((visit.start for visit in problem.visits), default=0)
        self._end = max((visit.until for visit in problem.visits), default=0)
        self._only_in: dict[int, list[int]] = {}
        self._only_served_by: dict[int, list[int]] = {}

    def at_most(self, new: Visit) -> int:
        """Return how many copies of a visit may fit at most, by Hall's condition for its own counters and agents."""
        most = new.counters.bit_count() - self._peak(self._in(new.counters), new)
        if new.agents_needed:
            free = new.agents.bit_count() - self._peak(self._served_by(new.agents), new)
            most = min(most, free // new.agents_needed)
        return max(most, 0)

    def is_exact(self, new: Visit) -> bool:
        """Tell whether `at_most` copies do fit, given that the problem's visits do."""
        sets = self._counter_sets
        if sets is None or not _apart(sets, new.counters):
            return False
        if not new.agents_needed:
            return self.problem.agent_counters is None
        agents = self._agent_sets
        return agents is not None and not new.must_agents and _apart(agents, new.agents)

    @cached_property
    def _counter_sets(self) -> frozenset[int] | None:
        """The sets of counters, None when two of them overlap."""
        return _disjoint(visit.counters for visit in self.problem.visits)

    @cached_property
    def _agent_sets(self) -> frozenset[int] | None:
        """The sets of agents, None when two of them overlap, or agents are kept or bound to counters."""
        staffed = [visit for visit in self.problem.visits if visit.agents_needed]
        if self.problem.agent_counters is not None or any(visit.must_agents for visit in staffed):
            return None
        return _disjoint(visit.agents for visit in staffed)

    def _peak(self, load: Sequence[int], new: Visit) -> int:
        return max(load[max(new.start - self._begin, 0) : max(new.until - self._begin, 0)], default=0)

    def _in(self, counters: int) -> list[int]:
        found = self._only_in.get(counters)
        if found is None:
            inside = ((v, 1) for v in self.problem.visits if not v.counters & ~counters)
            found = self._only_in[counters] = self._load(inside)
        return found

    def _served_by(self, agents: int) -> list[int]:
        found = self._only_served_by.get(agents)
        if found is None:
            inside = ((v, v.agents_needed) for v in self.problem.visits if v.agents_needed and not v.agents & ~agents)
            found = self._only_served_by[agents] = self._load(inside)
        return found

    def _load(self, weighed: Iterable[tuple[Visit, int]]) -> list[int]:
        change = [0] * (self._end - self._begin + 1)
        for visit, weight in weighed:
            change[visit.start - self._begin] += weight
            change[visit.until - self._begin] -= weight
        total, load = 0, []
        for one in change:
            total += one
            load.append(total)
        return load


def _disjoint(sets: Iterable[int]) -> frozenset[int] | None:
    different = frozenset(sets)
    union = 0
    for one in different:
        if union & one:
            return None
        union |= one
    return different


def _apart(sets: frozenset[int], new: int) -> bool:
    return new in sets or not any(one & new for one in sets)
