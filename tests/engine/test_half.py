"""Classes of counters: however the answer is found, it is CP-SAT's with a variable for each visit and counter."""

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdv.engine import solver
from rdv.engine.budget import Budget, Purse
from rdv.engine.classes import Classes, Free, Shape
from rdv.engine.half import Half
from rdv.engine.visits import Problem, Visit

COUNTERS, TICKS = 6, 12
NOTHING_BUT_EJECTIONS = Budget(ejections=200, solver_seconds=0)
NOTHING_BUT_THE_SOLVER = Budget(ejections=0, solver_seconds=60)


class Situation(NamedTuple):
    """Visits, where they stand, and one more."""

    visits: tuple[Visit, ...]
    asked: Visit

    @property
    def counters(self) -> dict[str, int]:
        return {visit.id: visit.counter for visit in self.visits if visit.counter is not None}


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    sets = draw(st.lists(st.integers(1, 2**COUNTERS - 1), min_size=1, max_size=4))
    visits = []
    for counter in range(COUNTERS):
        at = draw(st.integers(0, 3))
        while at < TICKS:
            until = at + draw(st.integers(1, 5))
            if draw(st.integers(0, 3)):
                may_sit = draw(st.sampled_from(sets)) | 1 << counter
                visits.append(Visit(id=str(len(visits)), start=at, until=until, counters=may_sit, counter=counter))
            at = until
    start = draw(st.integers(0, TICKS))
    asked = Visit(id="asked", start=start, until=start + draw(st.integers(1, 5)), counters=draw(st.sampled_from(sets)))
    return Situation(tuple(visits), asked)


def purse(budget: Budget) -> Purse:
    return Purse(budget.solver_seconds)


def half(found: Situation, budget: Budget) -> Half:
    return Half(found.visits, found.counters, COUNTERS, base=0, budget=budget)


def truth(found: Situation) -> int:
    problem = Problem(visits=found.visits, counter_count=COUNTERS)
    copies = [replace(found.asked, id=f"copy {number}") for number in range(COUNTERS)]
    count, undecided = solver.most_copies(problem, copies, at_least=0, seconds=60)
    assert not undecided
    return count


@pytest.mark.parametrize("budget", [Budget(), NOTHING_BUT_THE_SOLVER])
@given(situations(), st.data())
def test_as_many_fit_as_the_large_model_finds(budget: Budget, found: Situation, data: st.DataObject) -> None:
    asked, right = half(found, budget), truth(found)
    copies = data.draw(st.integers(1, COUNTERS))
    for _ in range(2):  # what moved for the first answer is where it was put
        assert asked.most(found.asked, purse(budget)) == (right, 0)
        assert asked.fits(found.asked, purse(budget), copies)[1] is (copies <= right)


@given(situations())
def test_what_ejections_find_is_true_and_what_they_do_not_is_not_denied(found: Situation) -> None:
    right = truth(found)
    count, undecided = half(found, NOTHING_BUT_EJECTIONS).most(found.asked, Purse(0))
    assert count <= right <= count + undecided


@pytest.mark.parametrize("budget", [Budget(), NOTHING_BUT_THE_SOLVER])
@given(situations(), st.integers(1, COUNTERS))
def test_seats_are_found_for_as_many_as_fit_and_nobody_shares_one(budget: Budget, found: Situation, count: int) -> None:
    copies = [replace(found.asked, id=f"copy {number}") for number in range(count)]
    seats = half(found, budget).seats(copies, purse(budget))
    assert (seats is None) == (count > truth(found))
    if seats is not None:
        everybody = [*found.visits, *copies]
        assert set(seats) == {visit.id for visit in everybody}
        assert all(visit.counters >> seats[visit.id] & 1 for visit in everybody)
        taken = Counter((seats[v.id], tick) for v in everybody for tick in range(v.start, v.until))
        assert max(taken.values()) == 1


@given(situations())
def test_where_there_is_room_nobody_leaves_the_counters_like_theirs(found: Situation) -> None:
    classes = Classes(found.visits, found.counters, COUNTERS, base=0, asked=found.asked.counters)
    if classes.room(found.asked):
        seats = half(found, Budget()).seats([found.asked], Purse(0))
        assert seats is not None
        sets = [found.asked.counters, *(visit.counters for visit in found.visits)]
        for name, before in found.counters.items():
            assert all((one >> before & 1) == (one >> seats[name] & 1) for one in sets)


@given(st.integers(1, 40), st.data())
def test_free_counters_are_counted_tick_by_tick(size: int, data: st.DataObject) -> None:
    free, left = Free(size, 2**TICKS - 1), [size] * TICKS
    taken: list[tuple[int, int]] = []
    for _ in range(data.draw(st.integers(0, 12))):
        if taken and data.draw(st.booleans()):
            span, count = taken.pop()
            free.give(span, count)
            count = -count
        else:
            span = data.draw(st.integers(1, 2**TICKS - 1))
            if not free.least(span):
                continue
            count = data.draw(st.integers(1, free.least(span)))
            free.take(span, count)
            taken.append((span, count))
        left = [one - count * (span >> tick & 1) for tick, one in enumerate(left)]
        assert [free.least(1 << tick) for tick in range(TICKS)] == left
        assert free.none == sum(1 << tick for tick, one in enumerate(left) if not one)
    assert free.least(2**TICKS - 1) == min(left)


def test_visits_that_nobody_tells_apart_are_one_shape_in_one_class() -> None:
    visits = [Visit(id=str(at), start=0, until=2, counters=0b011, counter=at) for at in range(2)]
    classes = Classes(visits, {"0": 0, "1": 1}, 3, base=0, asked=0b111)
    assert classes.sizes == [1, 2]  # first the counter that nobody else may have
    assert classes.shapes() == {Shape(span=0b11, classes=0b10): 2}


def test_where_nobody_else_is_a_visit_has_every_counter_and_no_more() -> None:
    asked = Visit(id="asked", start=40, until=43, counters=0b11)
    for visits in ((), (Visit(id="0", start=0, until=2, counters=0b11, counter=0),)):
        found = half(Situation(visits, asked), Budget())
        assert found.most(asked, Purse(0)) == (2, 0)
        assert found.seats([replace(asked, id=str(10 + number)) for number in range(3)], Purse(0)) is None


def test_many_sets_of_counters_are_bounded_by_matchings() -> None:
    # Seven pairs of counters and whoever sits between two of them: more unions than are looked at, and all is full.
    every = range(14)
    visits = [Visit(id=str(at), start=0, until=2, counters=1 << at | 1 << (at + 1) % 14, counter=at) for at in every]
    asked = Visit(id="asked", start=0, until=2, counters=0b11)
    counters = {visit.id: visit.counter for visit in visits if visit.counter is not None}
    classes = Classes(visits, counters, 14, base=0, asked=asked.counters)
    assert classes.has_more_unions(asked)
    assert Half(visits, counters, 14, base=0, budget=Budget()).fits(asked, Purse(0)) == ("bound", False)
