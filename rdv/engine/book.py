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
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from rdv.engine import assignment, ticks
from rdv.engine.assignment import Placed
from rdv.engine.budget import DEFAULT, Budget
from rdv.engine.compile import Compiled
from rdv.engine.counting import Counting
from rdv.engine.kind import Kind
from rdv.engine.live import Components, Told
from rdv.engine.visits import Placement, Problem, Seat, Visit
from rdv.engine.witness import Witness

# As measured: sets of ticks a kind has, bytes of a start that is counted, and of a visit with its seat and classes.
SETS_OF_KIND, COUNT_BYTES, VISIT_BYTES = 6, 100, 850
JOINED_KEPT = 64  # problems at hand, days or half days: a page of days is asked about again and again, a year is not


@dataclass(slots=True)
class Findings:
    """What is known of one kind: the ticks already `decided`, of these the `feasible` ones, and those not rearranged.

    `untouched` are the ticks at which every candidate counter is free in the witness; `remaining` counts by tick.
    """

    decided: int = 0
    feasible: int = 0
    untouched: int = 0
    remaining: dict[int, int] = field(default_factory=dict)

    def outside(self, changed: int, span: int) -> "Findings":
        """Return what is known of the starts whose span touches none of the changed ticks."""
        same = ~ticks.dilate(changed, span)
        return Findings(
            decided=self.decided & same,
            feasible=self.feasible & same,
            untouched=self.untouched & same,
            remaining={start: count for start, count in self.remaining.items() if same >> start & 1},
        )


