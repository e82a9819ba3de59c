"""The fewest counters for fixed-time visits, against brute force on small cases and one public instance."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.smptsp import catalogue, office_of, problem_of
from rdv.engine.fewest import Fewest, Limits, fewest
from rdv.engine.referee import violations
from rdv.engine.solver import Infeasible
from rdv.engine.values import Place
from rdv.engine.visits import Problem, Visit

COUNTERS = 4


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    visits = []
    for at in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, 6))
        until = start + draw(st.integers(1, 4))
        visits.append(Visit(id=str(at), start=start, until=until, counters=draw(st.integers(0, 2**COUNTERS - 1))))
    return Problem(visits=tuple(visits), counter_count=COUNTERS)


def by_trying(problem: Problem) -> int | None:
    """Return the fewest counters by trying every plan, None when there is none."""
    best = None
    for plan in product(range(COUNTERS), repeat=len(problem.visits)):
        if fits(problem, plan) and (best is None or len(set(plan)) < best):
            best = len(set(plan))
    return best


def fits(problem: Problem, plan: tuple[int, ...]) -> bool:
    seated = list(zip(problem.visits, plan, strict=True))
    return all(visit.counters >> counter & 1 for visit, counter in seated) and not any(
        here == there and one.id < other.id and one.start < other.until and other.start < one.until
        for one, here in seated
        for other, there in seated
    )


@given(problems())
def test_the_fewest_are_what_trying_every_plan_finds(problem: Problem) -> None:
    expected, found = by_trying(problem), fewest(problem)
    if expected is None:
        assert isinstance(found, Infeasible)
        return
    assert isinstance(found, Fewest)
    assert fits(problem, tuple(found.seats[visit.id].counter for visit in problem.visits))
    assert found.used == found.bound == expected


@given(problems())
def test_with_hardly_any_work_allowed_the_bound_is_still_none_too_many(problem: Problem) -> None:
    expected = by_trying(problem)
    found = fewest(problem, limits=Limits(steps=1, solver_seconds=1e-9))
    if isinstance(found, Fewest):
        assert expected is not None
        assert found.bound <= expected <= found.used
        assert fits(problem, tuple(found.seats[visit.id].counter for visit in problem.visits))


def test_visits_that_need_agents_are_not_for_this_question() -> None:
    served = Visit(id="0", start=0, until=1, counters=1, agents=1, agents_needed=1)
    with pytest.raises(ValueError, match="without agents only"):
        fewest(Problem(visits=(served,), counter_count=1, agent_count=1))


@pytest.mark.parametrize("name", ["data_5_25_60_33", "data_0001_0062_0071_025"])
def test_the_optimum_of_a_public_instance_is_reached_proven_and_the_same_each_time(name: str) -> None:
    (case,) = (one for one in catalogue() if one.name == name)
    found = fewest(problem_of(case))
    assert isinstance(found, Fewest)
    assert (found.used, found.proven) == (case.optimum, True)
    plan = {job: Place(str(seat.counter)) for job, seat in found.seats.items()}
    assert violations(office_of(case), plan) == []
    assert fewest(problem_of(case)) == found
