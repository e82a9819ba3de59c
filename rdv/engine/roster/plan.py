"""Planning a roster: days by themselves, then again where the most may be gained, until the budget ends.

Days only matter to each other through the weekly maxima. Where nobody could work longer in a week than they may, each
day is a problem of its own; otherwise the days of that week are decided together. A first pass gives every group of
days a small effort, so that there is a whole plan soon; the rest of the budget goes to the groups with the largest gap.
The bound of the plan is the sum of the groups' bounds.

Fairness costs nothing of this: at the end agents who are alike on a day (same skills, presence and previous shifts)
exchange their shifts, so that the longest ones go to who has worked least.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from time import monotonic

from rdv.engine.roster.day import Day, may_be_at
from rdv.engine.roster.greedy import greedy
from rdv.engine.roster.model import Limit, Model, Solved
from rdv.engine.roster.values import Conflict, Plan, RosterAgent, RosterInstance, Shift, Status

FIRST_EFFORT = 0.5  # deterministic seconds a day at most; a tenth of it is usual
PART_EFFORT = 0.1  # the same for a day of a week that is decided as a whole later
LATER_EFFORT = 1.0
FIRST_SHARE = 0.1  # of the progress, for the first whole plan
MOST_BLOCKS_A_DAY = 400_000  # of possible shifts: a few seconds and some hundred megabytes for the model of a day
CLOSE_ENOUGH = 0.0001  # a group within this of its bound is not looked at again; small ones are decided to the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far planning is: the share of the budget used (or of the first pass), objective and bound so far."""

    share: float
    objective: int
    bound: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long to plan. `rounds` after the first pass make a plan reproducible, seconds do not."""

    seconds: float = 30.0
    rounds: int | None = None
    workers: int = 2
    seed: int = 1


class TooFine(ValueError):
    """So many shifts are possible that planning would take for ever: longer blocks or shifts make it possible."""


@dataclass(slots=True)
class _Group:
    """Days that are decided together, and the best answer so far, None = none yet; the model is made when needed."""

    days: list[Day]
    weekly: bool
    solved: Solved | None
    bound: int
    effort: float
    model: Model | None = None

    @property
    def objective(self) -> int:
        return 0 if self.solved is None else self.solved.objective

    @property
    def gap(self) -> int:
        return 0 if self.solved is not None and self.solved.optimal else self.bound - self.objective


@dataclass(slots=True)
class _Planner:
    instance: RosterInstance
    budget: Budget
    on_progress: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    groups: list[_Group] = field(default_factory=list)
    began: float = field(default_factory=monotonic)

    def run(self) -> Plan:
        waiting = list(_grouped(self.instance))
        _refuse_too_fine(self.instance, [day for days, _ in waiting for day in days])
        with ThreadPoolExecutor(self.budget.workers) as threads:
            for at, group in enumerate(threads.map(self._first, waiting)):
                self.groups.append(group)
                self._tell((at + 1) / len(waiting) * FIRST_SHARE)
        rounds = 0
        while not self._done(rounds):
            self._improve(max(self.groups, key=lambda one: (one.solved is None, one.gap)))
            rounds += 1
            self._tell(max(FIRST_SHARE, (monotonic() - self.began) / self.budget.seconds))
        return self._plan(Status.CANCELLED if self.cancelled() else None)

    def _first(self, given: tuple[list[Day], bool]) -> _Group:
        """Begin with each day by itself, with the same part of a weekly maximum: soon whole, not always the best."""
        days, weekly = given
        bound = _most_worth(self.instance, days)
        if self.cancelled():
            return _Group(days, weekly, None, bound, LATER_EFFORT)
        if len(days) == 1:
            model = Model(self.instance, days, weekly)
            solved = self._found(model, FIRST_EFFORT)
            if solved is not None and solved.bound is not None:
                bound = min(bound, solved.bound)
            return _Group(days, weekly, solved, bound, LATER_EFFORT, model)
        most = {agent.id: _part_of_week(self.instance, agent, days) for agent in self.instance.agents}
        parts = [self._found(Model(self.instance, [day], most_a_day=most), PART_EFFORT) for day in days]
        return _Group(days, weekly, _joined(parts), bound, LATER_EFFORT * len(days))

    def _found(self, model: Model, effort: float) -> Solved | None:
        """Return a first answer: the solver's, or one shift by shift where it has none in time."""
        found = self._solve(model, effort, quick=True)
        if found is None and not self.cancelled():
            found = model.given(greedy(model), self._limit(effort))
        return found

    def _improve(self, group: _Group) -> None:
        quick = group.model is None
        if group.model is None:
            group.model = Model(self.instance, group.days, group.weekly)
        if group.solved is None and not quick:
            solved = self._found(group.model, group.effort)
        else:
            solved = self._solve(group.model, group.effort, quick=quick)
        if not quick or solved is None:
            group.effort *= 2
        if solved is None:
            return
        if solved.bound is not None:
            group.bound = min(group.bound, solved.bound)
        if group.solved is None or solved.objective >= group.solved.objective:
            group.solved = solved

    def _solve(self, model: Model, effort: float, *, quick: bool = False) -> Solved | None:
        return model.solve(self._limit(effort), quick=quick)

    def _limit(self, effort: float) -> Limit:
        left = max(self.budget.seconds - (monotonic() - self.began), 0.2)
        return Limit(
            effort=effort, seconds=left, stop=self.cancelled, seed=self.budget.seed, workers=self.budget.workers
        )

    def _done(self, rounds: int) -> bool:
        if self.cancelled() or not self.groups or rounds == self.budget.rounds:
            return True
        late = self.budget.rounds is None and monotonic() - self.began >= self.budget.seconds
        return late or all(one.gap <= CLOSE_ENOUGH * abs(one.bound) for one in self.groups)

    def _tell(self, share: float) -> None:
        self.on_progress(Progress(share=min(share, 1.0), objective=self._objective(), bound=self._bound()))

    def _objective(self) -> int:
        return sum(one.objective for one in self.groups)

    def _bound(self) -> int:
        return sum(max(one.bound, one.objective) for one in self.groups)

    def _plan(self, ended: Status | None) -> Plan:
        conflicts = tuple(c for one in self.groups for c in _conflicts(self.instance, one))
        optimal = all(one.gap <= 0 for one in self.groups)
        status = Status.INFEASIBLE if conflicts else Status.OPTIMAL if optimal else Status.FEASIBLE
        if any(one.solved is None for one in self.groups):
            status = Status.UNDECIDED
        served: Counter[str] = Counter()
        for one in self.groups:
            served.update(_served(one))
        wanted: Counter[str] = Counter()
        for one in self.groups:
            for day in one.days:
                for (_, reason, _), minutes in day.wanted.items():
                    wanted[reason] += minutes
        return Plan(
            shifts=tuple(_fair(self.instance, self.groups)),
            status=ended or status,
            objective=self._objective(),
            bound=self._bound(),
            served=dict(served),
            wanted=dict(wanted),
            conflicts=conflicts,
        )


