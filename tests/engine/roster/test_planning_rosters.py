"""Rosters: every rule, the soft ones too, against trying everything; conflicts in words; cancelling; the same twice."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from rdv.engine.roster.day import Day
from rdv.engine.roster.plan import Progress, plan
from rdv.engine.roster.values import (
    Conflict,
    Plan,
    RosterAgent,
    RosterInstance,
    RosterRules,
    Shift,
    Status,
    Visit,
    openings_of,
)
from tests.engine.roster.brute import best_worth
from tests.engine.roster.checker import broken_rules
from tests.engine.roster.offices import MONDAY, MORNING, SHORT, SOON, agent, counter, office, tiny, wanted


def shifts(found: Plan) -> list[tuple[str, str, int, int]]:
    return [(one.agent, one.counter, one.start_minute, one.end_minute) for one in found.shifts]


def test_an_agent_is_at_the_counter_while_somebody_is_expected() -> None:
    found = plan(office(agent(), demand=wanted({600: 60, 660: 60})), budget=SOON)
    assert shifts(found) == [("ann", "c1", 600, 720)]
    assert (found.status, found.served, found.gap) == (Status.OPTIMAL, {"tax": 120}, 0)


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        (office(agent(ranges=((600, 660),))), [("ann", "c1", 600, 660)]),
        (office(agent(), counters=(counter(ranges=((540, 600),)),)), [("ann", "c1", 540, 600)]),
        (office(agent(most_minutes_a_day=60)), [("ann", "c1", 540, 600)]),
        (office(agent(reasons=frozenset({"land"}))), []),
        (office(agent(), counters=(counter(reasons=frozenset({"land"})),)), []),
        (office(agent(counters=frozenset({"c2"}))), []),
        (office(agent(), rules=replace(SHORT, longest_minutes=60)), [("ann", "c1", 540, 600), ("ann", "c1", 660, 720)]),
        (
            office(agent(), rules=replace(SHORT, shortest_minutes=180), demand=wanted({600: 60})),
            [("ann", "c1", 540, 720)],
        ),
        (office(agent(ranges=((540, 630),)), rules=replace(SHORT, shortest_minutes=120)), []),
    ],
    ids=[
        "presence",
        "the counter's hours",
        "the daily maximum",
        "the agent's skills",
        "the counter's reasons",
        "the agent's counters",
        "a break between shifts",
        "the shortest shift",
        "whole blocks only",
    ],
)
def test_a_rule_is_kept(instance: RosterInstance, expected: list[tuple[str, str, int, int]]) -> None:
    found = plan(instance, budget=SOON)
    of_length = [(one[0], one[1], one[3] - one[2]) for one in shifts(found)]
    assert of_length == [(one[0], one[1], one[3] - one[2]) for one in expected]
    assert broken_rules(instance, found) == []


def test_two_agents_are_never_at_one_counter_at_once() -> None:
    instance = office(agent("ann"), agent("bob"), demand=wanted({540: 120, 600: 120, 660: 120}))
    assert plan(instance, budget=SOON).served == {"tax": 180}
    two = replace(instance, counters=(counter("c1"), counter("c2")))
    assert plan(two, budget=SOON).served == {"tax": 360}


def test_a_weekly_maximum_binds_the_days_of_a_week_together_and_no_others() -> None:
    days = tuple(MONDAY + timedelta(days=n) for n in (0, 1, 7))
    demand = tuple(one for day in days for one in wanted({540: 60, 600: 60, 660: 60}, day=day))
    instance = office(agent(days=days, most_minutes_a_week=240), counters=(counter(days=days),), demand=demand)
    found = plan(instance, budget=SOON)
    assert broken_rules(instance, found) == []
    assert found.served == {"tax": 240 + 180}
    assert found.status is Status.OPTIMAL


def test_nobody_exceeds_a_weekly_maximum_by_exchanging_shifts() -> None:
    days = tuple(MONDAY + timedelta(days=n) for n in (0, 1, 2, 7, 8))
    demand = tuple(one for day in days for one in wanted({540: 110, 600: 60, 660: 120}, day=day))
    people = [agent(name, days=days, most_minutes_a_week=300) for name in ("ann", "bob", "cleo")]
    places = (counter("c1", days=days), counter("c2", days=days))
    instance = office(*people, counters=places, demand=demand)
    assert broken_rules(instance, plan(instance, budget=SOON)) == []


def booked(*spans: tuple[int, int], reason: str = "tax") -> tuple[Visit, ...]:
    return tuple(Visit(date=MONDAY, start_minute=start, end_minute=end, reason=reason) for start, end in spans)


def test_who_has_booked_is_served_before_who_may_come() -> None:
    land = agent("bob", ((540, 600),), reasons=frozenset({"land"}))
    found = plan(office(agent(), land, demand=wanted({540: 180}, "land"), booked=booked((540, 600))), budget=SOON)
    assert found.served == {"tax": 60, "land": 0}


def test_a_few_booked_minutes_of_a_block_need_somebody_as_much_as_all_of_it() -> None:
    instance = office(agent(), demand=wanted({540: 90}, "land"), booked=booked((590, 650)))
    assert shifts(plan(instance, budget=SOON)) == [("ann", "c1", 540, 660)]


def test_nobody_is_relieved_in_the_middle_of_a_booked_visit() -> None:
    people = [agent("ann", ((540, 660),)), agent("bob", ((600, 720),))]
    expected = wanted({540: 60, 600: 60, 660: 60})
    relieved = plan(office(*people, demand=expected), budget=SOON)
    assert relieved.served == {"tax": 180}
    staying = plan(
        office(*people, demand=wanted({540: 1}, "land") + expected[2:], booked=booked((570, 630))), budget=SOON
    )
    assert ("ann", "c1", 540, 660) in shifts(staying)


def test_visits_one_after_the_other_need_one_counter_and_at_once_two() -> None:
    people, places = [agent("ann"), agent("bob")], (counter("c1"), counter("c2"))
    for spans, wanted_minutes in ((((540, 570), (570, 600)), 60), (((540, 580), (570, 600)), 120)):
        instance = office(*people, counters=places, demand=wanted({660: 0}), booked=booked(*spans))
        assert plan(instance, budget=SOON).served == {"tax": wanted_minutes}


def test_who_worked_least_gets_the_longer_shift() -> None:
    days = (MONDAY, MONDAY + timedelta(days=1))
    demand = tuple(one for day in days for one in wanted({540: 60, 600: 60, 660: 60}, day=day))
    found = plan(
        office(agent("ann", days=days), agent("bob", days=days), counters=(counter(days=days),), demand=demand),
        budget=SOON,
    )
    assert {one.agent for one in found.shifts} == {"ann", "bob"}


def test_a_preferred_counter_is_chosen() -> None:
    instance = office(agent(preferred=frozenset({"c2"})), counters=(counter("c1"), counter("c2")))
    assert {one.counter for one in plan(instance, budget=SOON).shifts} == {"c2"}


def test_a_new_absence_changes_as_little_of_the_roster_as_it_can() -> None:
    days = tuple(MONDAY + timedelta(days=n) for n in range(5))
    demand = tuple(one for day in days for one in wanted({540: 110, 600: 110, 660: 110}, day=day))
    people = [agent(name, days=days) for name in ("ann", "bob", "cleo")]
    instance = office(*people, counters=(counter("c1", days=days), counter("c2", days=days)), demand=demand)
    before = plan(instance, budget=SOON)
    away = {one.agent for one in before.shifts if one.date == MONDAY}.pop()
    there = {one.id: days[1:] if one.id == away else days for one in people}
    without = tuple(agent(name, days=those) for name, those in there.items())
    absent = replace(instance, agents=without, previous=before.shifts)
    after = plan(absent, budget=SOON)
    assert broken_rules(absent, after) == []
    assert on_other_days(after) == on_other_days(before)
    assert after.served["tax"] > 4 * 330  # on Monday some are still received


def on_other_days(found: Plan) -> set[Shift]:
    return {one for one in found.shifts if one.date != MONDAY}


@pytest.mark.parametrize(
    ("rules", "people", "expected"),
    [
        (
            replace(SHORT, least_open=2),
            [agent("ann"), agent("bob", ((600, 720),))],
            ("TOO_FEW_PRESENT", 540, 600, 2, 1, None),
        ),
        (
            replace(SHORT, least_by_reason={"tax": 1}),
            [agent("ann", reasons=frozenset({"land"}))],
            ("TOO_FEW_SKILLED", 540, 720, 1, 0, "tax"),
        ),
        (
            replace(SHORT, least_open=1, shortest_minutes=180),
            [agent("ann", most_minutes_a_day=120)],
            ("TOO_FEW_HOURS", 540, 720, 1, 0, None),
        ),
    ],
)
def test_a_rule_that_cannot_be_kept_is_named_with_when_and_how_many(
    rules: RosterRules, people: list[RosterAgent], expected: tuple[Any, ...]
) -> None:
    found = plan(office(*people, counters=(counter("c1"), counter("c2")), rules=rules), budget=SOON)
    code, start, end, needed, possible, reason = expected
    assert found.status is Status.INFEASIBLE
    assert found.conflicts == (
        Conflict(
            code=code,
            date=MONDAY,
            start_minute=start,
            end_minute=end,
            needed=needed,
            possible=possible,
            reason=reason,
        ),
    )


def test_counters_that_are_lacking_are_named_before_agents() -> None:
    rules = replace(SHORT, least_open=2, least_by_reason={"land": 1})
    place = counter(reasons=frozenset({"tax"}))
    found = plan(office(agent("ann"), agent("bob"), agent("cleo"), counters=(place,), rules=rules), budget=SOON)
    assert {(one.code, one.reason, one.needed, one.possible) for one in found.conflicts} == {
        ("TOO_FEW_COUNTERS", None, 2, 1),
        ("TOO_FEW_COUNTERS", "land", 1, 0),
    }


@pytest.mark.parametrize(
    ("hours", "block", "shortest", "longest"), [(MORNING, 60, 60, 180), (((540, 660), (690, 720)), 30, 60, 90)]
)
def test_the_blocks_of_possible_shifts_are_counted_without_listing_them(
    hours: Any, block: int, shortest: int, longest: int
) -> None:
    rules = RosterRules(block_minutes=block, shortest_minutes=shortest, longest_minutes=longest, break_minutes=0)
    day = Day(office(agent(ranges=hours), rules=rules), MONDAY)
    listed = sum(last - first for first, last in day.intervals(day.instance.agents[0], day.places[0]))
    assert day.count_of_blocks(day.instance.agents[0], day.places[0]) == listed


def test_a_single_day_of_a_week_and_what_is_planned_elsewhere_count_for_the_weekly_maximum() -> None:
    alone = office(agent(most_minutes_a_week=120))
    assert plan(alone, budget=SOON).served == {"tax": 120}
    before = replace(office(agent(most_minutes_a_week=180)), worked={("ann", MONDAY): 120})
    assert plan(before, budget=SOON).served == {"tax": 60}


def test_progress_never_goes_back_and_tells_of_a_whole_plan() -> None:
    days = tuple(MONDAY + timedelta(days=n) for n in range(5))
    told: list[Progress] = []
    demand = tuple(one for day in days for one in wanted({540: 60}, day=day))
    found = plan(
        office(agent(days=days), counters=(counter(days=days),), demand=demand), budget=SOON, on_progress=told.append
    )
    shares = [one.share for one in told]
    assert shares == sorted(shares)
    assert (told[-1].objective, told[-1].bound) == (found.objective, found.bound)


def test_a_cancelled_plan_ends_at_once_and_says_so() -> None:
    assert plan(office(agent()), budget=SOON, cancelled=lambda: True).status is Status.CANCELLED


def test_the_same_seed_gives_the_same_roster() -> None:
    people = [agent(f"a{n}", reasons=frozenset({"tax"} if n % 2 else {"tax", "land"})) for n in range(6)]
    places = tuple(counter(f"c{n}") for n in range(4))
    demand = wanted({540: 170, 600: 130, 660: 90}) + wanted({540: 60, 660: 120}, "land")
    first, second = (plan(office(*people, counters=places, demand=demand), budget=SOON) for _ in range(2))
    assert first == second


def test_a_day_without_agents_or_demand_is_an_empty_roster() -> None:
    assert plan(office(), budget=SOON).shifts == ()
    assert plan(office(agent(), demand=wanted({540: 0})), budget=SOON).shifts == ()
    assert plan(RosterInstance(agents=(), counters=(), demand=()), budget=SOON).status is Status.OPTIMAL


def test_a_counter_is_open_while_somebody_is_at_it() -> None:
    two = (
        Shift(date=MONDAY, start_minute=540, end_minute=660, agent="ann", counter="c1"),
        Shift(date=MONDAY, start_minute=660, end_minute=720, agent="bob", counter="c1"),
    )
    assert openings_of(two) == {("c1", MONDAY): [(540, 720)]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"block_minutes": 7},
        {"block_minutes": 60, "shortest_minutes": 90},
        {"shortest_minutes": 240, "longest_minutes": 120},
        {"break_minutes": -30},
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"block|shift"):
        RosterRules(**wrong)


def test_an_instance_nobody_could_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 200 agents"):
        office(*(agent(f"a{n}") for n in range(201)))
    with pytest.raises(ValueError, match="ids of their own"):
        office(agent(), agent())
    with pytest.raises(ValueError, match="belongs to a block"):
        office(agent(), demand=wanted({555: 10}))


@given(tiny())
def test_nothing_that_could_be_tried_is_worth_more(instance: RosterInstance) -> None:
    found = plan(instance, budget=SOON)
    best = best_worth(instance)
    assert broken_rules(instance, found) == []
    if best is None:
        assert found.status is Status.INFEASIBLE
    else:
        assert (found.status, found.objective, found.bound) == (Status.OPTIMAL, best, best)
