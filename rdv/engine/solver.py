"""The last resort where agents are bound to counters, and for whom to strand: CP-SAT on one problem.

The model, in words. Counters that no visit can tell apart form a *class*; a visit that sits takes one place in exactly
one class it may sit in. At every tick at which a visit begins, a class holds at most as many visits as it has counters
(*class clique*). This is exact: inside a class the visits are intervals, and intervals that never overlap more than
k-fold can be dealt out to k counters in order of their beginnings. Agents that nobody can tell apart form *teams* in
the same way. A visit that sits has as many agents of its teams as it needs, those it keeps among them (*staffing*); at
every such tick the visits have no more agents of a team than it has members (*team clique*), and only at a counter
these may work at (*tie*). What agents may work at is part of what tells counters apart.

One worker, a fixed seed and a deterministic limit for all the solving of one question: the same problem always gets the
same answer. A limit that runs out, or a problem too large to be written down, is `Undecided`, never "infeasible".
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ortools.sat.python import cp_model

from rdv.engine import repair
from rdv.engine.seating import Seating, dealt
from rdv.engine.visits import Placement, Problem, Seat, Visit

Literal = cp_model.IntVar
MAX_LITERALS = 300_000


@dataclass(frozen=True, slots=True)
class Undecided:
    """The limit ran out before there was an answer."""


@dataclass(frozen=True, slots=True)
class Infeasible:
    """It was shown that there is no answer."""


class Model:
    """The variables of one problem: `sits[v]`, `in_class[v][k]` and `of_team[v][t]` by visit id, class and team."""

    def __init__(self, problem: Problem, optional: Sequence[Visit], *, all_sit: bool, seconds: float) -> None:
        """Take the problem's visits, which all have to sit or (not `all_sit`) may stay out, and optional ones."""
        self.problem = problem
        self.visits = [*problem.visits, *optional]
        self.classes = counter_classes(self.visits, problem)
        self.teams = agent_teams(self.visits, problem)
        self.cp = cp_model.CpModel()
        must = {v.id for v in problem.visits} if all_sit else set()
        self.sits = {v.id: self.cp.new_bool_var("") for v in self.visits}
        self.in_class = {v.id: self._classes_of(v) for v in self.visits}
        self.of_team = {v.id: self._teams_of(v) for v in self.visits}
        for visit in self.visits:
            if visit.id in must:
                self.cp.add(self.sits[visit.id] == 1)
            for rule in VISIT_RULES:
                rule(self, visit)
        moments = moments_of(self.visits)
        for shared_rule in SHARED_RULES:
            shared_rule(self, moments)
        self._solver = cp_model.CpSolver()
        self._solver.parameters.num_workers = 1
        self._solver.parameters.random_seed = 0
        self._seconds_left = seconds
        # It would take the process's handler of SIGINT away, and with it the server's orderly end.
        self._solver.parameters.catch_sigint_signal = False

    def solve(self, *, good_enough: bool = False) -> dict[str, Seat] | Infeasible | Undecided:
        """Return seats for the visits that sit in the best answer, or in any where nothing is to be maximised.

        `good_enough`: the best found in time will do.
        """
        if self._seconds_left <= 0:
            return Undecided()
        self._solver.parameters.max_deterministic_time = self._seconds_left
        status = self._solver.solve(self.cp)
        self._seconds_left -= self._solver.response_proto.deterministic_time
        match status:
            case cp_model.OPTIMAL:
                return self._seats()
            case cp_model.FEASIBLE if good_enough:
                return self._seats()
            case cp_model.INFEASIBLE:
                return Infeasible()
            case cp_model.FEASIBLE | cp_model.UNKNOWN:
                return Undecided()
            case _:
                raise AssertionError(f"the model is not valid: {self._solver.status_name(status)}")

    def _classes_of(self, visit: Visit) -> dict[int, Literal]:
        return {
            k: self.cp.new_bool_var("") for k, members in enumerate(self.classes) if visit.counters >> members[0] & 1
        }

    def _teams_of(self, visit: Visit) -> dict[int, Literal]:
        """Return how many agents of each team a visit has."""
        teams = enumerate(self.teams) if visit.agents_needed else ()
        return {
            t: self.cp.new_int_var(0, min(len(members), visit.agents_needed), "")
            for t, members in teams
            if visit.agents >> members[0] & 1
        }

    def _seats(self) -> dict[str, Seat]:
        """Deal the visits of each class out to its counters."""
        served_by = self._served_by()
        seats: dict[str, Seat] = {}
        for k, members in enumerate(self.classes):
            inside = [v for v in self.visits if k in self.in_class[v.id] and self._solver.value(self.in_class[v.id][k])]
            for name, counter in dealt(inside, members).items():
                seats[name] = Seat(counter, served_by.get(name, 0))
        return seats

    def _served_by(self) -> dict[str, int]:
        """Deal the members of each team out to the visits in order of their beginnings, keeping present ones."""
        served_by: dict[str, int] = {}
        in_order = sorted(self.visits, key=lambda v: (v.start, v.id))
        for t, members in enumerate(self.teams):
            free_at = dict.fromkeys(members, -1)
            for visit in in_order:
                count = self._solver.value(self.of_team[visit.id][t]) if t in self.of_team[visit.id] else 0
                present = visit.served_by
                free = sorted((~present >> a & 1, a) for a in members if free_at[a] <= visit.start)
                for _, agent in free[:count]:
                    free_at[agent] = visit.until
                    served_by[visit.id] = served_by.get(visit.id, 0) | 1 << agent
        return served_by