def plan(
    instance: RosterInstance,
    *,
    budget: Budget | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Plan:
    """Return the best roster found within the budget, with its bound, and which rules cannot be kept."""
    return _Planner(instance, budget or Budget(), on_progress, cancelled).run()


def _grouped(instance: RosterInstance) -> Iterable[tuple[list[Day], bool]]:
    """Return the days that have to be decided together, and whether a weekly maximum binds them."""
    weeks: dict[date, list[Day]] = defaultdict(list)
    for day in instance.days:
        weeks[_monday(day)].append(Day(instance, day))
    for days in weeks.values():
        if any(_could_exceed(instance, agent, days) for agent in instance.agents):
            yield days, True
        else:
            yield from (([one], False) for one in days)


def _could_exceed(instance: RosterInstance, agent: RosterAgent, days: list[Day]) -> bool:
    there = (len(day.present[agent.id] & set(day.open_blocks)) * day.block for day in days)
    return sum(min(minutes, agent.most_minutes_a_day) for minutes in there) > instance.left_in_week(agent, days[0].date)


def _refuse_too_fine(instance: RosterInstance, days: list[Day]) -> None:
    """Refuse what has too many possible shifts, before any of them is written down; raises TooFine."""
    for day in days:
        count = 0
        for agent in instance.agents:
            for place in day.places:
                if may_be_at(agent, place):
                    count += day.count_of_blocks(agent, place)
                    if count > MOST_BLOCKS_A_DAY:
                        raise TooFine("too many shifts are possible on a day")


def _part_of_week(instance: RosterInstance, agent: RosterAgent, days: list[Day]) -> int:
    """Return an equal part of the weekly maximum for each day on which somebody is there, in whole blocks."""
    there = sum(bool(day.present[agent.id]) for day in days)
    return instance.left_in_week(agent, days[0].date) // max(there, 1) // days[0].block * days[0].block


def _joined(found: list[Solved | None]) -> Solved | None:
    """Return answers for single days as one for all of them, None where one is missing; its bound says nothing."""
    parts = [one for one in found if one is not None]
    if len(parts) < len(found):
        return None
    return Solved(
        chosen=[(at, *key[1:]) for at, part in enumerate(parts) for key in part.chosen],
        served={(at, *key[1:]): minutes for at, part in enumerate(parts) for key, minutes in part.served.items()},
        missing={(at, *key[1:]): minutes for at, part in enumerate(parts) for key, minutes in part.missing.items()},
        objective=sum(part.objective for part in parts),
        bound=None,
        optimal=False,
    )


def _most_worth(instance: RosterInstance, days: list[Day]) -> int:
    """Return what no plan of some days can exceed: all demand served, and all where they like to be."""
    weights = instance.weights
    each = max(weights.preferred - weights.worked, 0)
    blocks = sum(len(present) for day in days for present in day.present.values())
    worth = {True: weights.booked, False: weights.served}
    served = sum(minutes * worth[key[2]] for day in days for key, minutes in day.wanted.items())
    stayed = sum(visits * day.block for day in days for visits in day.spanning.values())
    return served + weights.booked * stayed + each * blocks


def _conflicts(instance: RosterInstance, group: _Group) -> list[Conflict]:
    """Say in which stretches of time a minimum is not kept, and why it cannot be."""
    found: list[Conflict] = []
    if group.solved is None:
        return found
    for (at, block, reason), missing in sorted(
        group.solved.missing.items(), key=lambda item: (item[0][0], str(item[0][2]), item[0][1])
    ):
        if not missing:
            continue
        day = group.days[at]
        needed = instance.rules.least_by_reason[reason] if reason is not None else instance.rules.least_open
        able = sum(
            block in day.present[agent.id] and (reason is None or agent.reasons is None or reason in agent.reasons)
            for agent in instance.agents
        )
        counters = sum(
            len(place.counters)
            for place in day.places
            if block in place.blocks and (reason is None or place.reasons is None or reason in place.reasons)
        )
        lacking = {"TOO_FEW_COUNTERS": counters, "TOO_FEW_PRESENT" if reason is None else "TOO_FEW_SKILLED": able}
        code = next((code for code, there in lacking.items() if there < needed), "TOO_FEW_HOURS")
        one = Conflict(
            code=code,
            date=day.date,
            start_minute=block * day.block,
            end_minute=(block + 1) * day.block,
            needed=needed,
            possible=lacking.get(code, needed - missing),
            reason=reason,
        )
        if found and found[-1] == replace(one, start_minute=found[-1].start_minute, end_minute=one.start_minute):
            found[-1] = replace(found[-1], end_minute=one.end_minute)
        else:
            found.append(one)
    return found


def _served(group: _Group) -> Counter[str]:
    """Return the minutes served by reason: those of a sort are shared out in the order of its reasons."""
    served: Counter[str] = Counter()
    for (at, block, reasons, booked), minutes in (group.solved.served if group.solved else {}).items():
        left = minutes
        for reason in reasons:
            part = min(left, group.days[at].wanted.get((block, reason, booked), 0))
            served[reason] += part
            left -= part
    return served


def _fair(instance: RosterInstance, groups: list[_Group]) -> list[Shift]:
    """Return the shifts, exchanged among agents who are alike that day, each at a counter of its own.

    Not where a weekly maximum binds days together: what one may take over depends on the other days there.
    """
    worked: Counter[str] = Counter()
    shifts: list[Shift] = []
    days = [
        (day, [k for k in (one.solved.chosen if one.solved else ()) if k[0] == at], not one.weekly)
        for one in groups
        for at, day in enumerate(one.days)
    ]
    for day, chosen, free in sorted(days, key=lambda three: three[0].date):
        loads: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for _, agent, place, (first, last) in chosen:
            loads[agent].append((first, last, place))
        if free:
            loads = _exchanged(loads, _alike(instance, day), worked)
        worked.update({name: _length(load) for name, load in loads.items()})
        shifts += _at_counters(instance, day, loads)
    return shifts


def _exchanged(
    loads: dict[str, list[tuple[int, int, int]]], alike: list[list[str]], worked: Counter[str]
) -> dict[str, list[tuple[int, int, int]]]:
    """Give the longest loads to who has worked least, among agents who are alike."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for names in alike:
        longest_first = sorted((loads.get(one, []) for one in names), key=_length, reverse=True)
        found |= dict(zip(sorted(names, key=lambda one: (worked[one], one)), longest_first, strict=True))
    return found


def _alike(instance: RosterInstance, day: Day) -> list[list[str]]:
    """Return agents who could do each other's shifts that day at the same worth."""
    before = {one.agent for one in instance.previous if one.date == day.date}
    found: dict[object, list[str]] = defaultdict(list)
    for agent in instance.agents:
        key = (
            agent.id
            if agent.id in before
            else (agent.reasons, agent.counters, agent.preferred, day.present[agent.id], agent.most_minutes_a_day)
        )
        found[key].append(agent.id)
    return list(found.values())


def _at_counters(instance: RosterInstance, day: Day, loads: dict[str, list[tuple[int, int, int]]]) -> list[Shift]:
    """Give each shift of a place one of its counters: the one used before, else the first that is free."""
    before = {(one.agent, one.counter): one.start_minute for one in instance.previous if one.date == day.date}
    found: list[Shift] = []
    free_at: dict[str, int] = {}
    waiting = sorted((first, last, place, agent) for agent, load in loads.items() for first, last, place in load)
    for first, last, place, agent in waiting:
        free = [one for one in day.places[place].counters if free_at.get(one, 0) <= first]
        counter = min(free, key=lambda one: ((agent, one) not in before, free.index(one)))
        free_at[counter] = last
        found.append(
            Shift(
                date=day.date,
                start_minute=first * day.block,
                end_minute=last * day.block,
                agent=agent,
                counter=counter,
            )
        )
    return found


def _length(load: list[tuple[int, int, int]]) -> int:
    return sum(last - first for first, last, _ in load)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
