"""What the seats of a book leave free for one kind of visit over a stretch of ticks: bit operations only.

Everything is cut to the stretch and counted from its first tick, since after a booking one morning of a month is asked
about. Whatever is free here is feasible; what is not may become free when others move.
"""

from collections.abc import Sequence

from rdv.engine import ticks
from rdv.engine.compile import Compiled
from rdv.engine.kind import Kind
from rdv.engine.seating import bits


class Witness:
    """The seats of a book, looked at for the starts of one kind in `[low, high)`; sets count from `low`."""

    def __init__(
        self,
        compiled: Compiled,
        busy: tuple[Sequence[int], Sequence[int]],
        kind: Kind,
        low: int,
        high: int,
    ) -> None:
        """`busy`: the ticks at which each counter, and each agent, is occupied, from the horizon's first tick on."""
        self._compiled = compiled
        self._counter_busy, self._agent_busy = busy
        self._kind = kind
        self._low = low
        self._mask = (1 << max(high - low, 0) + kind.span) - 1

    def cut(self, whole: int) -> int:
        """Return a set of the horizon as one of the stretch."""
        return whole >> self._low & self._mask

    def uncut(self, cut: int) -> int:
        """Return a set of the stretch as one of the horizon."""
        return cut << self._low

    def free(self, counter: int) -> int:
        """Return the starts for which a counter is free all the time."""
        return ticks.erode(self.cut(~self._counter_busy[counter]), self._kind.span)

    def served(self, counter: int) -> int:
        """Return the starts for which enough agents who may work at a counter are present and free all the time."""
        bound = self._compiled.agent_counters
        agents = [a for a in bits(self._kind.skilled) if bound is None or bound[a] >> counter & 1]
        return self._enough([1 << agent for agent in agents])

    def free_by_class(self) -> int:
        """Return the starts all of whose ticks leave somebody free among counters, and agents, that are alike.

        It need not be the same one all the time: see `classes.py`. It is for where nobody is pinned, and no agent is
        bound to a counter: then they are not alike.
        """
        found = 0
        candidates = dict(self._compiled.candidates(self._kind))
        for alike in self._compiled.counters_alike:
            if starts := self.cut(candidates.get(ticks.lowest(alike), 0)):
                found |= starts & ticks.erode(self._some_free(self._counter_busy, alike), self._kind.span)
        return found and found & self._enough([g for g in self._compiled.agents_alike if g & self._kind.skilled])

    def _enough(self, groups: Sequence[int]) -> int:
        """Return the starts for which as many of some groups of agents, who are alike, as are needed leave one free."""
        needed = self._kind.agents_needed
        if not needed:
            return self._mask
        there = (
            ticks.erode(self.cut(self._compiled.present[ticks.lowest(group)]), self._kind.duration)
            & ticks.erode(self._some_free(self._agent_busy, group), self._kind.span)
            for group in groups
        )
        return ticks.at_least(there, needed, self._mask)

    def _some_free(self, busy: Sequence[int], which: int) -> int:
        """Return the ticks at which one of some is free."""
        all_busy = self._mask
        for one in bits(which):
            all_busy &= busy[one] >> self._low
        return ~all_busy & self._mask
