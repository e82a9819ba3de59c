"""Who sits where, while it is being rearranged: seats that can be taken, given up and taken back.

Rules: a `Seating` never holds two visits on one counter or with one agent at once; every change is written down, so
that `undo` takes back whatever was done since a `mark`. Occupation is kept as one bit set of ticks per counter and
agent, counted from a base tick, so that asking whether a seat is free is one `&`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache

from rdv.engine.visits import Problem, Seat, Visit


class Seating:
    """Seats of some visits of a problem."""

    def __init__(self, problem: Problem, base: int | None = None) -> None:
        """Start with nobody seated; `base`: a tick before which nobody occupies anything that matters."""
        self.problem = problem
        self.base = min((visit.start for visit in problem.visits), default=0) if base is None else base
        self.seats: dict[str, Seat] = {}
        self._journal: list[tuple[Visit, Seat | None]] = []
        self._counter_busy = [0] * problem.counter_count
        self._agent_busy = [0] * problem.agent_count
        self._at_counter: list[dict[str, Visit]] = [{} for _ in range(problem.counter_count)]
        self._with_agent: list[dict[str, Visit]] = [{} for _ in range(problem.agent_count)]
        self._workers: dict[int, int] = {}
        self._spans: dict[tuple[int, int], int] = {}

    def span(self, visit: Visit) -> int:
        """Return what a visit occupies; what a new one occupies before the problem begins is nobody's concern."""
        when = (visit.start, visit.until)
        found = self._spans.get(when)
        if found is None:
            found = (1 << max(visit.until - self.base, 0)) - (1 << max(visit.start - self.base, 0))
            self._spans[when] = found
        return found

    def is_free(self, counter: int, span: int) -> bool:
        """Tell whether nobody sits at a counter during a span."""
        return not self._counter_busy[counter] & span

    def free(self, counters: Iterable[int], span: int) -> Iterator[int]:
        """Yield those of some counters at which nobody sits during a span."""
        busy = self._counter_busy
        return (counter for counter in counters if not busy[counter] & span)

    def blockers(self, counter: int, visit: Visit) -> list[Visit]:
        """Return who sits at a counter during a visit's time, in a fixed order."""
        return _during(self._at_counter[counter], visit)

    def blockers_of_agent(self, agent: int, visit: Visit) -> list[Visit]:
        """Return whom an agent serves during a visit's time, in a fixed order."""
        return _during(self._with_agent[agent], visit)

    def workers(self, counter: int) -> int:
        """Return the agents who may work at a counter."""
        found = self._workers.get(counter)
        if found is None:
            ties = self.problem.agent_counters
            every = (1 << self.problem.agent_count) - 1
            found = every if ties is None else sum(1 << a for a, tied in enumerate(ties) if tied >> counter & 1)
            self._workers[counter] = found
        return found

    def agents_for(self, visit: Visit, counter: int) -> int | None:
        """Return free agents for a visit at a counter, as a set; None when there are too few.

        First those it keeps, then those it has, then those whom other visits will miss least.
        """
        if not visit.agents_needed:
            return 0
        span = self.span(visit)
        must, known = visit.must_agents, visit.served_by
        free = sum(1 << a for a in bits(visit.agents & self.workers(counter)) if not self._agent_busy[a] & span)
        if must & ~free or free.bit_count() < visit.agents_needed:
            return None
        order = sorted(bits(free), key=lambda a: (~must >> a & 1, ~known >> a & 1, self._loss[a], a))
        return sum(1 << agent for agent in order[: visit.agents_needed])

    def agents_busy(self, visit: Visit, counter: int) -> Iterator[int]:
        """Yield the agents who might serve a visit at a counter but serve others at that time."""
        span = self.span(visit)
        return (a for a in bits(visit.agents & self.workers(counter)) if self._agent_busy[a] & span)

    def take(self, visit: Visit, seat: Seat) -> None:
        """Give a free seat to a visit."""
        self._journal.append((visit, None))
        self._sit(visit, seat)

    def leave(self, visit: Visit) -> None:
        """Take a visit's seat away."""
        self._journal.append((visit, self.seats[visit.id]))
        self._rise(visit)

    def fits(self, visit: Visit, seat: Seat) -> bool:
        """Tell whether a seat is allowed for a visit and free."""
        span = self.span(visit)
        return (
            bool(visit.counters >> seat.counter & 1)
            and self.is_free(seat.counter, span)
            and seat.agents.bit_count() == visit.agents_needed
            and not seat.agents & ~(visit.agents & self.workers(seat.counter))
            and not visit.must_agents & ~seat.agents
            and not any(self._agent_busy[agent] & span for agent in bits(seat.agents))
        )

    def mark(self) -> int:
        """Return a point in the journal to go back to."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Take back every change since the mark."""
        while len(self._journal) > mark:
            visit, before = self._journal.pop()
            if before is None:
                self._rise(visit)
            else:
                self._sit(visit, before)

    def _sit(self, visit: Visit, seat: Seat) -> None:
        span = self.span(visit)
        self.seats[visit.id] = seat
        self._counter_busy[seat.counter] |= span
        self._at_counter[seat.counter][visit.id] = visit
        for agent in bits(seat.agents):
            self._agent_busy[agent] |= span
            self._with_agent[agent][visit.id] = visit

    def _rise(self, visit: Visit) -> None:
        span = self.span(visit)
        seat = self.seats.pop(visit.id)
        self._counter_busy[seat.counter] &= ~span
        del self._at_counter[seat.counter][visit.id]
        for agent in bits(seat.agents):
            self._agent_busy[agent] &= ~span
            del self._with_agent[agent][visit.id]

    @cached_property
    def _loss(self) -> list[tuple[int, int]]:
        """How much is lost when an agent is taken: their skills, then how many of the visits they could serve."""
        counts = [0] * self.problem.agent_count
        for visit in self.problem.visits:
            for agent in bits(visit.agents):
                counts[agent] += 1
        skills = self.problem.agent_flexibility or (0,) * self.problem.agent_count
        return list(zip(skills, counts, strict=True))


def dealt(visits: Sequence[Visit], counters: Sequence[int]) -> dict[str, int]:
    """Deal visits, of which never more overlap than there are counters, out to these; who stands at one stays there.

    They are dealt in order of their beginnings, so there is a free one for each. Who has to go elsewhere gets the one
    at which the fewest others would like to stay.
    """
    free_at = dict.fromkeys(counters, -1)
    found: dict[str, int] = {}
    for visit in sorted(visits, key=lambda v: (v.start, v.id)):
        free = [counter for counter in counters if free_at[counter] <= visit.start]
        if visit.counter is not None and visit.counter in free:
            counter = visit.counter
        else:
            stay = Counter(one.counter for one in visits if one.start < visit.until and one.until > visit.start)
            counter = min(free, key=lambda c: stay[c])
        free_at[counter] = visit.until
        found[visit.id] = counter
    return found


def _during(seated: dict[str, Visit], visit: Visit) -> list[Visit]:
    found = [one for one in seated.values() if one.start < visit.until and one.until > visit.start]
    return sorted(found, key=lambda one: (one.start, one.id))


@lru_cache(maxsize=10_000)
def bits(members: int) -> tuple[int, ...]:
    """Return the members of a small set, ascending: the same few sets again and again, while somebody is placed."""
    found = []
    while members:
        lowest = members & -members
        found.append(lowest.bit_length() - 1)
        members ^= lowest
    return tuple(found)
