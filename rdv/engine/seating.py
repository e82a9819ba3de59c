"""Who sits where, while it is being rearranged: seats that can be taken, given up and taken back.

Rules: a `Seating` never holds two visits on one counter or with one agent at once; every change is undone by `restore`
of a `snapshot`. Occupation is kept as one bit set of ticks per counter and agent, counted from the problem's first
tick, so that asking whether a seat is free is one `&`.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from rdv.engine.visits import Problem, Seat, Visit


class Seating:
    """Seats of some visits of a problem; `base` is a tick before which nobody comes (default: the first visit's)."""

    def __init__(self, problem: Problem, visits: Iterable[Visit], *, base: int | None = None) -> None:
        self.problem = problem
        self.visits = {visit.id: visit for visit in visits}
        self.base = min((visit.start for visit in self.visits.values()), default=0) if base is None else base
        self.seats: dict[str, Seat] = {}
        self._counter_busy = [0] * problem.counter_count
        self._agent_busy = [0] * problem.agent_count
        self._at_counter: list[set[str]] = [set() for _ in range(problem.counter_count)]

    def span(self, visit: Visit) -> int:
        """Return what a visit occupies."""
        return (1 << visit.until - self.base) - (1 << visit.start - self.base)

    def is_free(self, counter: int, span: int) -> bool:
        """Tell whether nobody sits at a counter during a span."""
        return not self._counter_busy[counter] & span

    def blockers(self, counter: int, span: int) -> list[Visit]:
        """Return who sits at a counter during a span, in a fixed order."""
        if not self._counter_busy[counter] & span:
            return []
        return [self.visits[name] for name in sorted(self._at_counter[counter]) if self.span(self.visits[name]) & span]

    def free_agents(self, visit: Visit, counter: int) -> Iterator[int]:
        """Yield the agents who may serve a visit at a counter and are free, those it keeps and has first."""
        span = self.span(visit)
        allowed = self.problem.agent_counters
        must, known = visit.must_agents, visit.served_by
        order = sorted(bits(visit.agents), key=lambda a: (~must >> a & 1, ~known >> a & 1, self._skills[a], a))
        for agent in order:
            if not self._agent_busy[agent] & span and (allowed is None or allowed[agent] >> counter & 1):
                yield agent

    def agents_for(self, visit: Visit, counter: int) -> int | None:
        """Return free agents for a visit at a counter, as a set; None when there are too few."""
        if not visit.agents_needed:
            return 0
        chosen = 0
        for agent in self.free_agents(visit, counter):
            chosen |= 1 << agent
            if chosen.bit_count() == visit.agents_needed:
                return chosen if visit.must_agents & ~chosen == 0 else None
        return None

    def take(self, visit: Visit, seat: Seat) -> None:
        """Give a free seat to a visit."""
        self.visits[visit.id] = visit
        span = self.span(visit)
        self.seats[visit.id] = seat
        self._counter_busy[seat.counter] |= span
        self._at_counter[seat.counter].add(visit.id)
        for agent in bits(seat.agents):
            self._agent_busy[agent] |= span

    def leave(self, visit: Visit) -> Seat:
        """Take a visit's seat away and return it."""
        span = self.span(visit)
        seat = self.seats.pop(visit.id)
        self._counter_busy[seat.counter] &= ~span
        self._at_counter[seat.counter].discard(visit.id)
        for agent in bits(seat.agents):
            self._agent_busy[agent] &= ~span
        return seat

    def fits(self, visit: Visit, seat: Seat) -> bool:
        """Tell whether a seat is allowed for a visit and free."""
        allowed = self.problem.agent_counters
        span = self.span(visit)
        return (
            bool(visit.counters >> seat.counter & 1)
            and self.is_free(seat.counter, span)
            and seat.agents.bit_count() == visit.agents_needed
            and not seat.agents & ~visit.agents
            and not visit.must_agents & ~seat.agents
            and all(
                not self._agent_busy[a] & span and (allowed is None or allowed[a] >> seat.counter & 1)
                for a in bits(seat.agents)
            )
        )

    def snapshot(self) -> Mapping[str, Seat]:
        """Return the seats as they are."""
        return dict(self.seats)

    def restore(self, seats: Mapping[str, Seat]) -> None:
        """Give every visit the seat it had."""
        changed = [name for name in self.seats if seats.get(name) != self.seats[name]]
        for name in changed:
            self.leave(self.visits[name])
        for name, seat in seats.items():
            if name not in self.seats:
                self.take(self.visits[name], seat)

    @cached_property
    def _skills(self) -> list[int]:
        """In how many of the visits each agent could serve: who can serve fewer is taken first."""
        counts = [0] * self.problem.agent_count
        for visit in self.problem.visits:
            for agent in bits(visit.agents):
                counts[agent] += 1
        return counts


def bits(members: int) -> Iterator[int]:
    """Yield the members of a small set, ascending."""
    while members:
        lowest = members & -members
        yield lowest.bit_length() - 1
        members ^= lowest
