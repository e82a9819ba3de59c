"""CP-SAT on some days of a roster: one variable a possible shift, and how the demand is served by it.

The minima that may be impossible (`least_open`, `least_by_reason`) have a slack that costs more than everything else:
so there is always an answer, and what cannot be kept is named by it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import floor
from threading import Event, Thread
from typing import NamedTuple

from ortools.sat.python import cp_model

from rdv.engine.roster.day import Day, Interval, may_be_at
from rdv.engine.roster.values import RosterAgent, RosterInstance, Shift

QUICK_GAP = 0.02

Key = tuple[int, str, int, Interval]  # day, agent, place, blocks
Covering = dict[tuple[int, int], list[tuple[str, cp_model.IntVar]]]  # by place and block: who, and if so
Served = tuple[int, int, tuple[str, ...], bool]  # day, block, reasons of a sort, booked


@dataclass(slots=True)
class Solved:
    """What a solve found: shifts by key, minutes served by day, block and sort, what is missing by day and block.

    `bound` None: nothing is known of how much better another one could be.
    """

    chosen: list[Key]
    served: dict[Served, int]
    missing: dict[tuple[int, int, str | None], int]
    objective: int
    bound: int | None
    optimal: bool


class _Sort(NamedTuple):
    """Reasons that the same agents serve at the same places."""

    pairs: frozenset[tuple[str, int]]
    reasons: tuple[str, ...]
    booked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long to search: a deterministic effort, at most some seconds, until `stop` says so."""

    effort: float
    seconds: float
    stop: Callable[[], bool]
    seed: int = 1
    workers: int = 2


