"""A seat is had exactly for the offered starts, and taking it leaves everybody else a valid place."""

from dataclasses import replace
from datetime import UTC, date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdv.engine.budget import DEFAULT, Budget
from rdv.engine.document import parse_instance
from rdv.engine.referee import EPOCH, minute_of, violations
from rdv.engine.slots import Office
from rdv.engine.values import Appointment, Instance, Place, Query, Seated
from tests.engine.random_instances import documents
from tests.engine.slot_oracle import Oracle

BOTH = st.booleans().flatmap(lambda agents: documents(agents=agents))
DAY = {"format": "rdv-instance/1", "time_zone": "Europe/Paris", "now": "2027-03-01T08:00:00+01:00"}


BUDGETS = pytest.mark.parametrize("budget", [DEFAULT, Budget(repair_steps=0), Budget(repair_steps=0, ejections=0)])


def office_of(instance: Instance, budget: Budget = DEFAULT) -> Office:
    first = min(query.from_date for query in instance.queries)
    return Office(instance, first, max(query.to_date for query in instance.queries), budget=budget)


@BUDGETS
@given(BOTH)
def test_a_seat_is_had_for_exactly_the_offered_starts(budget: Budget, document: dict[str, Any]) -> None:
    instance = parse_instance(document)
    oracle, office = Oracle(instance), office_of(instance, budget)
    for query in instance.queries:
        offered = office.answer(query).starts
        grid = [EPOCH + timedelta(minutes=start) for start in oracle.grid(query)]
        assert [start for start in grid if office.seat(query, start) is not None] == list(offered)
        between = [start + timedelta(minutes=1) for start in grid]
        assert [start for start in between if start not in grid and office.seat(query, start)] == []


@BUDGETS
@given(BOTH)
def test_taking_a_seat_leaves_everyone_a_valid_place(budget: Budget, document: dict[str, Any]) -> None:
    instance = parse_instance(document)
    oracle, office = Oracle(instance), office_of(instance, budget)
    for query in instance.queries:
        placed = {a.id for a in oracle.live} - oracle.stranded_without(query.replacing) - {query.replacing}
        for start in office.answer(query).starts:
            new = oracle.asked(query, minute_of(start))
            seated = office.seat(query, start.astimezone(UTC))
            assert seated is not None
            assert set(seated.moves) <= placed  # the stranded and the replaced are left alone
            others = [a for a in oracle.live if a.id != query.replacing]
            around = [a for a in connected(new, others) if a.id in placed]
            stand = standing(around)
            assert judged(instance, around, new, seated) == []
            assert all(seated.moves[name] != place for name, place in stand.items() if name in seated.moves)
            if nobody_has_to_move(instance, oracle, around, new):
                assert seated.moves == {}


def connected(new: Appointment, live: list[Appointment]) -> list[Appointment]:
    """Return who overlaps the new one, or somebody who does, and so on."""
    found: list[Appointment] = []
    reached = [new]
    while reached:
        one = reached.pop()
        near = [a for a in live if a not in found and begin(a) < until(one) and begin(one) < until(a)]
        found += near
        reached += near
    return [a for a in live if a in found]


def begin(appointment: Appointment) -> int:
    return minute_of(appointment.start)


def until(appointment: Appointment) -> int:
    return begin(appointment) + appointment.duration_minutes + appointment.buffer_minutes


def standing(live: list[Appointment]) -> dict[str, Place]:
    return {a.id: Place(a.counter, a.agents) for a in live if a.counter is not None}


def judged(instance: Instance, around: list[Appointment], new: Appointment, seated: Seated) -> list[Any]:
    then = replace(instance, appointments=(*around, new))
    stand = {name: place if instance.agents else Place(place.counter) for name, place in standing(around).items()}
    return violations(then, {**stand, **seated.moves, new.id: seated.place})


def nobody_has_to_move(instance: Instance, oracle: Oracle, around: list[Appointment], new: Appointment) -> bool:
    """Tell whether everyone's present place is valid and leaves one for the new one."""
    stand = standing(around)
    then = replace(instance, appointments=(*around, new))
    places = (place for place in oracle.places(new) if place.counter in candidates(oracle, new))
    return any(not violations(then, {**stand, new.id: place}) for place in places)


def candidates(oracle: Oracle, new: Appointment) -> set[str]:
    day = new.start.astimezone(oracle.instance.zone).date()
    return oracle.candidates(asked_of(new, day), begin(new))


def asked_of(new: Appointment, day: date) -> Query:
    return Query(reason=new.reason, from_date=day, to_date=day, channel=new.channel, modality=new.modality)


def test_the_repeated_hour_of_autumn_can_be_booked_twice() -> None:
    instance = parse_instance(
        {
            **DAY,
            "now": "2026-10-20T08:00:00+02:00",
            "office": {"step_minutes": 30},
            "openings": [{"date": "2026-10-25", "start": "02:00", "end": "03:00"}],
            "reasons": [{"id": "r", "duration_minutes": 30}],
            "counters": [{"id": "A"}],
            "queries": [{"reason": "r", "from": "2026-10-25", "to": "2026-10-25"}],
        }
    )
    office, (query,) = office_of(instance), instance.queries
    starts = office.answer(query).starts
    assert [start.isoformat() for start in starts] == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
    ]
    for start in starts:
        for written in (start, start.astimezone(UTC), start.astimezone(instance.zone)):
            assert office.seat(query, written) == Seated(place=Place("A"), moves={})


def test_who_sits_on_the_only_counter_for_the_new_one_moves() -> None:
    instance = parse_instance(
        {
            **DAY,
            "openings": [{"date": "2027-03-02", "start": "09:00", "end": "09:30"}],
            "reasons": [{"id": "r", "duration_minutes": 30}, {"id": "s", "duration_minutes": 30}],
            "counters": [{"id": "A"}, {"id": "B", "reasons": ["r"]}],
            "appointments": [{"id": "1", "reason": "r", "start": "2027-03-02T09:00:00+01:00", "counter": "A"}],
            "queries": [{"reason": "s", "from": "2027-03-02", "to": "2027-03-02"}],
        }
    )
    office, (query,) = office_of(instance), instance.queries
    (start,) = office.answer(query).starts
    assert office.seat(query, start) == Seated(place=Place("A"), moves={"1": Place("B")})


def test_the_new_one_sits_where_the_least_is_lost() -> None:
    """B takes one reason only, A two: the reason both take goes to B."""
    instance = parse_instance(
        {
            **DAY,
            "openings": [{"date": "2027-03-02", "start": "09:00", "end": "09:30"}],
            "reasons": [{"id": "r", "duration_minutes": 30}, {"id": "s", "duration_minutes": 30}],
            "counters": [{"id": "A"}, {"id": "B", "reasons": ["r"]}],
            "queries": [{"reason": "r", "from": "2027-03-02", "to": "2027-03-02"}],
        }
    )
    office, (query,) = office_of(instance), instance.queries
    (start,) = office.answer(query).starts
    assert office.seat(query, start) == Seated(place=Place("B"), moves={})
