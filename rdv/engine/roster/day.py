"""One day of a roster in the form the solver sees: blocks, and what is alike made one.

* Counters that may be open at the same blocks, for the same reasons and the same agents form a *place*; inside one only
  the number of shifts matters, since intervals that never overlap more than k-fold need k counters.
* Agents with the same skills form a *team* as far as serving goes; reasons that the same teams serve at the same places
  form a *sort* of demand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from rdv.engine.roster.values import Ranges, RosterAgent, RosterCounter, RosterInstance, Visit

Interval = tuple[int, int]  # blocks [first, last)


@dataclass(frozen=True, slots=True)
class Place:
    """Counters that are alike on a day: their ids, the blocks when they may be open, and what they are for."""

    counters: tuple[str, ...]
    blocks: frozenset[int]
    reasons: frozenset[str] | None


@dataclass(frozen=True)
class Day:
    """A day of an instance; blocks are numbered from midnight."""

    instance: RosterInstance
    date: date

    @property
    def block(self) -> int:
        return self.instance.rules.block_minutes

    @cached_property
    def places(self) -> tuple[Place, ...]:
        alike: dict[tuple[object, ...], list[RosterCounter]] = {}
        for counter in self.instance.counters:
            blocks = whole_blocks(counter.openings.get(self.date, ()), self.block)
            if blocks:
                bound = frozenset(a.id for a in self.instance.agents if a.counters and counter.id in a.counters)
                liked = frozenset(a.id for a in self.instance.agents if counter.id in a.preferred)
                alike.setdefault((blocks, counter.reasons, bound, liked), []).append(counter)
        return tuple(
            Place(
                tuple(one.id for one in counters),
                whole_blocks(counters[0].openings[self.date], self.block),
                counters[0].reasons,
            )
            for counters in alike.values()
        )

    @cached_property
    def open_blocks(self) -> list[int]:
        """The blocks in which some counter may be open, ascending."""
        return sorted(frozenset().union(*(place.blocks for place in self.places)))

    @cached_property
    def present(self) -> Mapping[str, frozenset[int]]:
        """The blocks each agent is there for."""
        return {a.id: whole_blocks(a.presence.get(self.date, ()), self.block) for a in self.instance.agents}

    @cached_property
    def sorts(self) -> Mapping[frozenset[tuple[str, int]], tuple[str, ...]]:
        """Reasons wanted that day by who serves them where: pairs of agent and place."""
        found: dict[frozenset[tuple[str, int]], list[str]] = {}
        expected = {one.reason for one in self.instance.demand if one.date == self.date}
        for reason in sorted(expected | {one.reason for one in self.booked}):
            pairs = frozenset(
                (agent.id, at)
                for agent in self.instance.agents
                for at, place in enumerate(self.places)
                if may_be_at(agent, place) and _serves(agent.reasons, reason) and _serves(place.reasons, reason)
            )
            found.setdefault(pairs, []).append(reason)
        return {pairs: tuple(reasons) for pairs, reasons in found.items()}

    @cached_property
    def booked(self) -> tuple[Visit, ...]:
        """Who comes that day for certain."""
        return tuple(one for one in self.instance.booked if one.date == self.date)

    @cached_property
    def wanted(self) -> Mapping[tuple[int, str, bool], int]:
        """Minutes wanted by block and reason, apart for who has booked: these need somebody for the whole block."""
        found: dict[tuple[int, str, bool], int] = {}
        for one in self.instance.demand:
            if one.date == self.date and one.minutes:
                key = one.start_minute // self.block, one.reason, False
                found[key] = found.get(key, 0) + one.minutes
        for reason in {one.reason for one in self.booked}:
            visits = [one for one in self.booked if one.reason == reason]
            for block in {at for one in visits for at in self._blocks(one)}:
                found[block, reason, True] = self.block * self._at_once(visits, block)
        return found

    @cached_property
    def spanning(self) -> Mapping[tuple[int, str], int]:
        """How many who have booked are in the middle of their visit when a block begins, by block and reason."""
        found: dict[tuple[int, str], int] = {}
        for one in self.booked:
            for block in self._blocks(one)[1:]:
                found[block, one.reason] = found.get((block, one.reason), 0) + 1
        return found

    def _blocks(self, one: Visit) -> range:
        return range(one.start_minute // self.block, -(-one.end_minute // self.block))

    def _at_once(self, visits: list[Visit], block: int) -> int:
        """Return the most visits that go on at one moment of a block."""
        start, end = block * self.block, (block + 1) * self.block
        here = [one for one in visits if one.start_minute < end and one.end_minute > start]
        moments = {max(one.start_minute, start) for one in here}
        return max(sum(one.start_minute <= at < one.end_minute for one in here) for at in moments)

    def intervals(self, agent: RosterAgent, place: Place) -> Iterator[Interval]:
        """Return the shifts an agent could have at a place: whole, contiguous, neither too short nor too long."""
        rules = self.instance.rules
        shortest, longest = rules.shortest_minutes // self.block, rules.longest_minutes // self.block
        there = self.present[agent.id] & place.blocks
        for first in sorted(there):
            last = first
            while last in there and last - first < longest:
                last += 1
                if last - first >= shortest:
                    yield first, last

    def count_of_blocks(self, agent: RosterAgent, place: Place) -> int:
        """Return how many blocks the shifts have that an agent could have at a place, all together."""
        rules = self.instance.rules
        shortest, longest = rules.shortest_minutes // self.block, rules.longest_minutes // self.block
        there = sorted(self.present[agent.id] & place.blocks)
        count, run = 0, 0
        for at, block in enumerate(there):
            run = run + 1 if at and there[at - 1] == block - 1 else 1
            # The shifts that end with this block: of each length that the run allows.
            most = min(run, longest)
            count += (most * (most + 1) - shortest * (shortest - 1)) // 2 if most >= shortest else 0
        return count


def may_be_at(agent: RosterAgent, place: Place) -> bool:
    """Tell whether an agent may be at a place and has something to do there."""
    if agent.counters is not None and not agent.counters & set(place.counters):
        return False
    return agent.reasons is None or place.reasons is None or bool(agent.reasons & place.reasons)


def whole_blocks(ranges: Ranges, block: int) -> frozenset[int]:
    """Return the blocks that lie wholly within ranges."""
    return frozenset(at for start, end in ranges for at in range(-(-start // block), end // block))


def _serves(reasons: frozenset[str] | None, reason: str) -> bool:
    return reasons is None or reason in reasons
