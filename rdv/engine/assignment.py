"""Questions about one assignment problem, answered exactly: who sits where, does one more fit, how many more.

Each question goes through the same stages and stops at the first that settles it:

1. *count* (`bounds.py`): more visits than counters or agents, or a case in which counting is all there is to it;
2. *bound* (`chains.py`): Hall's condition for every set of counters or agents says that it cannot be;
3. *repair* (`repair.py`, then `ejection.py`): a free seat, or room made by moving others;
4. *solver* (`solver.py`): CP-SAT decides; only here can a budget run out, which counts as "does not fit" and is
   reported as undecided.

Where no agent is bound to a counter, who sits where and who serves whom are independent: a visit fits if there is room
for it among the counters, and among the agents. Each of these *halves* is a problem of its own in which an agent is a
counter and a visit served by two agents is two visits.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from rdv.engine import repair
from rdv.engine.bounds import Loads
from rdv.engine.chains import Chains
from rdv.engine.classes import Classes
from rdv.engine.ejection import Ejections
from rdv.engine.seating import Seating, bits
from rdv.engine.stranding import place_alike
from rdv.engine.visits import Placement, Problem, Seat, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much work one question may take: steps of chains and of ejections, deterministic seconds of the solver.

    `placing_steps` are those for each visit that cannot stay where it stands: of an over-full office many cannot.
    """

    repair_steps: int = 400
    ejections: int = 1_000
    placing_steps: int = 400
    solver_seconds: float = 4.0


DEFAULT = Budget()


@dataclass(slots=True)
class Verdicts:
    """Which of the candidates fit (by id), for how many that was not found out, and how many each stage settled."""

    fits: set[str] = field(default_factory=set)
    undecided: int = 0
    settled: Counter[str] = field(default_factory=Counter)


def place(problem: Problem, *, budget: Budget = DEFAULT) -> Placement:
    """Return a seat for every visit, keeping present ones where it can; if not all fit, the newest are stranded.

    A smallest set is stranded; among the smallest, the one whose last member comes latest in the list, and so on.
    """
    seating = Seating(problem)
    # Who could not even sit there alone is in every such set.
    lost = {v.id for v in problem.visits if not any(seating.agents_for(v, c) is not None for c in bits(v.counters))}
    placement = _placed(_without(problem, lost) if lost else problem, budget)
    if not lost:
        return placement
    lost.update(placement.stranded)
    return replace(placement, stranded=tuple(v.id for v in problem.visits if v.id in lost))


def _placed(problem: Problem, budget: Budget) -> Placement:
    seats = _staying(problem, budget)
    if seats is not None:
        return Placement(seats=seats, stranded=())
    placement = place_alike(problem)
    if placement is None:
        from rdv.engine import solver  # noqa: PLC0415 - OR-Tools takes long to load and is rarely needed

        placement = solver.place(problem, seconds=budget.solver_seconds)
    # Who is stranded is settled; of the others as many as can stay where they stand.
    seats = _staying(_without(problem, set(placement.stranded)), budget)
    return placement if seats is None else replace(placement, seats=seats)


def _staying(problem: Problem, budget: Budget) -> dict[str, Seat] | None:
    """Seat everybody, present seats first, the others where repair finds room; None when it does not for all."""
    seating = Seating(problem)
    waiting = []
    for visit in sorted(problem.visits, key=lambda v: v.counters.bit_count()):
        seat = Seat(visit.counter, visit.served_by) if visit.counter is not None else None
        if seat is not None and seating.fits(visit, seat):
            seating.take(visit, seat)
        else:
            waiting.append(visit)
    steps = repair.Steps(budget.placing_steps * (len(waiting) + 1))
    return dict(seating.seats) if all(_seated(seating, visit, steps) for visit in waiting) else None


def _without(problem: Problem, gone: set[str]) -> Problem:
    return replace(problem, visits=tuple(visit for visit in problem.visits if visit.id not in gone))


