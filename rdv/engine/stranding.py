"""Who is stranded when too many want the same counters or agents, where no agent is bound to a counter.

CP-SAT on classes and shapes, as in `class_solver.py`. A *shape* are the visits that nothing tells apart but their place
in the list; of each shape so many are *out*, and these are its newest. The rest of it is in classes of counters and has
agents of teams, no more at a tick than these have members.

First the fewest who have to be out; then, from the newest visit on, whether another of its shape could be out instead
of somebody older. What the last answer already says is not asked again, so there is about one short question for each
shape and for each who is out.

One worker, a fixed seed, a deterministic limit: the same question gets the same answer.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ortools.sat.python import cp_model

from rdv.engine.class_solver import MOST_TERMS
from rdv.engine.classes import deal
from rdv.engine.seating import bits
from rdv.engine.solver import agent_teams, counter_classes
from rdv.engine.visits import Placement, Problem, Seat, Visit, unit_of

Numbers = dict[int, cp_model.IntVar]


class Likeness(NamedTuple):
    """What visits of one shape have in common."""

    start: int
    until: int
    counters: int
    agents: int
    agents_needed: int
    must_agents: int


@dataclass(slots=True)
class _Shape:
    """Its visits in list order, and how many of them are out, in each class, and of each team's agents have them."""

    visits: list[Visit]
    out: cp_model.IntVar
    in_class: Numbers
    of_team: Numbers


def place(problem: Problem, *, seconds: float) -> Placement | None:
    """Seat as many as can be, stranding the newest first; None: too large, or not found out in deterministic seconds.

    A smallest set is stranded; among the smallest, the one whose last member comes latest in the list, and so on.
    """
    model = _Model(problem, seconds=seconds)
    if not model.limit_room() or not model.solve():
        return None
    undecided = 0
    fewest = sum(map(model.out, model.shapes))
    model.cp.add(sum(shape.out for shape in model.shapes) == fewest)
    decided: Counter[int] = Counter()  # how many of a shape are known to be out, by its place
    most: dict[int, int] = {}  # and how many at most could be
    for at in model.newest_first():
        if decided.total() == fewest:
            break
        shape = model.shapes[at]
        if model.out(shape) == decided[at] < most.get(at, fewest + 1):
            model.cp.maximize(shape.out)
            undecided = max(undecided, not model.solve())
            most[at] = model.out(shape)
        if model.out(shape) > decided[at]:
            decided[at] += 1
            model.cp.add(shape.out >= decided[at])
    model.keep()
    return model.placement(undecided)


