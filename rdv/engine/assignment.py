"""Questions about one assignment problem, answered exactly: who sits where, does one more fit, how many more.

Where no agent is bound to a counter, who sits where and who serves whom are independent: a visit fits if there is room
for it among the counters, and among the agents. Each of these *halves* (`half.py`) is a problem of its own in which an
agent is a counter and a visit served by two agents is two visits.

Where agents are bound to counters it is one question, which goes through stages and stops at the first that settles it:

1. *bound* (`chains.py`): Hall's condition for every set of counters or agents says that it cannot be;
2. *repair* (`repair.py`): a free seat, or room made by moving others;
3. *solver* (`solver.py`): CP-SAT decides; only here can a budget run out, which counts as "does not fit" and is
   reported as undecided.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from rdv.engine import repair
from rdv.engine.budget import COUNTING, DEFAULT, Budget, Purse
from rdv.engine.chains import Chains
from rdv.engine.half import Half
from rdv.engine.seating import Seating, bits
from rdv.engine.visits import Placement, Problem, Seat, Visit, unit_of

STAGES = ("count", "bound", "repair", "solver")


@dataclass(slots=True)
class Verdicts:
    """Which of the candidates fit (by id), for how many that was not found out, and how many each stage settled."""

    fits: set[str] = field(default_factory=set)
    undecided: int = 0
    settled: Counter[str] = field(default_factory=Counter)

    def add(self, visit: Visit, verdict: tuple[str, bool | None]) -> None:
        """Note the stage that settled whether a visit fits, and its answer; None: it was not found out."""
        stage, fits = verdict
        self.settled[stage] += 1
        if fits:
            self.fits.add(visit.id)
        self.undecided += fits is None


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
    from rdv.engine import solver, stranding  # noqa: PLC0415 - OR-Tools takes long to load and is rarely needed

    if problem.agent_counters is None or not any(visit.agents_needed for visit in problem.visits):
        return stranding.place(problem, seconds=budget.solver_seconds) or solver.greedily(problem)
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
    steps = repair.Steps(budget.placing_steps)
    return dict(seating.seats) if all(_seated(seating, visit, steps) for visit in waiting) else None


def _without(problem: Problem, gone: set[str]) -> Problem:
    return replace(problem, visits=tuple(visit for visit in problem.visits if visit.id not in gone))


class Placed:
    """A problem whose visits all have seats: questions about one more leave it as it was.

    `base`: a tick no question begins before. What is made on first use serves them all.
    """

    def __init__(self, problem: Problem, placement: Placement, *, base: int, budget: Budget = DEFAULT) -> None:
        self.problem = problem
        self.placement = placement
        self.base = base
        self.budget = budget

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
    def _of_counters(self) -> Half:
        sits = {name: seat.counter for name, seat in self.placement.seats.items()}
        return Half(self.problem.visits, sits, self.problem.counter_count, base=self.base, budget=self.budget)

    @cached_property
    def _of_agents(self) -> Half:
        seats = self.placement.seats
        served = [(unit_of(v, agent), agent) for v in self.problem.visits for agent in bits(seats[v.id].agents)]
        units, serves = [unit for unit, _ in served], {unit.id: agent for unit, agent in served}
        return Half(units, serves, self.problem.agent_count, base=self.base, budget=self.budget)

    def _has_halves(self, visit: Visit) -> bool:
        """Tell whether who sits where and who serves whom are two questions, for all visits and another one."""
        return self.problem.agent_counters is None or not (visit.agents_needed or self._somebody_served)

    @cached_property
    def _somebody_served(self) -> bool:
        return any(visit.agents_needed for visit in self.problem.visits)

    def feasible(self, visits: Sequence[Visit]) -> Verdicts:
        """Return which of the visits could be added, each alone."""
        verdicts = Verdicts()
        purse = Purse(self.budget.solver_seconds)
        left = []
        for visit in visits:
            if self._has_halves(visit):
                verdicts.add(visit, self._in_halves(visit, purse))
            elif (verdict := self._jointly(visit))[1] is None:
                left.append(visit)
                verdicts.settled[verdict[0]] += 1
            else:
                verdicts.add(visit, verdict)
        if left:
            from rdv.engine import solver  # noqa: PLC0415 - see _placed

            fit, undecided = solver.which_fit(self.problem, left, seconds=self.budget.solver_seconds)
            verdicts.fits |= fit
            verdicts.undecided += undecided
        return verdicts

    def _in_halves(self, visit: Visit, purse: Purse) -> tuple[str, bool | None]:
        """Return the last stage that had to be asked whether a visit fits, and its answer; None: not found out."""
        stage, fits = self._of_counters.fits(visit, purse)
        if fits is False or not visit.agents_needed:
            return stage, fits
        served_stage, served = self._of_agents.fits(unit_of(visit), purse, visit.agents_needed)
        if served is not True:
            return served_stage, served
        return max(stage, served_stage, key=STAGES.index), fits

    def _jointly(self, visit: Visit) -> tuple[str, bool | None]:
        """Answer `_in_halves` where agents are bound to counters; None: for the solver to find out."""
        if not self._unbound(visit) or not self._chains.may_fit(visit):
            return "bound", False
        return ("repair", True) if self._seated([visit]) else ("solver", None)

    def remaining(self, visit: Visit) -> tuple[int, int]:
        """Return how many visits like a feasible one are known to fit together, and how many more are undecided."""
        if not self._has_halves(visit):
            return self._remaining_jointly(visit)
        purse = Purse(self.budget.solver_seconds * COUNTING)
        count, undecided = self._of_counters.most(visit, purse)
        at_most = count + undecided
        if visit.agents_needed and at_most > 1:
            served, unsure = self._of_agents.most(unit_of(visit), purse)
            count = min(count, served // visit.agents_needed)
            at_most = min(at_most, (served + unsure) // visit.agents_needed)
        count = max(count, 1)
        return count, max(at_most - count, 0)

    def _remaining_jointly(self, visit: Visit) -> tuple[int, int]:
        most = min(self._chains.most_copies(visit), self._unbound(visit))
        copies = _copies(visit, most)
        count = 1 if most <= 1 else max(self._seated(copies), 1)
        if count >= most:
            return count, 0
        from rdv.engine import solver  # noqa: PLC0415 - see _placed

        return solver.most_copies(self.problem, copies, at_least=count, seconds=self.budget.solver_seconds)

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

    def seat(self, visit: Visit, order: Sequence[int]) -> Placement | None:
        """Return seats for all and one more; nobody moves when a counter of the order, tried in turn, is free.

        None when it does not fit.
        """
        with self._trying() as seating:
            steps = repair.Steps(self.budget.repair_steps)
            if repair.seat_directly(seating, visit, order) or _seated(seating, visit, steps):
                return Placement(seats=dict(seating.seats), stranded=())
        if self._has_halves(visit):
            return self._seat_in_halves(visit)
        from rdv.engine import solver  # noqa: PLC0415 - see _placed

        return solver.seat(self.problem, visit, seconds=self.budget.solver_seconds)

    def _seat_in_halves(self, visit: Visit) -> Placement | None:
        """Find seats where moving some others, one after another, does not do: more may move than would have to."""
        purse = Purse(self.budget.solver_seconds)
        counters = self._of_counters.seats([visit], purse)
        if counters is None:
            return None
        serving = {one.id: self.placement.seats[one.id].agents for one in self.problem.visits} | {visit.id: 0}
        if visit.agents_needed:
            units = [replace(unit_of(visit), id=f"{visit.id}\0{number}") for number in range(visit.agents_needed)]
            served = self._of_agents.seats(units, purse)
            if served is None:
                return None
            serving = dict.fromkeys(serving, 0)
            for name, agent in served.items():
                serving[name.rpartition("\0")[0]] |= 1 << agent
        return Placement(seats={name: Seat(at, serving[name]) for name, at in counters.items()}, stranded=())


def _seated(seating: Seating, visit: Visit, steps: repair.Steps) -> bool:
    return repair.seat_directly(seating, visit) or repair.seat_by_moving(seating, visit, steps)


def _copies(visit: Visit, count: int) -> list[Visit]:
    return [replace(visit, id=f"{visit.id}\0{number}") for number in range(count)]
