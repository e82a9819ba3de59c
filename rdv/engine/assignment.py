"""Questions about one assignment problem, answered exactly: who sits where, does one more fit, how many more.

Each question goes through the same stages and stops at the first that settles it:

1. *as it stands*: the seats that the visits have, where they are allowed and free;
2. *repair* (`repair.py`): a free seat, or room made by moving others along a chain;
3. *bound* (`bounds.py`): Hall's condition says that it cannot be;
4. *solver* (`solver.py`): CP-SAT decides; only here can a budget run out, which counts as "does not fit" and is
   reported as undecided.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rdv.engine import bounds, repair
from rdv.engine.seating import Seating
from rdv.engine.visits import Placement, Problem, Seat, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much work one question may take: chain steps of the repair, deterministic seconds of the solver."""

    repair_steps: int = 300
    solver_seconds: float = 4.0


DEFAULT = Budget()


@dataclass(slots=True)
class Verdicts:
    """Which of the candidates fit (by id), and for how many that was not found out."""

    fits: set[str] = field(default_factory=set)
    undecided: int = 0


def place(problem: Problem, *, budget: Budget = DEFAULT) -> Placement:
    """Return a seat for every visit, keeping present ones where it can; if not all fit, the newest are stranded.

    A smallest set is stranded; among the smallest, the one whose last member comes latest in the list, and so on.
    """
    seating = Seating(problem, problem.visits)
    waiting = []
    for visit in sorted(problem.visits, key=lambda v: v.counters.bit_count()):
        seat = Seat(visit.counter, visit.served_by) if visit.counter is not None else None
        if seat is not None and seating.fits(visit, seat):
            seating.take(visit, seat)
        else:
            waiting.append(visit)
    steps = repair.Steps(budget.repair_steps * (len(waiting) + 1))
    if all(_seated(seating, visit, steps) for visit in waiting):
        return Placement(seats=dict(seating.seats), stranded=())
    from rdv.engine import solver  # noqa: PLC0415 - OR-Tools takes long to load and is rarely needed

    return solver.place(problem, seconds=budget.solver_seconds)


def feasible(problem: Problem, placement: Placement, visits: Sequence[Visit], *, budget: Budget = DEFAULT) -> Verdicts:
    """Return which of the visits could be added, each alone, to a problem whose visits are all placed."""
    verdicts = Verdicts()
    asked = []
    for visit in visits:
        seating = _as_placed(problem, placement, visit)
        if _seated(seating, visit, repair.Steps(budget.repair_steps)):
            verdicts.fits.add(visit.id)
        elif bounds.may_fit(problem.visits, [visit]):
            asked.append(visit)
    if asked:
        from rdv.engine import solver  # noqa: PLC0415 - see place

        fits, undecided = solver.which_fit(problem, asked, seconds=budget.solver_seconds)
        verdicts.fits |= fits
        verdicts.undecided = undecided
    return verdicts


def remaining(problem: Problem, placement: Placement, visit: Visit, *, budget: Budget = DEFAULT) -> int:
    """Return how many such visits could be added together."""
    most = bounds.most_copies(problem.visits, visit)
    if visit.agents_needed:
        most = min(most, visit.agents.bit_count() // visit.agents_needed)
    seating = _as_placed(problem, placement, visit)
    steps = repair.Steps(budget.repair_steps)
    count = 0
    while count < most and _seated(seating, replace(visit, id=f"{visit.id}\0{count}"), steps):
        count += 1
    if count == most:
        return count
    from rdv.engine import solver  # noqa: PLC0415 - see place

    return solver.most_copies(problem, visit, at_least=count, at_most=most, seconds=budget.solver_seconds)


def seat(
    problem: Problem, placement: Placement, visit: Visit, order: Sequence[int], *, budget: Budget = DEFAULT
) -> Placement | None:
    """Return seats for all the visits and one more; nobody moves when a counter of the order, tried in turn, is free.

    None when it does not fit.
    """
    seating = _as_placed(problem, placement, visit)
    if repair.seat_directly(seating, visit, order) or _seated(seating, visit, repair.Steps(budget.repair_steps)):
        return Placement(seats=dict(seating.seats), stranded=())
    from rdv.engine import solver  # noqa: PLC0415 - see place

    return solver.seat(problem, visit, seconds=budget.solver_seconds)


def _seated(seating: Seating, visit: Visit, steps: repair.Steps) -> bool:
    return repair.seat_directly(seating, visit) or repair.seat_by_moving(seating, visit, steps)


def _as_placed(problem: Problem, placement: Placement, extra: Visit) -> Seating:
    seating = Seating(problem, [*problem.visits, extra])
    for visit in problem.visits:
        seating.take(visit, placement.seats[visit.id])
    return seating
