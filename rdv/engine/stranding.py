"""Who is stranded when too many want counters that are alike: a flow through time, exact and fast.

Put the moments at which somebody comes or goes in a row. `k` counters are k units of flow from the first to the last;
between two moments a unit is idle (for nothing), or it carries a visit from its beginning to its end (worth one). The
most visits that k counters can take are a cheapest flow, and every other best choice differs from it by cycles that
cost nothing (Ahuja, Magnanti, Orlin, *Network Flows*, 1993, chapter 9; for intervals Carlisle and Lloyd, 1995).

Among the smallest sets, the one whose last member comes latest is found from the newest visit on: it is stranded if
some free cycle leaves it out. With potentials, which make every arc of the rest network cost at least nothing, such a
cycle runs along arcs that cost exactly nothing, so it is looked for by breadth.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rdv.engine.seating import bits, dealt
from rdv.engine.visits import Placement, Problem, Seat, Visit

Span = tuple[int, int]  # places in the row of moments


@dataclass(slots=True)
class _Alike:
    """The visits of one span, by id: those that may change sides, and those decided."""

    seated: set[str] = field(default_factory=set)
    out: set[str] = field(default_factory=set)


def place_alike(problem: Problem) -> Placement | None:
    """Seat as many as can be, stranding the newest first; None where the visits' sets of counters overlap.

    It is for visits that need no agents, and whose sets of counters are equal or disjoint.
    """
    groups: dict[int, list[Visit]] = {}
    taken = 0
    for visit in problem.visits:
        if visit.agents_needed:
            return None
        if visit.counters not in groups and visit.counters & taken:
            return None
        taken |= visit.counters
        groups.setdefault(visit.counters, []).append(visit)
    stranded: set[str] = set()
    seats: dict[str, Seat] = {}
    for counters, visits in groups.items():
        lost = _Flow(visits, counters.bit_count()).stranded()
        stranded |= lost
        seated = dealt([visit for visit in visits if visit.id not in lost], bits(counters))
        seats |= {name: Seat(counter) for name, counter in seated.items()}
    return Placement(seats=seats, stranded=tuple(v.id for v in problem.visits if v.id in stranded))


class _Flow:
    """Visits in list order on `width` counters that are alike."""

    def __init__(self, visits: Sequence[Visit], width: int) -> None:
        self.visits = visits
        self.width = width
        moments = sorted({moment for visit in visits for moment in (visit.start, visit.until)})
        place = {moment: at for at, moment in enumerate(moments)}
        self.span = {visit.id: (place[visit.start], place[visit.until]) for visit in visits}
        self.load = [0] * len(moments)
        self.alike: dict[Span, _Alike] = {span: _Alike() for span in self.span.values()}
        self.from_: list[list[int]] = [[] for _ in moments]  # where spans that begin here end
        self.to: list[list[int]] = [[] for _ in moments]  # where spans that end here begin
        for begin, end in self.alike:
            self.from_[begin].append(end)
            self.to[end].append(begin)

    def stranded(self) -> set[str]:
        """Return the smallest set, its last member as late as can be, then its last but one, and so on."""
        out = self._most()
        for name, span in self.span.items():
            (self.alike[span].out if name in out else self.alike[span].seated).add(name)
            if name not in out:
                self._cover(span, 1)
        potential = self._potentials()
        decided: set[str] = set()
        for visit in reversed(self.visits):
            if len(decided) == len(out):
                break
            alike = self.alike[self.span[visit.id]]
            if visit.id in alike.seated:
                alike.seated.discard(visit.id)
                path = self._free_path(potential, *self.span[visit.id])
                if path is None:
                    continue
                self._cover(self.span[visit.id], -1)
                self._change(potential, path)
            else:
                alike.out.discard(visit.id)
            decided.add(visit.id)
        return decided

    def _most(self) -> set[str]:
        """Return a smallest set to leave out: of too many at a time, the one that stays longest."""
        out: set[str] = set()
        there: list[Visit] = []
        for visit in sorted(self.visits, key=lambda v: v.start):
            there = [v for v in there if v.until > visit.start] + [visit]
            if len(there) > self.width:
                longest = max(there, key=lambda v: v.until)
                there.remove(longest)
                out.add(longest.id)
        return out

    def _arcs(self, at: int) -> Iterator[tuple[int, int]]:
        """Yield where a unit at a moment could go, and what that costs: one less seated costs one."""
        if at + 1 < len(self.load) and self.load[at]:
            yield at + 1, 0
        if at and self.load[at - 1] < self.width:
            yield at - 1, 0
        for end in self.from_[at]:
            if self.alike[at, end].out:
                yield end, -1
        for begin in self.to[at]:
            if self.alike[begin, at].seated:
                yield begin, 1

    def _potentials(self) -> list[int]:
        """Return the cheapest way to each moment from anywhere: with it no arc costs less than nothing."""
        potential = [0] * len(self.load)
        queue = deque(range(len(self.load)))
        waiting = [True] * len(self.load)
        while queue:
            at = queue.popleft()
            waiting[at] = False
            for to, cost in self._arcs(at):
                if potential[at] + cost < potential[to]:
                    potential[to] = potential[at] + cost
                    if not waiting[to]:
                        waiting[to] = True
                        queue.append(to)
        return potential

    def _free_path(self, potential: Sequence[int], begin: int, end: int) -> list[Span] | None:
        """Return moves from `begin` to `end` that make up for the loss of a visit there, None when there are none."""
        if potential[begin] - potential[end] != 1:
            return None  # the visit's own arc backwards, which closes the cycle, is not free
        came: dict[int, int] = {begin: begin}
        queue = deque([begin])
        while queue and end not in came:
            at = queue.popleft()
            for to, cost in self._arcs(at):
                if to not in came and potential[at] + cost == potential[to]:
                    came[to] = at
                    queue.append(to)
        if end not in came:
            return None
        path = [end]
        while path[-1] != begin:
            path.append(came[path[-1]])
        path.reverse()
        return list(pairwise(path))

    def _change(self, potential: Sequence[int], path: Sequence[Span]) -> None:
        """Let the visits along a path change sides; a step that costs nothing is a unit that idles."""
        for at, to in path:
            cost = potential[to] - potential[at]
            if cost == -1:
                alike = self.alike[at, to]
                name = alike.out.pop()
                alike.seated.add(name)
                self._cover((at, to), 1)
            elif cost == 1:
                alike = self.alike[to, at]
                name = alike.seated.pop()
                alike.out.add(name)
                self._cover((to, at), -1)

    def _cover(self, span: Span, by: int) -> None:
        for at in range(*span):
            self.load[at] += by