@dataclass(slots=True)
class Model:
    """A model of days that are decided together, `weekly`: of one week, whose maxima could be exceeded.

    `most_a_day`: fewer minutes for some agents than they may work.
    """

    instance: RosterInstance
    days: Sequence[Day]
    weekly: bool = False
    most_a_day: Mapping[str, int] = field(default_factory=dict)
    model: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    shifts: dict[Key, cp_model.IntVar] = field(default_factory=dict)
    served: dict[Served, list[cp_model.IntVar]] = field(default_factory=dict)
    slack: dict[tuple[int, int, str | None], cp_model.IntVar] = field(default_factory=dict)
    worth: list[tuple[cp_model.IntVar, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for at in range(len(self.days)):
            self._add_day(at)
        self._limit_weeks()
        self.model.maximize(sum(variable * weight for variable, weight in self.worth))

    def solve(self, limit: Limit, *, quick: bool = False) -> Solved | None:
        """Solve within a limit; the last answer is the hint. None: nothing was found, and nothing is known.

        `quick` is for a first answer: without presolve and symmetries, which take longer than finding one, and content
        with a gap of `QUICK_GAP`.
        """
        solver = self._solver(limit)
        solver.parameters.num_workers = 1 if quick else limit.workers
        solver.parameters.cp_model_presolve = not quick
        solver.parameters.symmetry_level = 0 if quick else 2
        solver.parameters.linearization_level = 2 if quick else 1
        solver.parameters.relative_gap_limit = QUICK_GAP if quick else 0
        return self._solved(solver, limit)

    def given(self, chosen: Collection[Key], limit: Limit) -> Solved | None:
        """Return what shifts that were chosen otherwise are worth; its bound says nothing."""
        self.model.clear_hints()  # type: ignore[no-untyped-call]  # the library's own omission
        for key, variable in self.shifts.items():
            self.model.add_hint(variable, key in chosen)
        solver = self._solver(limit)
        solver.parameters.fix_variables_to_their_hinted_value = True
        solved = self._solved(solver, limit)
        return solved and replace(solved, bound=None, optimal=False)

    def _solver(self, limit: Limit) -> cp_model.CpSolver:
        solver = cp_model.CpSolver()
        solver.parameters.random_seed = limit.seed
        solver.parameters.num_workers = 1
        solver.parameters.max_deterministic_time = limit.effort
        solver.parameters.max_time_in_seconds = limit.seconds
        return solver

    def _solved(self, solver: cp_model.CpSolver, limit: Limit) -> Solved | None:
        with _stopped_when(limit.stop, solver):
            status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        self._hint(solver)
        objective, bound = round(solver.objective_value), floor(solver.best_objective_bound + 1e-6)
        return Solved(
            chosen=[key for key, variable in self.shifts.items() if solver.value(variable)],
            served={key: sum(map(solver.value, parts)) for key, parts in self.served.items()},
            missing={key: solver.value(variable) for key, variable in self.slack.items()},
            objective=objective,
            bound=bound,
            optimal=objective >= bound,
        )

    def _hint(self, solver: cp_model.CpSolver) -> None:
        self.model.clear_hints()  # type: ignore[no-untyped-call]  # the library's own omission
        for variable in (*self.shifts.values(), *(part for parts in self.served.values() for part in parts)):
            self.model.add_hint(variable, solver.value(variable))

    def _add_day(self, at: int) -> None:
        day = self.days[at]
        covering: Covering = {}
        staying: Covering = {}
        before = _blocks_before(self.instance.previous, day)
        for agent in self.instance.agents:
            own = self._possible(at, agent, before)
            self._one_at_a_time(day, agent, own)
            for (_, _, number, (first, last)), variable in own.items():
                for block in range(first, last):
                    covering.setdefault((number, block), []).append((agent.id, variable))
                    if block > first:
                        staying.setdefault((number, block), []).append((agent.id, variable))
        for (number, _), those in covering.items():
            if len(those) > len(day.places[number].counters):
                self.model.add(sum(v for _, v in those) <= len(day.places[number].counters))
        self._serve(at, day, covering)
        self._stay(day, staying)
        self._keep_minima(at, day, covering)

    def _possible(self, at: int, agent: RosterAgent, before: set[tuple[str, int, int]]) -> dict[Key, cp_model.IntVar]:
        """Add a variable for each shift an agent could have on a day, with what it is worth."""
        day, found = self.days[at], {}
        for number, place in enumerate(day.places):
            if not may_be_at(agent, place):
                continue
            liked = bool(agent.preferred & set(place.counters))
            for first, last in day.intervals(agent, place):
                variable = found[at, agent.id, number, (first, last)] = self.model.new_bool_var("")
                new = sum((agent.id, number, block) not in before for block in range(first, last))
                self._value(variable, changed=new, liked=(last - first) if liked else 0, worked=last - first)
        self.shifts |= found
        return found

    def _one_at_a_time(self, day: Day, agent: RosterAgent, own: dict[Key, cp_model.IntVar]) -> None:
        """One place at a time, with breaks, and not longer than the day's maximum."""
        pause = self.instance.rules.break_minutes // day.block
        busy: dict[int, list[cp_model.IntVar]] = {}
        for (_, _, _, (first, last)), variable in own.items():
            for block in range(first, last + pause):
                busy.setdefault(block, []).append(variable)
        for together in busy.values():
            self.model.add_at_most_one(together)
        most = min(agent.most_minutes_a_day, self.most_a_day.get(agent.id, agent.most_minutes_a_day))
        lengths = ((key[3][1] - key[3][0]) * day.block * variable for key, variable in own.items())
        self.model.add(sum(lengths) <= most)

    def _value(self, variable: cp_model.IntVar, *, changed: int, liked: int, worked: int) -> None:
        weights = self.instance.weights
        cost = weights.worked * worked + (weights.changed * changed if self.instance.previous else 0)
        self.worth.append((variable, weights.preferred * liked - cost))

    def _serve(self, at: int, day: Day, covering: Covering) -> None:
        """Let those who are there serve what is wanted, block by block."""
        for block in day.open_blocks:
            wanted = _wanted(day, block)
            for sort, flows in self._flows(day, covering, block, wanted, each=day.block).items():
                self.served[at, block, sort.reasons, sort.booked] = flows
                worth = self.instance.weights.booked if sort.booked else self.instance.weights.served
                self.worth += [(flow, worth) for flow in flows]

    def _stay(self, day: Day, staying: Covering) -> None:
        """Let somebody stay from one block to the next with each who has booked over both."""
        worth = self.instance.weights.booked * day.block
        for block in day.open_blocks:
            for flows in self._flows(day, staying, block, _spanning(day, block), each=1).values():
                self.worth += [(flow, worth) for flow in flows]

    def _flows(
        self, day: Day, covering: Covering, block: int, wanted: dict[_Sort, int], *, each: int
    ) -> dict[_Sort, list[cp_model.IntVar]]:
        """Return how much of each sort wanted is served by whom who can; a shift serves `each` at most."""
        sorts = list(wanted)
        supply: dict[tuple[int, ...], list[cp_model.IntVar]] = {}
        for number in range(len(day.places)):
            for agent, variable in covering.get((number, block), ()):
                able = tuple(i for i, sort in enumerate(sorts) if (agent, number) in sort.pairs)
                if able:
                    supply.setdefault(able, []).append(variable)
        parts: dict[_Sort, list[cp_model.IntVar]] = {sort: [] for sort in sorts}
        for able, variables in supply.items():
            flows = []
            for i in able:
                flow = self.model.new_int_var(0, min(wanted[sorts[i]], each * len(variables)), "")
                flows.append(flow)
                parts[sorts[i]].append(flow)
            self.model.add(sum(flows) <= each * sum(variables))
        for sort, flows in parts.items():
            if flows:
                self.model.add(sum(flows) <= wanted[sort])
        return parts

    def _keep_minima(self, at: int, day: Day, covering: Covering) -> None:
        rules = self.instance.rules
        skilled = {agent.id: agent.reasons for agent in self.instance.agents}
        penalty = self._penalty()
        for block in day.open_blocks:
            here = [(n, a, v) for n in range(len(day.places)) for a, v in covering.get((n, block), ())]
            wanted: list[tuple[str | None, int]] = [(None, rules.least_open), *rules.least_by_reason.items()]
            for reason, least in wanted:
                if not least:
                    continue
                able = [
                    v
                    for n, a, v in here
                    if reason is None or (_for(skilled[a], reason) and _for(day.places[n].reasons, reason))
                ]
                missing = self.model.new_int_var(0, least, "")
                self.model.add(sum(able) + missing >= least)
                self.slack[at, block, reason] = missing
                self.worth.append((missing, -penalty))

    def _penalty(self) -> int:
        """Return more than all else of one block of one day can be worth."""
        weights = self.instance.weights
        most = len(self.instance.agents) * (weights.changed + weights.preferred + weights.worked)
        dearest = max(weights.served, weights.booked)
        return 96 * (most + dearest * self.instance.rules.block_minutes * len(self.instance.agents)) + 1

    def _limit_weeks(self) -> None:
        """Where it could happen, nobody works longer in a week than they may, what is published elsewhere included."""
        if not self.weekly:
            return
        own: dict[str, list[tuple[Key, cp_model.IntVar]]] = {}
        for key, variable in self.shifts.items():
            own.setdefault(key[1], []).append((key, variable))
        for agent in self.instance.agents:
            lengths = [
                variable * ((key[3][1] - key[3][0]) * self.instance.rules.block_minutes)
                for key, variable in own.get(agent.id, ())
            ]
            self.model.add(sum(lengths) <= self.instance.left_in_week(agent, self.days[0].date))


@contextmanager
def _stopped_when(stop: Callable[[], bool], solver: cp_model.CpSolver) -> Iterator[None]:
    """End a search soon after `stop` says so: it is asked from a thread of its own, since the solver calls nobody."""
    over = Event()

    def watch() -> None:
        while not over.wait(0.1):
            if stop():
                solver.stop_search()

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _wanted(day: Day, block: int) -> dict[_Sort, int]:
    """Return the minutes wanted in a block, by sort."""
    found = {
        _Sort(pairs, reasons, booked): sum(day.wanted.get((block, reason, booked), 0) for reason in reasons)
        for pairs, reasons in day.sorts.items()
        for booked in (True, False)
    }
    return {sort: minutes for sort, minutes in found.items() if minutes}


def _spanning(day: Day, block: int) -> dict[_Sort, int]:
    """Return how many booked visits go on when a block begins, by sort."""
    found = {
        _Sort(pairs, reasons, booked=True): sum(day.spanning.get((block, reason), 0) for reason in reasons)
        for pairs, reasons in day.sorts.items()
    }
    return {sort: visits for sort, visits in found.items() if visits}


def _blocks_before(previous: Sequence[Shift], day: Day) -> set[tuple[str, int, int]]:
    """Return who was where in which block of the previous roster: agent, place, block."""
    place_of = {counter: number for number, place in enumerate(day.places) for counter in place.counters}
    return {
        (one.agent, place_of[one.counter], block)
        for one in previous
        if one.date == day.date and one.counter in place_of
        for block in range(one.start_minute // day.block, one.end_minute // day.block)
    }


def _for(reasons: frozenset[str] | None, reason: str) -> bool:
    return reasons is None or reason in reasons
