"""Planning rosters on frozen offices: time to the first whole plan, and how far the plan is from the bound.

The reference is a naive CP-SAT model in the same run: one variable for each agent, counter and block, all days
together, the same rules but for the shortest shift, breaks and maxima. Every plan is judged by a checker that knows
nothing of the solver. The ratio is what the plan is worth to what the naive one is.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from time import perf_counter
from typing import Any

from ortools.sat.python import cp_model

from rdv.engine.roster.plan import FIRST_SHARE, Budget, Progress, plan
from rdv.engine.roster.values import Demand, RosterAgent, RosterCounter, RosterInstance, RosterRules
from tests.engine.roster.checker import broken_rules

MONDAY = date(2027, 3, 1)
REASONS = [f"r{n}" for n in range(8)]
HOURS = ((9 * 60, 12 * 60 + 30), (13 * 60 + 30, 16 * 60 + 30))


@dataclass(frozen=True)
class Size:
    """A frozen office."""

    name: str
    agents: int
    counters: int
    weeks: int
    seed: int
    most_a_week: int = 2100  # minutes; less than everybody is there makes the days of a week one problem


SIZES = (
    Size("small", 6, 4, 2, 1),
    Size("usual, seed 1", 20, 15, 4, 1),
    Size("usual, seed 2", 20, 15, 4, 2),
    Size("usual, seed 3", 20, 15, 4, 3),
    Size("part-timers", 20, 15, 4, 1, 1500),
    Size("large", 60, 40, 4, 1),
)
COMPARED = {"small", "usual, seed 1"}


def frozen(size: Size) -> RosterInstance:
    """Return the office of a size: always the same one."""
    random = Random(size.seed)
    days = [MONDAY + timedelta(days=7 * week + n) for week in range(size.weeks) for n in range(5)]
    agents = []
    for number in range(size.agents):
        away = random.randrange(5) if random.random() < 0.3 else None
        presence = {day: HOURS for day in days if day.weekday() != away and random.random() > 0.05}
        skills = None if random.random() < 0.5 else frozenset(random.sample(REASONS, random.randint(2, 5)))
        agents.append(
            RosterAgent(id=f"a{number}", presence=presence, reasons=skills, most_minutes_a_week=size.most_a_week)
        )
    counters = tuple(
        RosterCounter(
            id=f"c{number}",
            openings=dict.fromkeys(days, HOURS),
            reasons=None if number % 3 else frozenset(REASONS[:3]),
        )
        for number in range(size.counters)
    )
    demand = tuple(
        Demand(date=day, start_minute=block, reason=reason, minutes=minutes)
        for day in days
        for start, end in HOURS
        for block in range(start, end, 30)
        for reason in REASONS
        if (minutes := round(random.uniform(0, 2) * 30 * size.counters * 0.9 / len(REASONS)))
    )
    return RosterInstance(agents=tuple(agents), counters=counters, demand=demand, rules=RosterRules(least_open=2))


def naive(instance: RosterInstance, seconds: float) -> int:
    """Return what a plan without any structure is worth after some seconds."""
    model = cp_model.CpModel()
    worth = [
        term for day in instance.days for block in _blocks(instance) for term in _naive(model, instance, day, block)
    ]
    model.maximize(sum(worth))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    status = solver.solve(model)
    return round(solver.objective_value) if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else 0


def _blocks(instance: RosterInstance) -> list[int]:
    return [at for start, end in HOURS for at in range(start, end, instance.rules.block_minutes)]


def _naive(model: cp_model.CpModel, instance: RosterInstance, day: date, at: int) -> list[Any]:
    """Add one block of one day: who is where, and how it is served; return what it is worth."""
    block, weights = instance.rules.block_minutes, instance.weights
    agents = [one for one in instance.agents if day in one.presence]
    here = {(a, c): model.new_bool_var("") for a in range(len(agents)) for c in range(len(instance.counters))}
    for side in (0, 1):
        for which in {key[side] for key in here}:
            model.add_at_most_one(v for key, v in here.items() if key[side] == which)
    model.add(sum(here.values()) >= min(instance.rules.least_open, len(agents)))
    flows: dict[str, list[Any]] = {reason: [] for reason in REASONS}
    for (a, c), present in here.items():
        mine = {r: model.new_int_var(0, block, "") for r in REASONS if _may(agents[a].reasons, instance.counters[c], r)}
        model.add(sum(mine.values()) <= block * present)
        for reason, flow in mine.items():
            flows[reason].append(flow)
    wanted = {one.reason: one.minutes for one in instance.demand if (one.date, one.start_minute) == (day, at)}
    for reason, those in flows.items():
        model.add(sum(those) <= wanted.get(reason, 0))
    served = [weights.served * flow for those in flows.values() for flow in those]
    return served + [-weights.worked * v for v in here.values()]


def _may(reasons: frozenset[str] | None, counter: RosterCounter, reason: str) -> bool:
    return all(those is None or reason in those for those in (reasons, counter.reasons))


def measured(size: Size, seconds: float) -> dict[str, Any]:
    """Plan one office and judge the plan."""
    instance = frozen(size)
    began = perf_counter()
    told: list[tuple[float, Progress]] = []
    found = plan(
        instance,
        budget=Budget(seconds=seconds),
        on_progress=lambda progress: told.append((perf_counter() - began, progress)),
    )
    took = perf_counter() - began
    first, then = next((at, progress) for at, progress in told if progress.share >= FIRST_SHARE)
    wrong = broken_rules(instance, found)
    row: dict[str, Any] = {
        "name": f"{size.name}: {size.agents} agents, {size.counters} counters, {size.weeks} weeks",
        "value": f"first plan {first:.2f} s, gap {1 - then.objective / then.bound:.2%};"
        f" after {took:.0f} s {found.gap:.2%}",
        "checked": "right" if not wrong else f"WRONG {wrong[:2]}",
    }
    if size.name in COMPARED:
        reference = naive(instance, seconds)
        row |= {"reference": f"naive model, {seconds:.0f} s", "ratio": found.objective / reference}
    return row


def run(sizes: tuple[Size, ...] = SIZES, seconds: float = 30.0) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    return [measured(size, seconds) for size in sizes]
