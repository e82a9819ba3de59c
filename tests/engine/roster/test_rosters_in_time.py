"""Where many shifts are possible: something is found in time, nothing is claimed that was not decided."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdv.engine.roster.day import Day
from rdv.engine.roster.greedy import greedy
from rdv.engine.roster.model import Limit, Model
from rdv.engine.roster.plan import Budget, TooFine, plan
from rdv.engine.roster.values import (
    Plan,
    RosterInstance,
    RosterRules,
    Shift,
    Status,
)
from tests.engine.roster.brute import best_worth
from tests.engine.roster.checker import at_once, misplaced, too_long
from tests.engine.roster.offices import MONDAY, SOON, agent, counter, office, tiny, wanted


def specialists(people: int, places: int) -> RosterInstance:
    """Return a day with so many different counters and agents that the solver finds nothing at once."""
    kinds = [f"r{n}" for n in range(places)]
    some = [frozenset({kinds[n % places], kinds[(n + 1) % places], kinds[(n * 7) % places]}) for n in range(people)]
    hours = ((540, 1020),)
    return RosterInstance(
        agents=tuple(agent(f"a{n}", hours, reasons=some[n]) for n in range(people)),
        counters=tuple(counter(f"c{n}", hours, reasons=some[n]) for n in range(places)),
        demand=tuple(one for kind in kinds for one in wanted(dict.fromkeys(range(540, 1020, 30), 20), kind)),
        rules=RosterRules(least_open=1),
    )


def test_where_the_solver_finds_nothing_in_time_there_is_a_roster_all_the_same() -> None:
    instance = specialists(24, 12)
    found = plan(instance, budget=Budget(seconds=60, rounds=0))
    assert found.served.keys() == {f"r{n}" for n in range(12)}
    assert sum(found.served.values()) > 0.8 * sum(found.wanted.values())
    assert found.status in {Status.FEASIBLE, Status.OPTIMAL}
    assert misplaced_or_at_once(instance, found) == []
    assert found.bound >= found.objective > 0


def misplaced_or_at_once(instance: RosterInstance, found: Plan) -> list[str]:
    wrong = [fault for one in found.shifts for fault in misplaced(instance, one)]
    return wrong + at_once(instance, found) + too_long(instance, found)


@given(st.data())
def test_shifts_picked_one_by_one_keep_the_rules_too(data: st.DataObject) -> None:
    instance = data.draw(tiny())
    model = Model(instance, [Day(instance, one) for one in instance.days])
    solved = model.given(greedy(model), Limit(effort=1.0, seconds=10, stop=lambda: False))
    assert solved is not None
    chosen = tuple(
        Shift(
            date=MONDAY, start_minute=first * 60, end_minute=last * 60, agent=name, counter=f"place {place} of {name}"
        )
        for _, name, place, (first, last) in solved.chosen
    )
    assert at_once(instance, replace(plan(instance, budget=SOON), shifts=chosen)) == []
    best = best_worth(instance)
    assert best is None or solved.objective <= best


def test_nothing_is_said_to_be_optimal_that_was_not_decided() -> None:
    found = plan(specialists(24, 12), budget=Budget(seconds=0.2, rounds=0))
    assert found.status in {Status.UNDECIDED, Status.FEASIBLE, Status.INFEASIBLE}
    assert found.gap > 0


def test_more_shifts_than_could_be_planned_are_refused_before_they_are_written_down() -> None:
    fine = RosterRules(block_minutes=5, shortest_minutes=5, longest_minutes=1440, break_minutes=0)
    day = ((480, 1080),)
    with pytest.raises(TooFine):
        plan(office(agent("ann", day), agent("bob", day), counters=(counter(ranges=day),), rules=fine))
