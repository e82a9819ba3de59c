"""The best roster by trying every set of shifts, for offices of a few blocks."""

from collections.abc import Iterator
from itertools import combinations

from rdv.engine.roster.values import Plan, RosterInstance, Shift, Status
from tests.engine.roster.checker import at_once, misplaced, most_served, too_long, unkept_minima


def best_worth(instance: RosterInstance) -> int | None:
    """Return what the best roster is worth; None when no roster keeps the minima."""
    candidates = [one for one in _possible(instance) if not misplaced(instance, one)]
    most = len(instance.agents) * 3
    plans = (_plan(chosen) for n in range(most + 1) for chosen in combinations(candidates, n))
    kept = [p for p in plans if not (at_once(instance, p) or too_long(instance, p) or unkept_minima(instance, p))]
    return max((_worth(instance, one) for one in kept), default=None)


def _possible(instance: RosterInstance) -> Iterator[Shift]:
    block = instance.rules.block_minutes
    for day in instance.days:
        ends = sorted({edge for c in instance.counters for edges in c.openings.get(day, ()) for edge in edges})
        for start in range(ends[0], ends[-1], block):
            for end in range(start + block, ends[-1] + 1, block):
                for agent in instance.agents:
                    for counter in instance.counters:
                        yield Shift(date=day, start_minute=start, end_minute=end, agent=agent.id, counter=counter.id)


def _worth(instance: RosterInstance, plan: Plan) -> int:
    weights, block = instance.weights, instance.rules.block_minutes
    liked = {one.id: one.preferred for one in instance.agents}
    before = {(one.date, one.agent, one.counter, at) for one in instance.previous for at in _blocks(one, block)}
    worth = weights.served * most_served(instance, plan)
    for one in plan.shifts:
        for at in _blocks(one, block):
            worth += weights.preferred * (one.counter in liked[one.agent]) - weights.worked
            worth -= weights.changed * (bool(before) and (one.date, one.agent, one.counter, at) not in before)
    return worth


def _blocks(shift: Shift, block: int) -> range:
    return range(shift.start_minute, shift.end_minute, block)


def _plan(shifts: tuple[Shift, ...]) -> Plan:
    return Plan(shifts=shifts, status=Status.FEASIBLE, objective=0, bound=0, served={}, wanted={})