class _Model:
    """The model of a problem, and the last answer."""

    def __init__(self, problem: Problem, *, seconds: float) -> None:
        self.problem = problem
        self.cp = cp_model.CpModel()
        self.classes = counter_classes(problem.visits, problem)
        self.teams = agent_teams(problem.visits, problem)
        by_likeness: dict[Likeness, list[Visit]] = {}
        for visit in problem.visits:
            by_likeness.setdefault(_likeness(visit), []).append(visit)
        self.shapes = [self._shape(one, visits) for one, visits in by_likeness.items()]
        self._place_of = {one: at for at, one in enumerate(by_likeness)}
        self.cp.minimize(sum(shape.out for shape in self.shapes))
        self._solver = cp_model.CpSolver()
        self._solver.parameters.num_workers = 1
        self._solver.parameters.random_seed = 0
        self._solver.parameters.cp_model_presolve = False  # takes longer than the solving
        self._solver.parameters.catch_sigint_signal = False  # see solver.py
        self._seconds_left = seconds
        self._answer: list[int] = []

    def limit_room(self) -> bool:
        """Write down how much room there is, tick by tick; False when that would be too much."""
        pairs = list(zip(self._place_of, self.shapes, strict=True))
        terms = 0
        for tick in sorted({one.start for one in self._place_of}):
            live = [shape for one, shape in pairs if one.start <= tick < one.until]
            terms += sum(len(shape.in_class) + len(shape.of_team) for shape in live)
            if terms > MOST_TERMS:
                return False
            self._no_more_than(self.classes, [shape.in_class for shape in live])
            self._no_more_than(self.teams, [shape.of_team for shape in live])
        return True

    def newest_first(self) -> list[int]:
        """Return the place of each visit's shape, the newest visit's first."""
        return [self._place_of[_likeness(visit)] for visit in reversed(self.problem.visits)]

    def solve(self) -> bool:
        """Look for a best answer, and keep it; False: it was not found in time, and the last one stays."""
        if self._seconds_left <= 0:
            return False
        self._solver.parameters.max_deterministic_time = self._seconds_left
        status = self._solver.solve(self.cp)
        self._seconds_left -= self._solver.response_proto.deterministic_time
        if status != cp_model.OPTIMAL:
            return False
        self._answer = list(self._solver.response_proto.solution)
        return True

    def keep(self) -> None:
        """Look for the answer with the same visits out in which most of the others stay where they are."""
        staying = []
        for shape in self.shapes:
            out = self.out(shape)
            self.cp.add(shape.out == out)
            visits = shape.visits[: len(shape.visits) - out]
            for parts, numbers, present in (
                (self.classes, shape.in_class, Counter(v.counter for v in visits)),
                (self.teams, shape.of_team, Counter(agent for v in visits for agent in bits(v.served_by))),
            ):
                for at, number in numbers.items():
                    if most := sum(present[one] for one in parts[at]):
                        stay = self.cp.new_int_var(0, most, "")
                        self.cp.add(stay <= number)
                        staying.append(stay)
        self.cp.maximize(sum(staying))
        self.solve()

    def out(self, shape: _Shape) -> int:
        """Return how many of a shape are out in the last answer."""
        return self._answer[shape.out.index]

    def placement(self, undecided: int) -> Placement:
        """Return the last answer: of each shape the newest are out, the others stay where they can."""
        stranded = {v.id for shape in self.shapes for v in shape.visits[len(shape.visits) - self.out(shape) :]}
        visits = [visit for visit in self.problem.visits if visit.id not in stranded]
        inside = [self._counted("in_class", at) for at in range(len(self.classes))]
        counters = deal([(visit, _likeness(visit)) for visit in visits], inside, self.classes)
        serving = self._serving(visits)
        return Placement(
            seats={name: Seat(counter, serving.get(name, 0)) for name, counter in counters.items()},
            stranded=tuple(visit.id for visit in self.problem.visits if visit.id in stranded),
            undecided=undecided,
        )

    def _serving(self, visits: Sequence[Visit]) -> dict[str, int]:
        """Return the agents of each visit that needs some."""
        units = []
        for visit in visits:
            present = list(bits(visit.served_by))[: visit.agents_needed]
            missing = [None] * (visit.agents_needed - len(present))
            for number, agent in enumerate([*present, *missing]):
                unit = replace(unit_of(visit, agent), id=f"{visit.id}\0{number}")
                units.append((unit, _likeness(visit)))
        serving: dict[str, int] = {}
        inside = [self._counted("of_team", at) for at in range(len(self.teams))]
        for name, agent in deal(units, inside, self.teams).items():
            of = name.rpartition("\0")[0]
            serving[of] = serving.get(of, 0) | 1 << agent
        return serving

    def _counted(self, what: str, at: int) -> Counter[Likeness]:
        """Return how many of each shape are in a class, or how often a shape has a team's agents."""
        found: Counter[Likeness] = Counter()
        for shape in self.shapes:
            variable = getattr(shape, what).get(at)
            if variable is not None:
                found[_likeness(shape.visits[0])] = self._answer[variable.index]
        return found

    def _shape(self, one: Likeness, visits: list[Visit]) -> _Shape:
        count, needed = len(visits), one.agents_needed
        shape = _Shape(
            visits=visits,
            out=self.cp.new_int_var(0, count, ""),
            in_class=self._numbers(self.classes, one.counters, count),
            of_team=self._numbers(self.teams, one.agents if needed else 0, count * needed),
        )
        self.cp.add(sum(shape.in_class.values()) == count - shape.out)
        if needed:
            self.cp.add(sum(shape.of_team.values()) == needed * (count - shape.out))
            for at, has in shape.of_team.items():
                if one.must_agents >> self.teams[at][0] & 1:
                    self.cp.add(has == count - shape.out)
        return shape

    def _numbers(self, parts: Sequence[Sequence[int]], allowed: int, most: int) -> Numbers:
        return {
            at: self.cp.new_int_var(0, min(most, len(part)) if most else 0, "")
            for at, part in enumerate(parts)
            if allowed >> part[0] & 1
        }

    def _no_more_than(self, parts: Sequence[Sequence[int]], live: Sequence[Numbers]) -> None:
        for at, part in enumerate(parts):
            there = [numbers[at] for numbers in live if at in numbers]
            if there:
                self.cp.add(sum(there) <= len(part))


def _likeness(visit: Visit) -> Likeness:
    agents = visit.agents if visit.agents_needed else 0
    return Likeness(visit.start, visit.until, visit.counters, agents, visit.agents_needed, visit.must_agents)