class Book:
    """The live appointments of one compiled situation, placed on demand; see the module."""

    def __init__(self, compiled: Compiled, *, budget: Budget = DEFAULT) -> None:
        """Find the components, and in which of them everybody can stay where they stand."""
        self.compiled = compiled
        self.budget = budget
        self.undecided = 0
        self.settled: Counter[str] = Counter()  # how many starts each stage decided
        live = compiled.live
        self._components = Components(live)
        self._stays = self._components.all_of(live.standing(compiled))
        self._staying = self._components.spread(self._stays)
        self._counter_busy, self._agent_busy = live.busy(compiled, self._staying)
        self._placements: dict[int, Placement] = {}  # of the components in which somebody cannot stay
        self._joined: OrderedDict[range, Placed] = OrderedDict()
        self._findings: dict[Kind, Findings] = {}
        self._counting = Counting(compiled, self._components, self._staying)
        self.derived: dict[Kind, Any] = {}  # what a policy derives from the witness; forgotten when it grows

    def carry(self, before: "Book") -> None:
        """Take over what a book of the same ticks found out, wherever the appointments are the same.

        What is known of a start depends on the components its span touches, and on nothing else that differs.
        """
        places = self._told.places_in(before._told)  # noqa: SLF001 - the same class
        of_before = before._placements  # noqa: SLF001 - the same class
        kept = [at for at, was in enumerate(places.tolist()) if was in of_before]
        for at in kept:
            self._placements[at] = of_before[int(places[at])]
        changed = self._components.intervals(places == -1)
        gone = np.ones(len(before._components), np.bool_)  # noqa: SLF001 - the same class
        gone[places[places != -1]] = False
        changed += before._components.intervals(gone)  # noqa: SLF001 - the same class
        self._occupy(kept)
        touched = 0
        for begin, end in changed:
            touched |= ticks.interval(begin, end)
        self._findings = {kind: f.outside(touched, kind.span) for kind, f in before._findings.items()}  # noqa: SLF001 - as above

    @cached_property
    def _told(self) -> Told:
        return self._components.told(self.compiled)

    def without(self, appointment_id: str) -> "Book":
        """Return the book as it would be without one appointment (a reschedule); an unknown id changes nothing."""
        compiled = self.compiled.without(appointment_id)
        if compiled is None:
            return self
        book = Book(compiled, budget=self.budget)
        book.carry(self)
        return book

    @property
    def kinds(self) -> int:
        """How many kinds of visits it was asked about."""
        return len(self._findings)

    @property
    def bytes(self) -> int:
        """About how much memory this takes, the situation left out: it grows with what is asked. See `Office.bytes`."""
        of_kind = SETS_OF_KIND * len(self._findings) * ticks.size(self.compiled.horizon.length)
        busy = (len(self._counter_busy) + len(self._agent_busy)) * ticks.size(self.compiled.horizon.length)
        # Copied first: who weighs an office does not wait for the thread that asks it.
        counts = sum(len(found.remaining) for found in list(self._findings.values()))
        visits = sum(len(placed.problem.visits) for placed in list(self._joined.values()))
        return of_kind + busy + counts * COUNT_BYTES + visits * VISIT_BYTES

    def forget(self) -> None:
        """Forget the problems at hand, which are most of what it takes: what was found out of them stays."""
        self._joined.clear()

    def placement(self) -> Placement:
        """Return seats for every live visit, and those that fit nowhere in list order."""
        every = range(len(self._components))
        self._place(every)
        seats: dict[str, Seat] = {}
        for at in every:
            seats |= self._seats(at)
        stranded = {name for placement in self._placements.values() for name in placement.stranded}
        live = self.compiled.live
        in_order = tuple(name for name in map(live.id, range(len(live))) if name in stranded) if stranded else ()
        undecided = sum(placement.undecided for placement in self._placements.values())
        return Placement(seats=seats, stranded=in_order, undecided=undecided)

    def disturbed(self) -> Placement:
        """Return seats for, and the stranded of, the components in which somebody cannot stay where they stand."""
        self._place(range(len(self._components)))
        seats: dict[str, Seat] = {}
        for placement in self._placements.values():
            seats |= placement.seats
        stranded = tuple(name for placement in self._placements.values() for name in placement.stranded)
        return Placement(seats=seats, stranded=stranded)

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

    def free(self, kind: Kind, counter: int) -> int:
        """Return the ticks at which a counter, and agents enough for it, are free for a kind, as far as placed."""
        witness = self._witness(kind, 0, self.compiled.horizon.length)
        return witness.free(counter) & witness.served(counter)

    def remaining(self, kind: Kind, start: int) -> int:
        """Return how many visits of a kind could start together at a feasible tick."""
        found = self._findings.setdefault(kind, Findings())
        count = found.remaining.get(start)
        if count is None:
            by_count = self._counting.of(kind)
            visit = self.compiled.candidate_visit(kind, start)
            if by_count.exact >> start & 1:
                count = by_count.remaining(start)
            elif not kind.agents_needed and found.untouched >> start & 1:
                count = visit.counters.bit_count()
            else:
                count, undecided = self._around(self._touched(visit.start, visit.until)).remaining(visit)
                self.undecided += undecided
            found.remaining[start] = count
        return count

    def seat(self, kind: Kind, start: int) -> tuple[Seat, dict[str, Seat]] | None:
        """Return a seat for a visit of a kind at a tick, and the new seats of those who move; None = not feasible."""
        if not self.findings(kind, start, start + 1).feasible >> start & 1:
            return None
        visit = self.compiled.candidate_visit(kind, start)
        found = self._around(self._touched(visit.start, visit.until)).seat(visit, self._by_loss(visit))
        if found is None:
            return None
        seats = dict(found.seats)
        new = seats.pop(visit.id)
        # Against where they stand, not against the witness: that is what has to be written.
        visits = (v for at in self._touched(visit.start, visit.until) for v in self._visits(at))
        stood = {v.id: Seat(v.counter, v.served_by) for v in visits if v.counter is not None}
        return new, {name: seat for name, seat in seats.items() if stood.get(name) != seat}

    def _by_loss(self, visit: Visit) -> list[int]:
        """Return the counters free for a visit, first those that later visits miss least: least flexible, tightest."""
        span = ticks.interval(visit.start, visit.until)

        def loss(counter: int) -> tuple[int, int, int]:
            begin, end = ticks.run_around(self.compiled.room(counter) & ~self._counter_busy[counter], visit.start)
            return self.compiled.flexibility(counter), end - begin, counter

        return sorted((c for c in ticks.members(visit.counters) if not self._counter_busy[c] & span), key=loss)

    # Placing

    def _touched(self, begin: int, end: int) -> range:
        """Return which components `[begin, end)` touches."""
        low = bisect_right(self._components.ends, begin)
        return range(low, max(low, bisect_left(self._components.begins, end)))

    def _place(self, which: range) -> None:
        """Place the components of a range that are not yet, and mark what their seats occupy."""
        fresh = [at for at in which if not self._stays[at] and at not in self._placements]
        for at in fresh:
            placement = assignment.place(self._problem(self._visits(at)), budget=self.budget)
            self.undecided += placement.undecided
            self._placements[at] = placement
        self._occupy(fresh)

    def _occupy(self, fresh: Iterable[int]) -> None:
        for at in fresh:
            self.derived.clear()
            seats = self._placements[at].seats
            for visit in self._visits(at):
                seat = seats.get(visit.id)
                if seat is None:
                    continue
                span = ticks.interval(visit.start, visit.until)
                self._counter_busy[seat.counter] |= span
                for agent in ticks.members(seat.agents):
                    self._agent_busy[agent] |= span

    def _visits(self, at: int) -> list[Visit]:
        """Return the visits of a component in list order."""
        return self.compiled.live.visits(self.compiled, self._components.rows(at))

    def _seats(self, at: int) -> dict[str, Seat]:
        """Return the seats of a component that is placed."""
        if at in self._placements:
            return self._placements[at].seats
        return {v.id: Seat(v.counter, v.served_by) for v in self._visits(at) if v.counter is not None}

    def _problem(self, visits: Sequence[Visit]) -> Problem:
        return Problem(
            visits=tuple(visits),
            counter_count=len(self._counter_busy),
            agent_count=len(self._agent_busy),
            agent_counters=self.compiled.agent_counters,
            agent_flexibility=self.compiled.agent_flexibility,
        )

    def _around(self, which: range) -> Placed:
        """Return the placed visits of a range of components as one problem, the stranded ones left out."""
        found = self._joined.pop(which, None)
        if found is None:
            self._place(which)
            visits: list[Visit] = []
            for at in which:
                visits += self._seated(at)
            seats = {v.id: Seat(v.counter, v.served_by) for v in visits if v.counter is not None}
            base = max(self._components.begins[which.start] - self.compiled.longest, 0) if which else 0
            placement = Placement(seats=seats, stranded=())
            found = Placed(self._problem(visits), placement, base=base, budget=self.budget)
        self._joined[which] = found
        if len(self._joined) > JOINED_KEPT:
            self._joined.popitem(last=False)
        return found

    def _seated(self, at: int) -> list[Visit]:
        """Return the visits of a placed component that have a seat, as if they stood there."""
        visits = self._visits(at)
        if at not in self._placements:
            return visits
        seats = self._placements[at].seats
        return [replace(v, counter=seats[v.id].counter, served_by=seats[v.id].agents) for v in visits if v.id in seats]

    # Deciding

    def _decide(self, kind: Kind, found: Findings, begin: int, end: int, window: int) -> None:
        self._place(self._touched(begin, end + kind.span))
        anywhere, free, blocked = self._seen(kind, window)
        open_ = anywhere & ~free
        by_counting = 0
        if open_:
            by_count = self._counting.of(kind)
            by_counting = open_ & by_count.feasible
            self.settled["count"] += (open_ & (by_count.exact | by_count.out)).bit_count()
            open_ &= ~(by_count.exact | by_count.out)
        self.settled["witness"] += free.bit_count()
        asked = self._ask(kind, ticks.members(open_))
        found.decided |= window
        found.feasible |= free | by_counting | asked
        found.untouched |= window & ~blocked

    def _seen(self, kind: Kind, window: int) -> tuple[int, int, int]:
        """Return the candidate starts in a window, the free ones, and those at which some candidate counter is not."""
        witness = self._witness(kind, ticks.lowest(window), window.bit_length())
        bound = self.compiled.agent_counters is not None
        anywhere, free, blocked = 0, 0, 0
        within = witness.cut(window)
        for counter, starts in self.compiled.candidates(kind):
            if here := witness.cut(starts) & within:
                now = here & witness.free(counter)
                anywhere |= here
                blocked |= here & ~now
                free |= now & witness.served(counter) if bound else now
        if not bound:
            pinned = witness.cut(self._pinned)
            # Where nobody is pinned all this is among what is free by class, unless somebody needs several agents.
            free = free & witness.served(0) if pinned or kind.agents_needed > 1 else 0
            free |= within & witness.free_by_class() & ~ticks.dilate(pinned, kind.span)
        return witness.uncut(anywhere), witness.uncut(free), witness.uncut(blocked)

    def _witness(self, kind: Kind, low: int, high: int) -> Witness:
        return Witness(self.compiled, (self._counter_busy, self._agent_busy), kind, low, high)

    @cached_property
    def _pinned(self) -> int:
        """The ticks of components in which somebody keeps their seat."""
        movable = self._components.all_of(~self.compiled.live.columns.pinned)
        return ticks.mask(self._components.intervals(~movable), self.compiled.horizon.length)

    def _ask(self, kind: Kind, starts: Sequence[int]) -> int:
        """Return which of the starts can be had by rearranging the components they touch."""
        visits = [self.compiled.candidate_visit(kind, start) for start in starts]
        hopeful = [v for v in visits if v.agents.bit_count() >= v.agents_needed]
        feasible: list[int] = []
        for which, group in self._clusters(hopeful):
            verdicts = self._around(which).feasible(group)
            self.undecided += verdicts.undecided
            self.settled += verdicts.settled
            feasible.extend(visit.start for visit in group if visit.id in verdicts.fits)
        return ticks.points(feasible, self.compiled.horizon.length)

    def _clusters(self, visits: Sequence[Visit]) -> list[tuple[range, list[Visit]]]:
        """Group visits, in order of start, that touch common components; each with the range of these."""
        clusters: list[tuple[range, list[Visit]]] = []
        for visit in visits:
            touched = self._touched(visit.start, visit.until)
            if clusters and touched.start < clusters[-1][0].stop:
                before, group = clusters[-1]
                group.append(visit)
                clusters[-1] = (range(before.start, max(before.stop, touched.stop)), group)
            else:
                clusters.append((touched, [visit]))
        return clusters
