"""One half of an assignment problem: visits at counters, whoever serves them, or at agents as if these were counters.

Each question goes through the same stages and stops at the first that settles it:

1. *count*: there is room, whoever is where in their class (`classes.py`);
2. *bound*: Hall's condition says that it cannot be (where there are many sets of counters, by matchings: `chains.py`);
3. *repair*: others can be moved between classes;
4. *solver* (`class_solver.py`): CP-SAT decides; only here can the question's purse be empty.

Where everybody sits is kept as the last question left it: whatever made room for one start makes it for its neighbours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from rdv.engine.budget import Budget, Purse
from rdv.engine.chains import Chains
from rdv.engine.classes import Classes
from rdv.engine.visits import Problem, Seat, Visit


class Half:
    """Visits that all sit at counters: what fits beside them."""

    def __init__(
        self, visits: Sequence[Visit], counters: Mapping[str, int], counter_count: int, *, base: int, budget: Budget
    ) -> None:
        """`counters`: where each visit sits, by id; `base`: a tick no visit and no question begins before."""
        self._visits = visits
        self._counters = counters
        self._count = counter_count
        self._base = base
        self._budget = budget
        self._known: list[Classes] = []

    def fits(self, visit: Visit, purse: Purse, copies: int = 1) -> tuple[str, bool | None]:
        """Return the stage that settles whether so many copies of a visit fit together, and whether they do.

        None: it was not found out.
        """
        classes = self._classes(visit)
        if classes.room(visit) >= copies:
            return "count", True
        if self._at_most(classes, visit) < copies:
            return "bound", False
        found = classes.let_in(visit, copies, self._budget.ejections)
        classes.let_out(visit, found)
        if found == copies:
            return "repair", True
        count, undecided = self._solved(classes, visit, copies, purse)
        classes.let_out(visit, count)
        return "solver", True if count == copies else None if count + undecided >= copies else False

    def most(self, visit: Visit, purse: Purse) -> tuple[int, int]:
        """Return how many copies of a visit are known to fit together, and how many more are undecided."""
        classes = self._classes(visit)
        at_most = self._at_most(classes, visit)
        if classes.room(visit) >= at_most:
            return at_most, 0
        found = classes.let_in(visit, at_most, self._budget.ejections)
        classes.let_out(visit, found)
        if found == at_most:
            return found, 0
        count, undecided = self._solved(classes, visit, at_most, purse)
        classes.let_out(visit, count)
        return max(count, found), max(count + undecided - max(count, found), 0)

    def seats(self, copies: Sequence[Visit], purse: Purse) -> dict[str, int] | None:
        """Return counters for all and some copies of a visit, most of them where they stand; None: none were found."""
        visit = copies[0]
        classes = self._classes(visit)
        count = classes.let_in(visit, len(copies), self._budget.ejections)
        if count < len(copies):
            classes.let_out(visit, count)
            count, _ = self._solved(classes, visit, len(copies), purse)
        dealt = classes.dealt([*self._visits, *copies]) if count == len(copies) else None
        classes.let_out(visit, count)
        return dealt

    def _at_most(self, classes: Classes, visit: Visit) -> int:
        """Return how many copies of a visit may fit at most."""
        found = classes.at_most(visit)
        if found and classes.has_more_unions(visit):
            found = min(found, self._chains.most_copies(replace(visit, agents_needed=0)))
        return found

    @cached_property
    def _chains(self) -> Chains:
        problem = Problem(visits=tuple(self._visits), counter_count=self._count)
        return Chains(problem, {name: Seat(counter) for name, counter in self._counters.items()})

    def _solved(self, classes: Classes, visit: Visit, wanted: int, purse: Purse) -> tuple[int, int]:
        """Let in as many copies, up to `wanted`, as the solver finds; return also how many more are undecided."""
        from rdv.engine import class_solver  # noqa: PLC0415 - OR-Tools takes long to load and is rarely needed

        found = class_solver.most(classes.sizes, classes.shapes(), classes.shape(visit), wanted=wanted, purse=purse)
        if found is None:
            return 0, wanted
        if found.inside:
            classes.rearrange(found.inside)
        return found.count, found.at_most - found.count

    def _classes(self, visit: Visit) -> Classes:
        """Return the classes of counters, none of which a visit tells apart."""
        for known in self._known:
            if known.are_whole_in(visit.counters):
                return known
        classes = Classes(self._visits, self._counters, self._count, base=self._base, asked=visit.counters)
        self._known.append(classes)
        return classes