def a_place_in_one_class(model: Model, visit: Visit) -> None:
    model.cp.add(sum(model.in_class[visit.id].values()) == model.sits[visit.id])


def staffing(model: Model, visit: Visit) -> None:
    if not visit.agents_needed:
        return
    model.cp.add(sum(model.of_team[visit.id].values()) == visit.agents_needed * model.sits[visit.id])
    for t, has in model.of_team[visit.id].items():
        if visit.must_agents >> model.teams[t][0] & 1:
            model.cp.add(has == model.sits[visit.id])


def tie(model: Model, visit: Visit) -> None:
    allowed = model.problem.agent_counters
    if allowed is None:
        return
    for k, inside in model.in_class[visit.id].items():
        for t, has in model.of_team[visit.id].items():
            if not allowed[model.teams[t][0]] >> model.classes[k][0] & 1:
                model.cp.add(has == 0).only_enforce_if(inside)


def class_clique(model: Model, moments: Sequence[Sequence[Visit]]) -> None:
    for k, members in enumerate(model.classes):
        for live in _maximal([v.id for v in live if k in model.in_class[v.id]] for live in moments):
            if len(live) > len(members):
                model.cp.add(sum(model.in_class[name][k] for name in live) <= len(members))


def team_clique(model: Model, moments: Sequence[Sequence[Visit]]) -> None:
    most = {v.id: v.agents_needed for v in model.visits}
    for t, members in enumerate(model.teams):
        for live in _maximal([v.id for v in live if t in model.of_team[v.id]] for live in moments):
            if sum(min(most[name], len(members)) for name in live) > len(members):
                model.cp.add(sum(model.of_team[name][t] for name in live) <= len(members))


VISIT_RULES: tuple[Callable[[Model, Visit], None], ...] = (a_place_in_one_class, staffing, tie)
SHARED_RULES: tuple[Callable[[Model, Sequence[Sequence[Visit]]], None], ...] = (class_clique, team_clique)


def counter_classes(visits: Sequence[Visit], problem: Problem) -> list[list[int]]:
    """Return the counters that anybody may sit at, grouped by what can be told apart."""
    classes: dict[tuple[int, ...], list[int]] = {}
    ties = problem.agent_counters or ()
    eligibilities = list(dict.fromkeys(visit.counters for visit in visits))
    for counter in range(problem.counter_count):
        may_sit = tuple(counters >> counter & 1 for counters in eligibilities)
        if any(may_sit):
            key = (*may_sit, *(tied >> counter & 1 for tied in ties))
            classes.setdefault(key, []).append(counter)
    return list(classes.values())


def agent_teams(visits: Sequence[Visit], problem: Problem) -> list[list[int]]:
    """Return the agents that anybody may be served by, grouped by what can be told apart; a kept one is alone."""
    teams: dict[tuple[int, ...], list[int]] = {}
    ties = problem.agent_counters
    eligibilities = list(dict.fromkeys(visit.agents for visit in visits if visit.agents_needed))
    kept = 0
    for visit in visits:
        kept |= visit.must_agents
    for agent in range(problem.agent_count):
        may_serve = tuple(agents >> agent & 1 for agents in eligibilities)
        if any(may_serve):
            alone = agent if kept >> agent & 1 else -1
            key = (alone, ties[agent] if ties is not None else -1, *may_serve)
            teams.setdefault(key, []).append(agent)
    return list(teams.values())


def moments_of(visits: Sequence[Visit]) -> list[list[Visit]]:
    """Return, for each tick at which a visit begins, who is live then."""
    moments: list[list[Visit]] = []
    live: list[Visit] = []
    for at, beginning in groupby(sorted(visits, key=lambda v: v.start), key=lambda v: v.start):
        live = [*(v for v in live if v.until > at), *beginning]
        moments.append(live)
    return moments


def too_large(problem: Problem, optional: int = 0) -> bool:
    """Tell whether a model would be too large to be written down."""
    agents = sum(v.agents.bit_count() for v in problem.visits if v.agents_needed)
    counters = sum(min(v.counters.bit_count(), problem.counter_count) for v in problem.visits)
    return (agents + counters) * (1 + (optional + 1) / (len(problem.visits) + 1)) > MAX_LITERALS


def _maximal(cliques: Iterable[list[str]]) -> list[list[str]]:
    """Leave out each clique that its predecessor or successor contains."""
    found: list[list[str]] = []
    for clique in cliques:
        if found and set(clique) <= set(found[-1]):
            continue
        if found and set(found[-1]) <= set(clique):
            found.pop()
        found.append(clique)
    return found


