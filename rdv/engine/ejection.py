"""Seating visits for whom there seems to be no room, by ejecting whoever is in the way, again and again.

It looks for the same visits at one counter less (`fewest.py`). For one visit more at all counters there is a search of
the same kind that knows no single counters (`classes.py`).

Only some counters are *opened*. Visits that have no seat *wait*; every visit has a *weight*, 1 at first.

1. *Close* the opened counter whose visits weigh least; they wait.
2. *Eject*: somebody who waits (drawn by lot) sits down where those in the way weigh least, and they wait instead. Or a
   closed counter is opened for them and, in exchange, the opened one whose visits weigh least is closed, where that
   costs no more. Whoever could not sit without ejecting weighs one more from now on, so that those who are hard to seat
   are left in peace, and the search does not go round in circles; who was ejected from a counter does not come back at
   once.
3. When nobody waits, the seats are kept, and 1 follows.

This is the search of Nagata and Bräysy (2009) for the fewest vehicles of tours with time windows, with counters for
vehicles. It proves nothing: whether fewer would do is for others to say (`fewest_solver.py`).

Example: A takes r1 and r2, B and C only r1; at 09:00 an r1 sits on A, another on B. C is closed. An r2 waits: it ejects
the r1 from A, which weighs 1; that one waits, but only B is left, where an r1 sits. It could eject that one, for ever.
Opening C in exchange for A would eject the r2, which weighs 2 by now. So it goes on until the steps run out.
"""

from collections.abc import Callable, Sequence
from random import Random

from rdv.engine.seating import bits
from rdv.engine.ticks import members
from rdv.engine.visits import Problem, Seat

NOWHERE = -1
SHORTEST_BAN, LONGEST_BAN = 5, 15  # steps in which a visit does not come back to where it was ejected


class Ejections:
    """Seats of a problem's visits, which are known here by their place in the list; see the module."""

    def __init__(self, problem: Problem, *, seed: int) -> None:
        """Seat visits in order of their beginnings at the counters opened so far, opening one where there is no room.

        Where some wait even so, every counter is opened. Each visit has a counter it may sit at.
        """
        self.problem = problem
        self.waiting: list[int] = []
        self._random = Random(seed)  # noqa: S311 - decides ties, guards nothing
        visits = problem.visits
        self._may_sit = [list(bits(visit.counters)) for visit in visits]
        self._clashing = _clashing(problem)
        self._weight = [1] * len(visits)
        self._counter = [NOWHERE] * len(visits)
        self._at = [0] * problem.counter_count  # who sits there, as a set of visits
        self._opened = [False] * problem.counter_count
        self._banned: dict[tuple[int, int], int] = {}
        self._step = 0
        self._seat_greedily()

    @property
    def used(self) -> int:
        """How many counters somebody sits at."""
        return sum(map(bool, self._at))

    def seats(self) -> dict[str, Seat]:
        """Return who sits where."""
        visits = zip(self.problem.visits, self._counter, strict=True)
        return {visit.id: Seat(counter) for visit, counter in visits if counter != NOWHERE}

    def close(self) -> None:
        """Close a counter that somebody sits at, and those that nobody sits at."""
        self._opened = list(map(bool, self._at))
        self._empty(self._lightest()[1])

    def run(self, steps: int, stop: Callable[[], bool]) -> int:
        """Go on until nobody waits, the steps are done or it is time to stop; return how many steps are left."""
        while self.waiting and steps and not stop():
            self._eject()
            steps -= 1
        return steps

    def _seat_greedily(self) -> None:
        takes = [0] * self.problem.counter_count  # how many visits may sit there
        for counters in self._may_sit:
            for counter in counters:
                takes[counter] += 1
        for at in sorted(range(len(self._may_sit)), key=lambda at: (self.problem.visits[at].start, at)):
            free = [counter for counter in self._may_sit[at] if not self._at[counter] & self._clashing[at]]
            opened = [counter for counter in free if self._opened[counter]]
            if opened:
                self._sit(at, min(opened, key=lambda counter: takes[counter]))
            elif free:
                self._sit(at, max(free, key=lambda counter: takes[counter]))
            else:
                self.waiting.append(at)
        if self.waiting:
            self._opened = [True] * len(self._opened)

    def _eject(self) -> None:
        self._step += 1
        at = self.waiting.pop(self._random.randrange(len(self.waiting)))
        cost, counters = self._cheapest(at)
        if counters and not cost:
            self._sit(at, counters[0])
            return
        self._weight[at] += 1
        if self._exchange(at, cost if counters else None):
            return
        if not counters:
            self.waiting.append(at)
            return
        counter = self._random.choice(counters)
        self._rise(self._at[counter] & self._clashing[at])
        self._sit(at, counter)

    def _cheapest(self, at: int) -> tuple[int, list[int]]:
        """Return what those weigh who are in a visit's way where they weigh least, and the opened counters of that."""
        least = 0
        found: list[int] = []
        clashing, weight = self._clashing[at], self._weight
        for counter in self._may_sit[at]:
            if not self._opened[counter]:
                continue
            cost, blocking = 0, self._at[counter] & clashing
            if not blocking:
                return 0, [counter]
            while blocking:  # `bits`, written out: most of the time goes here
                lowest = blocking & -blocking
                cost += weight[lowest.bit_length() - 1]
                blocking ^= lowest
            if (not found or cost <= least) and not self._is_banned(at, counter):
                if found and cost < least:
                    found.clear()
                least = cost
                found.append(counter)
        return least, found

    def _exchange(self, at: int, cost: int | None) -> bool:
        """Open a counter for a visit and close another, if that costs less than ejecting, or as much (by lot)."""
        closed = [c for c in self._may_sit[at] if not self._opened[c] and not self._is_banned(at, c)]
        if not closed:
            return False
        lightest, counter = self._lightest()
        if cost is not None and (lightest > cost or (lightest == cost and self._random.random() < 0.5)):
            return False
        self._empty(counter)
        self._sit(at, self._random.choice(closed))
        return True

    def _lightest(self) -> tuple[int, int]:
        """Return the opened counter whose visits weigh least (one of these, by lot) and what they weigh."""
        opened = [counter for counter, is_open in enumerate(self._opened) if is_open]
        weights = [sum(self._weight[one] for one in members(self._at[counter])) for counter in opened]
        least = min(weights)
        return least, self._random.choice([c for c, weight in zip(opened, weights, strict=True) if weight == least])

    def _empty(self, counter: int) -> None:
        self._rise(self._at[counter])
        self._opened[counter] = False

    def _is_banned(self, at: int, counter: int) -> bool:
        return self._banned.get((at, counter), 0) > self._step

    def _sit(self, at: int, counter: int) -> None:
        self._opened[counter] = True
        self._at[counter] |= 1 << at
        self._counter[at] = counter

    def _rise(self, visits: int) -> None:
        for at in members(visits):
            counter = self._counter[at]
            self._at[counter] &= ~(1 << at)
            self._counter[at] = NOWHERE
            self._banned[at, counter] = self._step + self._random.randint(SHORTEST_BAN, LONGEST_BAN)
            self.waiting.append(at)


def _clashing(problem: Problem) -> Sequence[int]:
    """Return, for each visit, the set of those that are there at the same time, itself included."""
    visits = problem.visits
    return [
        sum(1 << at for at, other in enumerate(visits) if other.start < visit.until and visit.start < other.until)
        for visit in visits
    ]
