"""Hall's condition over all sets of counters, and of agents, tick by tick, for one more visit.

At one tick every live visit needs a counter of its own and agents of its own: if no matching exists there, nothing can
be rearranged to make one. A placement is such a matching at every tick, so only the new visit has to be matched, by
*augmenting*: it takes a counter, whose holder takes another, and so on, until the last takes a free one. A counter from
which such a chain leads to a free one is *freeable*, and which counters are does not depend on who asks: it is worked
out once per tick. The bound knows nothing of the fact that a visit cannot change its counter half-way, nor of agents
bound to counters.

Example: at 09:00 an r1 sits on A and an r2 on B; C, which takes only r1, is free. A is freeable (its r1 goes to C), so
is B if its r2 may go to A; a new r2 has a chance.

Only the ticks at which somebody begins have to be looked at: in between, visits only end.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from rdv.engine.seating import bits
from rdv.engine.visits import Problem, Seat, Visit

Holders = Mapping[int, int]  # a held counter (or agent), and everything its holder could hold instead


class Chains:
    """What a problem whose visits are all placed leaves room for; what is found out is kept."""

    def __init__(self, problem: Problem, seats: Mapping[str, Seat]) -> None:
        self._visits = sorted(problem.visits, key=lambda visit: visit.start)
        self._seats = seats
        self._starts = [visit.start for visit in self._visits]
        self._moments = sorted(set(self._starts))
        self._longest = max((visit.until - visit.start for visit in self._visits), default=0)
        self._everything = ((1 << problem.counter_count) - 1, (1 << problem.agent_count) - 1)
        self._holders: dict[int, tuple[Holders, Holders]] = {}
        self._freeable: dict[int, tuple[int, int]] = {}
        self._spare: dict[tuple[int, int, int], int] = {}

    def may_fit(self, new: Visit) -> bool:
        """Tell whether at every tick a new visit could have a counter and agents of its own."""
        for at in self._during(new):
            counters, agents = self._freeable_at(at)
            if not counters & new.counters:
                return False
            if new.agents_needed and not agents & new.agents:
                return False
            if new.agents_needed > 1 and self._spare_at(at, 1, new.agents) < new.agents_needed:
                return False
        return True

    def most_copies(self, new: Visit) -> int:
        """Return how many copies of a visit at most may fit."""
        most = new.counters.bit_count()
        for at in self._during(new):
            most = min(most, self._spare_at(at, 0, new.counters))
            if new.agents_needed and most:
                most = min(most, self._spare_at(at, 1, new.agents) // new.agents_needed)
        return most

    def _during(self, new: Visit) -> list[int]:
        low, high = (bisect_right(self._moments, new.start), bisect_left(self._moments, new.until))
        return [new.start, *self._moments[low:high]]

    def _freeable_at(self, at: int) -> tuple[int, int]:
        found = self._freeable.get(at)
        if found is None:
            held = self._holders_at(at)
            counters, agents = (freeable(h, every) for h, every in zip(held, self._everything, strict=True))
            found = self._freeable[at] = (counters, agents)
        return found

    def _spare_at(self, at: int, which: int, wanted: int) -> int:
        key = (at, which, wanted)
        found = self._spare.get(key)
        if found is None:
            found = self._spare[key] = spare(self._holders_at(at)[which], self._everything[which], wanted)
        return found

    def _holders_at(self, at: int) -> tuple[Holders, Holders]:
        found = self._holders.get(at)
        if found is None:
            low, high = (bisect_right(self._starts, at - self._longest), bisect_right(self._starts, at))
            found = self._holders[at] = self._held([v for v in self._visits[low:high] if v.until > at])
        return found

    def _held(self, live: Sequence[Visit]) -> tuple[Holders, Holders]:
        seated = [(visit, self._seats[visit.id]) for visit in live]
        agents = {
            agent: 1 << agent if visit.must_agents >> agent & 1 else visit.agents
            for visit, seat in seated
            for agent in bits(seat.agents)
        }
        return {seat.counter: visit.counters for visit, seat in seated}, agents


def freeable(holders: Holders, everything: int) -> int:
    """Return the free members and those whose holder can, by a chain of moves, make room for another."""
    found = everything & ~sum(1 << held for held in holders)
    left = list(holders.items())
    while True:
        stuck = []
        for held, others in left:
            if others & found:
                found |= 1 << held
            else:
                stuck.append((held, others))
        if len(stuck) == len(left):
            return found
        left = stuck


def spare(holders: Holders, everything: int, wanted: int) -> int:
    """Return how many newcomers, each content with any one member of `wanted`, could be matched too."""
    holding = dict(holders)
    free = everything & ~sum(1 << held for held in holders)
    count = 0
    while _augment(holding, free, wanted):
        free = everything & ~sum(1 << held for held in holding)
        count += 1
    return count


def _augment(holding: dict[int, int], free: int, wanted: int) -> bool:
    """Give one member to a newcomer, shifting holders along a shortest chain."""
    pushed_by: dict[int, int | None] = dict.fromkeys(bits(wanted))
    queue = list(pushed_by)
    for member in queue:
        if free >> member & 1:
            _shift(holding, pushed_by, member, wanted)
            return True
        for other in bits(holding[member]):
            if other not in pushed_by:
                pushed_by[other] = member
                queue.append(other)
    return False


def _shift(holding: dict[int, int], pushed_by: Mapping[int, int | None], last: int, wanted: int) -> None:
    while (before := pushed_by[last]) is not None:
        holding[last] = holding[before]
        last = before
    holding[last] = wanted
