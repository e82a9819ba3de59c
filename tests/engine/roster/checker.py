"""Judges a roster by its rules, sharing nothing with the solver."""

from collections import Counter
from datetime import timedelta
from itertools import chain, combinations

from rdv.engine.roster.values import Plan, RosterInstance, Shift


def broken_rules(instance: RosterInstance, plan: Plan) -> list[str]:
    """Return what is wrong with a plan, in words; nothing when it keeps every hard rule."""
    wrong = [fault for shift in plan.shifts for fault in misplaced(instance, shift)]
    wrong += at_once(instance, plan) + too_long(instance, plan)
    if not plan.conflicts:
        wrong += unkept_minima(instance, plan)
    if sum(plan.served.values()) > most_served(instance, plan):
        wrong.append("more is said to be served than can be")
    return wrong


def misplaced(instance: RosterInstance, shift: Shift) -> list[str]:
    agent = next(one for one in instance.agents if one.id == shift.agent)
    counter = next(one for one in instance.counters if one.id == shift.counter)
    shortest, longest = instance.rules.shortest_minutes, instance.rules.longest_minutes
    faults = {
        "not there": not within(shift, agent.presence.get(shift.date, ())),
        "the counter may not be open": not within(shift, counter.openings.get(shift.date, ())),
        "may not be at this counter": agent.counters is not None and counter.id not in agent.counters,
        "has nothing to do there": not (agent.reasons is None or counter.reasons is None)
        and not agent.reasons & counter.reasons,
        "too short or too long": not shortest <= shift.end_minute - shift.start_minute <= longest,
    }
    return [f"{shift}: {fault}" for fault, so in faults.items() if so]


def at_once(instance: RosterInstance, plan: Plan) -> list[str]:
    wrong = []
    for who, pause in (("agent", instance.rules.break_minutes), ("counter", 0)):
        for first, second in combinations(plan.shifts, 2):
            if getattr(first, who) == getattr(second, who) and first.date == second.date:
                early, late = sorted((first, second), key=lambda shift: shift.start_minute)
                if late.start_minute < early.end_minute + pause:
                    wrong.append(f"{early} and {late}: at once, or without a break")
    return wrong


def too_long(instance: RosterInstance, plan: Plan) -> list[str]:
    agents = {one.id: one for one in instance.agents}
    days: Counter[tuple[str, object]] = Counter()
    weeks: Counter[tuple[str, object]] = Counter()
    for one in plan.shifts:
        days[one.agent, one.date] += one.end_minute - one.start_minute
        weeks[one.agent, one.date - timedelta(days=one.date.weekday())] += one.end_minute - one.start_minute
    return [
        f"{key}: too long a day" for key, minutes in days.items() if minutes > agents[key[0]].most_minutes_a_day
    ] + [f"{key}: too long a week" for key, minutes in weeks.items() if minutes > agents[key[0]].most_minutes_a_week]


def within(shift: Shift, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(start <= shift.start_minute and shift.end_minute <= end for start, end in ranges)


def unkept_minima(instance: RosterInstance, plan: Plan) -> list[str]:
    wrong = []
    for day in instance.days:
        for start in range(0, 24 * 60, instance.rules.block_minutes):
            end = start + instance.rules.block_minutes
            if not any(s <= start and end <= e for c in instance.counters for s, e in c.openings.get(day, ())):
                continue
            here = [s for s in plan.shifts if s.date == day and s.start_minute <= start and end <= s.end_minute]
            if len(here) < instance.rules.least_open:
                wrong.append(f"{day} {start}: too few counters are open")
            for reason, least in instance.rules.least_by_reason.items():
                if sum(reason in can_serve(instance, one, {reason}) for one in here) < least:
                    wrong.append(f"{day} {start}: too few can serve {reason}")
    return wrong


def can_serve(instance: RosterInstance, shift: Shift, reasons: set[str]) -> set[str]:
    agent = next(one for one in instance.agents if one.id == shift.agent)
    counter = next(one for one in instance.counters if one.id == shift.counter)
    return {
        reason
        for reason in reasons
        if (agent.reasons is None or reason in agent.reasons) and (counter.reasons is None or reason in counter.reasons)
    }


def most_served(instance: RosterInstance, plan: Plan) -> int:
    """Return how many minutes the shifts can serve: for each block, the smallest cut over sets of reasons."""
    block = instance.rules.block_minutes
    by_block: dict[tuple[object, int], dict[str, int]] = {}
    for one in instance.demand:
        wanted = by_block.setdefault((one.date, one.start_minute), {})
        wanted[one.reason] = wanted.get(one.reason, 0) + one.minutes
    total = 0
    for (day, start), wanted in by_block.items():
        here = [s for s in plan.shifts if s.date == day and s.start_minute <= start and start + block <= s.end_minute]
        able = [can_serve(instance, one, set(wanted)) for one in here]
        total += min(
            sum(minutes for reason, minutes in wanted.items() if reason not in chosen)
            + block * sum(bool(those & chosen) for those in able)
            for chosen in map(set, subsets(wanted))
        )
    return total


def subsets(reasons: dict[str, int]) -> chain[tuple[str, ...]]:
    names = sorted(reasons)
    return chain.from_iterable(combinations(names, n) for n in range(len(names) + 1))
