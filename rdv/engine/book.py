"""Who sits where, as far as it has been asked: the witness of one compiled situation and what follows from it.

The sandwich of the design, step by step, for one kind of visit over a window of ticks:

1. *place*. The live visits fall into *components*: stretches in which some visit always occupies something. Nothing in
   one component can matter to another, so each is placed alone, the first time a window touches it.
2. *lower bound*. On each counter, the candidate starts whose whole span the witness leaves free (and for which enough
   agents are free). These are feasible as things stand: bit operations only.
3. *ask*. The other candidate starts are handed, with the components their spans touch, to `assignment.Placed`, which
   may rearrange. With 20 counters and one day of visits these are the few starts at which no counter happens to be
   free although one could be made free.

What was found out is kept: a second query of the same kind costs a few operations on integers.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from rdv.engine import assignment, ticks
from rdv.engine.assignment import DEFAULT, Budget, Placed
from rdv.engine.compile import Compiled
from rdv.engine.kind import Kind
from rdv.engine.visits import Placement, Problem, Seat, Visit


@dataclass(slots=True)
class Findings:
    """What is known of one kind: the ticks already `decided`, of these the `feasible` ones, and those not rearranged.

    `untouched` are the ticks at which every candidate counter is free in the witness; `remaining` counts by tick.
    """

    decided: int = 0
    feasible: int = 0
    untouched: int = 0
    undecided: int = 0
    remaining: dict[int, int] = field(default_factory=dict)

    def outside(self, changed: int, span: int) -> "Findings":
        """Return what is known of the starts whose span touches none of the changed ticks."""
        same = ~ticks.dilate(changed, span)
        return Findings(
            decided=self.decided & same,
            feasible=self.feasible & same,
            untouched=self.untouched & same,
            undecided=self.undecided,
            remaining={start: count for start, count in self.remaining.items() if same >> start & 1},
        )


class Book:
    """The live visits of one compiled situation, placed on demand; see the module."""

    def __init__(self, compiled: Compiled, visits: Sequence[Visit], *, budget: Budget = DEFAULT) -> None:
        self.compiled = compiled
        self.visits = tuple(visits)
        self.budget = budget
        self.undecided = 0
        self._rank = {visit.id: at for at, visit in enumerate(self.visits)}
        self._components = components(self.visits)
        self._begins = [min(visit.start for visit in group) for group in self._components]
        self._ends = [max(visit.until for visit in group) for group in self._components]
        self._placements: list[Placement | None] = [None] * len(self._components)
        self._joined: dict[tuple[int, int], Placed] = {}
        self._counter_busy = [0] * len(compiled.instance.counters)
        self._agent_busy = [0] * len(compiled.present)
        self._findings: dict[Kind, Findings] = {}

    def carry(self, before: "Book") -> None:
        """Take over what a book of the same ticks found out, wherever the visits are the same.

        What is known of a start depends on the components its span touches, and on nothing else that differs.
        """
        old = {tuple(group): at for at, group in enumerate(before._components)}  # noqa: SLF001 - the same class
        kept = []
        changed = 0
        for at, group in enumerate(self._components):
            was = old.pop(tuple(group), None)
            if was is None:
                changed |= ticks.interval(self._begins[at], self._ends[at])
            else:
                self._placements[at] = before._placements[was]  # noqa: SLF001 - the same class
                kept.append(at)
        for was in old.values():
            changed |= ticks.interval(before._begins[was], before._ends[was])  # noqa: SLF001 - the same class
        self._occupy(at for at in kept if self._placements[at] is not None)
        self._findings = {kind: f.outside(changed, kind.span) for kind, f in before._findings.items()}  # noqa: SLF001 - as above

    def without(self, visit_id: str) -> "Book":
        """Return the book as it would be without one visit (a reschedule); an unknown id changes nothing."""
        if visit_id not in self._rank:
            return self
        return Book(self.compiled, [v for v in self.visits if v.id != visit_id], budget=self.budget)

    def placement(self) -> Placement:
        """Return seats for every live visit, and those that fit nowhere in list order."""
        self._place(0, len(self._components))
        placements = [placement for placement in self._placements if placement is not None]
        seats = {name: seat for placement in placements for name, seat in placement.seats.items()}
        stranded = sorted((name for p in placements for name in p.stranded), key=self._rank.__getitem__)
        return Placement(seats=seats, stranded=tuple(stranded), undecided=sum(p.undecided for p in placements))

    def findings(self, kind: Kind, begin: int, end: int) -> Findings:
        """Return what is known of a kind once every candidate start in `[begin, end)` is decided."""
        found = self._findings.get(kind)
        if found is None:
            found = self._findings[kind] = Findings()
        window = ticks.interval(begin, end) & ~found.decided if begin < end else 0
        if window:
            self._decide(kind, found, begin, end, window)
        return found

    def busy(self, counter: int) -> int:
        """Return the ticks a counter is occupied, as far as placed; `findings` places its window."""
        return self._counter_busy[counter]

    def remaining(self, kind: Kind, start: int) -> int:
        """Return how many visits of a kind could start together at a feasible tick already decided."""
        found = self._findings[kind]
        count = found.remaining.get(start)
        if count is None:
            visit = self.compiled.candidate_visit(kind, start)
            if not kind.agents_needed and found.untouched >> start & 1:
                count = visit.counters.bit_count()
            else:
                count = self._around(*self._touched(visit.start, visit.until)).remaining(visit)
            found.remaining[start] = count
        return count

    def seat(self, kind: Kind, start: int) -> tuple[Seat, dict[str, Seat]] | None:
        """Return a seat for a visit of a kind at a tick, and the new seats of those who move; None = not feasible."""
        if not self.findings(kind, start, start + 1).feasible >> start & 1:
            return None
        visit = self.compiled.candidate_visit(kind, start)
        found = self._around(*self._touched(visit.start, visit.until)).seat(visit, self._by_loss(visit))
        if found is None:
            return None
        seats = dict(found.seats)
        new = seats.pop(visit.id)
        # Against where they stand, not against the witness: that is what has to be written.
        stood = {v.id: Seat(v.counter, v.served_by) for v in self.visits if v.id in seats and v.counter is not None}
        return new, {name: seat for name, seat in seats.items() if stood.get(name) != seat}

    def _by_loss(self, visit: Visit) -> list[int]:
        """Return the counters free for a visit, first those that later visits miss least: least flexible, tightest."""
        span = ticks.interval(visit.start, visit.until)

        def loss(counter: int) -> tuple[int, int, int]:
            begin, end = ticks.run_around(self.compiled.room(counter) & ~self._counter_busy[counter], visit.start)
            return self.compiled.flexibility(counter), end - begin, counter

        return sorted((c for c in ticks.members(visit.counters) if not self._counter_busy[c] & span), key=loss)

    # Placing

    def _touched(self, begin: int, end: int) -> tuple[int, int]:
        """Return which components `[begin, end)` touches, as a range."""
        low = bisect_right(self._ends, begin)
        return low, max(low, bisect_left(self._begins, end))

    def _place(self, low: int, high: int) -> None:
        """Place the components of a range that are not yet, and mark what their seats occupy."""
        fresh = [at for at in range(low, high) if self._placements[at] is None]
        for at in fresh:
            placement = assignment.place(self._problem(self._components[at]), budget=self.budget)
            self.undecided += placement.undecided
            self._placements[at] = placement
        if fresh:
            self._occupy(fresh)

    def _occupy(self, fresh: Iterable[int]) -> None:
        by_counter: dict[int, list[tuple[int, int]]] = {}
        by_agent: dict[int, list[tuple[int, int]]] = {}
        for at in fresh:
            seats = self._seats(at)
            for visit in self._components[at]:
                seat = seats.get(visit.id)
                if seat is None:
                    continue
                by_counter.setdefault(seat.counter, []).append((visit.start, visit.until))
                for agent in ticks.members(seat.agents):
                    by_agent.setdefault(agent, []).append((visit.start, visit.until))
        length = self.compiled.horizon.length
        for counter, intervals in by_counter.items():
            self._counter_busy[counter] |= ticks.mask(intervals, length)
        for agent, intervals in by_agent.items():
            self._agent_busy[agent] |= ticks.mask(intervals, length)

    def _seats(self, at: int) -> dict[str, Seat]:
        placement = self._placements[at]
        return placement.seats if placement else {}

    def _problem(self, visits: Sequence[Visit]) -> Problem:
        return Problem(
            visits=tuple(visits),
            counter_count=len(self._counter_busy),
            agent_count=len(self._agent_busy),
            agent_counters=self.compiled.agent_counters,
            agent_flexibility=self.compiled.agent_flexibility,
        )

    def _around(self, low: int, high: int) -> Placed:
        """Return the placed visits of a range of components as one problem, the stranded ones left out."""
        found = self._joined.get((low, high))
        if found is None:
            self._place(low, high)
            seats = {name: seat for at in range(low, high) for name, seat in self._seats(at).items()}
            visits = [
                replace(visit, counter=seats[visit.id].counter, served_by=seats[visit.id].agents)
                for at in range(low, high)
                for visit in self._components[at]
                if visit.id in seats
            ]
            base = max(self._begins[low] - self.compiled.longest, 0) if low < high else 0
            placement = Placement(seats=seats, stranded=())
            found = Placed(self._problem(visits), placement, base=base, budget=self.budget)
            self._joined[low, high] = found
        return found

    # Deciding

    def _decide(self, kind: Kind, found: Findings, begin: int, end: int, window: int) -> None:
        self._place(*self._touched(begin, end + kind.span))
        anywhere, free, blocked = 0, 0, 0
        for counter, starts in self.compiled.candidates(kind):
            now = starts & ticks.erode(~self._counter_busy[counter], kind.span)
            anywhere |= starts
            blocked |= starts & ~now
            free |= now & self._served(kind, counter)
        fits = free & window
        asked = self._ask(kind, found, ticks.members(anywhere & window & ~free))
        found.decided |= window
        found.feasible |= fits | asked
        found.untouched |= window & ~blocked

    def _served(self, kind: Kind, counter: int) -> int:
        """Return the ticks at which enough agents allowed at a counter are present and, in the witness, free."""
        if not kind.agents_needed:
            return self.compiled.horizon_mask
        bound = self.compiled.agent_counters
        free = [
            ticks.erode(self.compiled.present[a], kind.duration) & ticks.erode(~self._agent_busy[a], kind.span)
            for a in ticks.members(kind.skilled)
            if bound is None or bound[a] >> counter & 1
        ]
        return ticks.at_least(free, kind.agents_needed, self.compiled.horizon_mask)

    def _ask(self, kind: Kind, found: Findings, starts: Sequence[int]) -> int:
        """Return which of the starts can be had by rearranging the components they touch."""
        visits = [self.compiled.candidate_visit(kind, start) for start in starts]
        hopeful = [v for v in visits if v.agents.bit_count() >= v.agents_needed]
        feasible: list[int] = []
        for low, high, group in self._clusters(hopeful):
            verdicts = self._around(low, high).feasible(group)
            found.undecided += verdicts.undecided
            feasible.extend(visit.start for visit in group if visit.id in verdicts.fits)
        return ticks.points(feasible, self.compiled.horizon.length)

    def _clusters(self, visits: Sequence[Visit]) -> list[tuple[int, int, list[Visit]]]:
        """Group visits, in order of start, that touch common components; each with the range of these."""
        clusters: list[tuple[int, int, list[Visit]]] = []
        for visit in visits:
            low, high = self._touched(visit.start, visit.until)
            if clusters and low < clusters[-1][1]:
                before, upto, group = clusters[-1]
                group.append(visit)
                clusters[-1] = (before, max(upto, high), group)
            else:
                clusters.append((low, high, [visit]))
        return clusters


def components(visits: Sequence[Visit]) -> list[list[Visit]]:
    """Split visits into groups no two of which overlap in time, ascending.

    A group keeps the list's order, which decides who is stranded.
    """
    rank = {visit.id: at for at, visit in enumerate(visits)}
    groups: list[list[Visit]] = []
    until = -1
    for visit in sorted(visits, key=lambda v: v.start):
        if visit.start >= until:
            groups.append([])
        groups[-1].append(visit)
        until = max(until, visit.until)
    return [sorted(group, key=lambda v: rank[v.id]) for group in groups]
