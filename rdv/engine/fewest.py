"""The fewest counters that can serve fixed-time visits, each of which may sit at some of the counters.

The question is known as the shift minimisation personnel task scheduling problem, with workers for counters and tasks
for visits. It is asked when counters can be closed: how many are enough for what is booked?

The answer comes from both sides, and stops when they meet:

1. *greedily* (`ejection.py`): seats for everybody, and the *peak*, the most visits at one moment, as a first bound;
2. *apart* (`fewest_solver.py`): visits that can never share a counter need one each;
3. *ejections* (`ejection.py`): close one counter after another until as few are left as the bound demands;
4. *solver* (`fewest_solver.py`): if steps ran out before that, CP-SAT looks for the fewest and proves it.

The same problem, seed and limits give the same answer, unless `stop` cuts it short.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rdv.engine.ejection import Ejections
from rdv.engine.fewest_solver import apart, seat_at_fewest
from rdv.engine.solver import Infeasible, Undecided, moments_of
from rdv.engine.visits import Problem, Seat


@dataclass(frozen=True, slots=True, kw_only=True)
class Fewest:
    """Seats for all visits; no fewer than `bound` counters would do.

    `apart`: visits (ids) of which no two can share a counter. They prove the bound when there are as many of them; a
    larger bound was proven by the solver.
    """

    seats: dict[str, Seat]
    bound: int
    apart: tuple[str, ...]

    @property
    def used(self) -> int:
        """How many counters somebody sits at."""
        return len({seat.counter for seat in self.seats.values()})

    @property
    def proven(self) -> bool:
        """Whether it is certain that fewer counters would not do."""
        return self.used == self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much work may be done: steps of the ejections, deterministic seconds of each use of the solver."""

    steps: int = 100_000
    solver_seconds: float = 10.0


def fewest(
    problem: Problem, *, limits: Limits | None = None, seed: int = 0, stop: Callable[[], bool] = lambda: False
) -> Fewest | Infeasible | Undecided:
    """Seat every visit at as few counters as can be found, wherever they stand now.

    `stop` is asked between steps and before each use of the solver. Infeasible: it is certain that not everybody can
    sit, at however many counters. Undecided: no seats for everybody were found. Raises ValueError for visits that need
    agents, of whom this question knows nothing.
    """
    limits = limits or Limits()
    if any(visit.agents_needed for visit in problem.visits):
        raise ValueError("the fewest counters are known for visits without agents only")
    if not all(visit.counters for visit in problem.visits):
        return Infeasible()
    search = Ejections(problem, seed=seed)
    seats = None if search.waiting else search.seats()
    proof = max(([visit.id for visit in live] for live in moments_of(problem.visits)), key=len, default=[])
    met = seats is not None and search.used == len(proof)
    if not met and not stop():
        proof = max(proof, list(apart(problem.visits, seconds=limits.solver_seconds)), key=len)
    if len(proof) > problem.counter_count:
        return Infeasible()
    seats = _descend(search, seats, len(proof), limits.steps, stop)
    bound = len(proof)
    if (seats is None or _used(seats) > bound) and not stop():
        match seat_at_fewest(problem, at_least=bound, seconds=limits.solver_seconds):
            case Infeasible():
                return Infeasible()
            case dict() as best:
                seats, bound = best, _used(best)
            case Undecided():
                pass
    return Undecided() if seats is None else Fewest(seats=seats, bound=bound, apart=tuple(proof))


def _descend(
    search: Ejections, seats: dict[str, Seat] | None, bound: int, steps: int, stop: Callable[[], bool]
) -> dict[str, Seat] | None:
    """Return the seats at the fewest counters that the search comes to, None when it never seats everybody."""
    while True:
        steps = search.run(steps, stop)
        if search.waiting:
            return seats
        seats = search.seats()
        if search.used <= bound:
            return seats
        search.close()


def _used(seats: dict[str, Seat]) -> int:
    return len({seat.counter for seat in seats.values()})