class Placed:
    """A problem whose visits all have seats: questions about one more leave it as it was.

    `base`: a tick no question begins before. What is made on first use, the seating and the loads, serves them all.
    """

    def __init__(self, problem: Problem, placement: Placement, *, base: int, budget: Budget = DEFAULT) -> None:
        self.problem = problem
        self.placement = placement
        self.base = base
        self.budget = budget
        self._by_class: list[Classes] = []

    @cached_property
    def _loads(self) -> Loads:
        return Loads(self.problem)

    @cached_property
    def _chains(self) -> Chains:
        return Chains(self.problem, self.placement.seats)

    @cached_property
    def _seating(self) -> Seating:
        seating = Seating(self.problem, self.base)
        for visit in self.problem.visits:
            seating.take(visit, self.placement.seats[visit.id])
        return seating

    @contextmanager
    def _trying(self) -> Iterator[Seating]:
        """Give the seating away and put everybody back afterwards."""
        mark = self._seating.mark()
        try:
            yield self._seating
        finally:
            self._seating.undo(mark)

    @cached_property
    def _halves(self) -> "tuple[Placed, Placed] | None":
        """Counters and agents by themselves, None where the two are one question."""
        visits, seats = self.problem.visits, self.placement.seats
        if self.problem.agent_counters is not None or not any(visit.agents_needed for visit in visits):
            return None
        units = [(_unit(v, agent), agent) for v in visits for agent in bits(seats[v.id].agents)]
        of_counters = {visit.id: Seat(seats[visit.id].counter) for visit in visits}
        of_agents = {unit.id: Seat(agent) for unit, agent in units}
        return (
            self._half(map(_unserved, visits), of_counters, self.problem.counter_count),
            self._half((unit for unit, _ in units), of_agents, self.problem.agent_count),
        )

    def _half(self, visits: Iterable[Visit], seats: dict[str, Seat], count: int) -> "Placed":
        problem = Problem(visits=tuple(visits), counter_count=count)
        return Placed(problem, Placement(seats=seats, stranded=()), base=self.base, budget=self.budget)

    def feasible(self, visits: Sequence[Visit]) -> Verdicts:
        """Return which of the visits could be added, each alone."""
        halves = self._halves
        if halves is None or any(visit.agents_needed > 1 for visit in visits):
            return self.feasible_jointly(visits)
        counters, agents = halves
        verdicts = counters.feasible_jointly([_unserved(visit) for visit in visits])
        asked = [_unit(visit) for visit in visits if visit.agents_needed and visit.id in verdicts.fits]
        if asked:
            served = agents.feasible_jointly(asked)
            verdicts.fits -= {visit.id for visit in asked} - served.fits
            verdicts.undecided += served.undecided
            verdicts.settled += served.settled
        return verdicts

    def feasible_jointly(self, visits: Sequence[Visit]) -> Verdicts:
        """Answer `feasible` with counters and agents as one question."""
        verdicts = Verdicts()
        open_ = []
        for visit in visits:
            stage, fits = self._by_classes(visit) if self._is_unstaffed(visit) else self._by_seats(visit)
            verdicts.settled[stage] += 1
            if fits:
                verdicts.fits.add(visit.id)
            elif stage == "solver":
                open_.append(visit)
        if open_:
            from rdv.engine import solver  # noqa: PLC0415 - see _placed

            fit, verdicts.undecided = solver.which_fit(self.problem, open_, seconds=self.budget.solver_seconds)
            verdicts.fits |= fit
        return verdicts

    def _by_classes(self, visit: Visit) -> tuple[str, bool]:
        """Return the stage that settles whether a visit fits, and what it says; none does when it is the solver's."""
        classes = self._classes(visit)
        if not classes.at_most(visit):
            return "bound", False
        if classes.has_room(visit):
            return "count", True
        if classes.make_room(visit, self.budget.repair_steps) or self._by_ejecting(visit):
            return "repair", True
        return "solver", False

    def _by_seats(self, visit: Visit) -> tuple[str, bool]:
        """Answer `_by_classes` where agents are needed."""
        if not self._loads.at_most(visit):
            return "count", False
        if self._loads.is_exact(visit):
            return "count", True
        if not self._unbound(visit) or not self._chains.may_fit(visit):
            return "bound", False
        return ("repair", True) if self._seated([visit]) else ("solver", False)

    def remaining(self, visit: Visit) -> tuple[int, int]:
        """Return how many visits like a feasible one are known to fit together, and how many more are undecided."""
        halves = self._halves
        if halves is None:
            return self.remaining_jointly(visit, known=1)
        count, undecided = halves[0].remaining_jointly(_unserved(visit), known=1)
        if count > 1 and visit.agents_needed:
            served, unsure = halves[1].remaining_jointly(_unit(visit), known=visit.agents_needed)
            count = min(count, served // visit.agents_needed)
            undecided += unsure
        return count, undecided

    def remaining_jointly(self, visit: Visit, *, known: int) -> tuple[int, int]:
        """Answer `remaining` with counters and agents as one question; `known` of the visits certainly fit."""
        if self._is_unstaffed(visit):
            classes = self._classes(visit)
            most = classes.at_most(visit)
            count = max(classes.copies(visit, most, self.budget.repair_steps), known)
        else:
            most = self._loads.at_most(visit)
            if most <= known or self._loads.is_exact(visit):
                return most, 0
            most = min(most, self._chains.most_copies(visit), self._unbound(visit))
            count = known if most <= known else max(self._seated(_copies(visit, most)), known)
        if count >= most:
            return count, 0
        from rdv.engine import solver  # noqa: PLC0415 - see _placed

        copies = _copies(visit, most)
        return solver.most_copies(self.problem, copies, at_least=count, seconds=self.budget.solver_seconds)

    def _is_unstaffed(self, visit: Visit) -> bool:
        """Tell whether a visit, and whoever else is there, need no agents, so that only classes of counters matter."""
        return self._nobody_served and not visit.agents_needed

    @cached_property
    def _nobody_served(self) -> bool:
        return not any(visit.agents_needed for visit in self.problem.visits)

    def _classes(self, visit: Visit) -> Classes:
        """Return the problem by classes of counters, none of which a visit tells apart."""
        for known in self._by_class:
            if known.tells_apart(visit.counters):
                return known
        self._by_class.append(Classes(self.problem, self.placement.seats, base=self.base, asked=visit.counters))
        return self._by_class[-1]

    def _unbound(self, visit: Visit) -> int:
        """Return at how many counters of a visit nobody is bound to sit meanwhile: on frozen days everybody is."""
        bound = 0
        for one in self.problem.visits:
            if one.start < visit.until and visit.start < one.until and one.counters.bit_count() == 1:
                bound |= one.counters
        return (visit.counters & ~bound).bit_count()

    def _seated(self, visits: Sequence[Visit]) -> int:
        """Return how many of the visits, one after another, find a seat."""
        steps = repair.Steps(self.budget.repair_steps)
        with self._trying() as seating:
            return next((n for n, visit in enumerate(visits) if not _seated(seating, visit, steps)), len(visits))

    def _by_ejecting(self, visit: Visit) -> dict[str, Seat] | None:
        """Return seats for all and one more by a longer search, which goes through plans in which somebody waits.

        It is for visits without agents.
        """
        if not self._is_unstaffed(visit):
            return None
        problem = replace(self.problem, visits=(*self.problem.visits, visit))
        search = Ejections(problem, seed=0, seats=self.placement.seats)
        search.run(self.budget.ejections, stop=lambda: False)
        return None if search.waiting else search.seats()

    def seat(self, visit: Visit, order: Sequence[int]) -> Placement | None:
        """Return seats for all and one more; nobody moves when a counter of the order, tried in turn, is free.

        None when it does not fit.
        """
        with self._trying() as seating:
            steps = repair.Steps(self.budget.repair_steps)
            if repair.seat_directly(seating, visit, order) or _seated(seating, visit, steps):
                return Placement(seats=dict(seating.seats), stranded=())
        if (seats := self._by_ejecting(visit)) is not None:
            return Placement(seats=seats, stranded=())
        from rdv.engine import solver  # noqa: PLC0415 - see _placed

        return solver.seat(self.problem, visit, seconds=self.budget.solver_seconds)


def _seated(seating: Seating, visit: Visit, steps: repair.Steps) -> bool:
    return repair.seat_directly(seating, visit) or repair.seat_by_moving(seating, visit, steps)


def _copies(visit: Visit, count: int) -> list[Visit]:
    return [replace(visit, id=f"{visit.id}\0{number}") for number in range(count)]


def _unserved(visit: Visit) -> Visit:
    """Return a visit that needs no agents."""
    return replace(visit, agents=0, agents_needed=0, must_agents=0, served_by=0)


def _unit(visit: Visit, agent: int | None = None) -> Visit:
    """Return what a visit is to one of its agents, as a visit that sits at agents; `agent`: who serves it now."""
    kept = agent is not None and visit.must_agents >> agent & 1
    return Visit(
        id=visit.id if agent is None else f"{visit.id}\0{agent}",
        start=visit.start,
        until=visit.until,
        counters=1 << agent if agent is not None and kept else visit.agents,
        counter=agent,
    )