def place(problem: Problem, *, seconds: float) -> Placement:
    """Seat as many visits as can be, stranding the newest of the list first.

    The strandings are found one after another from the newest on: among the smallest sets, the one whose last member
    comes latest. When the limit runs out, what is known is completed greedily and counted as undecided.
    """
    if too_large(problem):
        return greedily(problem)
    model = Model(problem, (), all_sit=False, seconds=seconds)
    total = len(problem.visits)
    undecided = 0
    placed = sum(model.sits.values())
    model.cp.maximize(placed)
    best = model.solve()
    if not isinstance(best, dict):
        return greedily(problem)
    model.cp.add(placed == len(best))
    upto = total
    for _ in range(total - len(best)):
        latest = model.cp.new_int_var(0, upto - 1, "")
        among = problem.visits[:upto]
        model.cp.add_max_equality(latest, [at * (1 - model.sits[visit.id]) for at, visit in enumerate(among)])
        model.cp.maximize(latest)
        answer = model.solve()
        if not isinstance(answer, dict):
            undecided = 1
            break
        best = answer
        upto = max(at for at, visit in enumerate(among) if visit.id not in best)
        model.cp.add(model.sits[problem.visits[upto].id] == 0)
        for visit in among[upto + 1 :]:
            model.cp.add(model.sits[visit.id] == 1)
    stranded = tuple(visit.id for visit in problem.visits if visit.id not in best)
    return Placement(seats=best, stranded=stranded, undecided=undecided)


def which_fit(problem: Problem, candidates: Sequence[Visit], *, seconds: float) -> tuple[set[str], int]:
    """Return which of the candidates fit, each alone, and how many are undecided: all asked in one model.

    One of them has to sit; each answer settles that one and those its seats leave room for; the last "infeasible"
    settles the rest.
    """
    if too_large(problem, len(candidates)):
        return set(), len(candidates)
    model = Model(problem, candidates, all_sit=True, seconds=seconds)
    left = {visit.id: visit for visit in candidates}
    model.cp.add_exactly_one(model.sits[name] for name in left)
    fits: set[str] = set()
    while left:
        answer = model.solve()
        if isinstance(answer, Undecided):
            return fits, len(left)
        if isinstance(answer, Infeasible):
            break
        settled = {name for name in left if name in answer} | _room_for(problem, answer, left.values())
        fits |= settled
        for name in settled:
            del left[name]
            model.cp.add(model.sits[name] == 0)
    return fits, 0


def most_copies(problem: Problem, copies: Sequence[Visit], *, at_least: int, seconds: float) -> tuple[int, int]:
    """Return how many of the copies of one visit are known to fit together, and how many more are undecided."""
    unknown = at_least, len(copies) - at_least
    if too_large(problem, len(copies)):
        return unknown
    # What counting allows is nearly always the answer, and "do they all fit" is a much easier question than "how many".
    together = Model(problem, copies, all_sit=True, seconds=seconds)
    for copy in copies:
        together.cp.add(together.sits[copy.id] == 1)
    answer = together.solve()
    if not isinstance(answer, Infeasible):
        return (len(copies), 0) if isinstance(answer, dict) else unknown
    model = Model(problem, copies[:-1], all_sit=True, seconds=seconds)
    for one, other in pairwise(copies[:-1]):
        model.cp.add_implication(model.sits[other.id], model.sits[one.id])
    model.cp.maximize(sum(model.sits[copy.id] for copy in copies[:-1]))
    answer = model.solve()
    return (sum(copy.id in answer for copy in copies), 0) if isinstance(answer, dict) else unknown


def seat(problem: Problem, visit: Visit, *, seconds: float) -> Placement | None:
    """Return seats for all visits and one more, as few as can be found in time moved; None: none, or undecided."""
    if too_large(problem):
        return None
    model = Model(problem, (visit,), all_sit=True, seconds=seconds)
    model.cp.add(model.sits[visit.id] == 1)
    stay = []
    for one in problem.visits:
        for k, inside in model.in_class[one.id].items():
            model.cp.add_hint(inside, one.counter in model.classes[k])
            if one.counter in model.classes[k]:
                stay.append(inside)
        stay += [has for t, has in model.of_team[one.id].items() if any(one.served_by >> a & 1 for a in model.teams[t])]
    model.cp.maximize(sum(stay))
    answer = model.solve(good_enough=True)
    return Placement(seats=answer, stranded=()) if isinstance(answer, dict) else None


def _room_for(problem: Problem, seats: dict[str, Seat], others: Iterable[Visit]) -> set[str]:
    """Return which of the others could sit, each alone, with the problem's visits where the seats put them."""
    seating = Seating(problem)
    for visit in problem.visits:
        seating.take(visit, seats[visit.id])
    mark = seating.mark()
    found = set()
    for other in others:
        if repair.seat_directly(seating, other):
            found.add(other.id)
            seating.undo(mark)
    return found


def greedily(problem: Problem) -> Placement:
    """Seat visits in list order as long as there is room: valid, but maybe not the best."""
    seating = Seating(problem)
    for visit in problem.visits:
        repair.seat_directly(seating, visit)
    stranded = tuple(v.id for v in problem.visits if v.id not in seating.seats)
    return Placement(seats=dict(seating.seats), stranded=stranded, undecided=1)
