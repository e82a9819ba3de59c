"""What a compact office offers: starts that can be had, on every day that has one, and a real choice on quiet days."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given

from rdv.engine.document import parse_instance
from rdv.engine.referee import DAY, EPOCH, instant_of, minute_of
from rdv.engine.slots import Office, solve
from rdv.engine.values import Instance, Policy, Query
from tests.engine.random_instances import documents
from tests.engine.slot_oracle import Oracle

BOTH = documents(agents=False) | documents(agents=True)


def compact(document: dict[str, Any]) -> Instance:
    instance = parse_instance(document)
    return replace(instance, rules=replace(instance.rules, policy=Policy.COMPACT))


def off_grid(instance: Instance) -> Oracle:
    """An oracle for starts at any minute."""
    rules = replace(instance.rules, step_minutes=1)
    return Oracle(
        replace(instance, rules=rules, reasons=tuple(replace(r, step_minutes=None) for r in instance.reasons))
    )


def local_day(instance: Instance, minute: int) -> date:
    return (EPOCH + timedelta(minutes=minute)).astimezone(instance.zone).date()


@given(BOTH)
def test_what_is_offered_can_be_had_that_many_times(document: dict[str, Any]) -> None:
    instance = compact(document)
    oracle = off_grid(instance)
    for query, answer in zip(instance.queries, solve(instance).answers, strict=True):
        placed = oracle.placed(query.replacing)
        for start, remaining in zip(map(minute_of, answer.starts), answer.remaining, strict=True):
            assert oracle.bookable(start)
            assert query.from_date <= local_day(instance, start) <= query.to_date
            assert oracle.how_many(query, start, placed) == remaining > 0


@given(BOTH)
def test_every_day_on_which_all_would_offer_something_offers_something(document: dict[str, Any]) -> None:
    instance = compact(document)
    oracle = Oracle(instance)
    for query, answer in zip(instance.queries, solve(instance).answers, strict=True):
        days = {local_day(instance, start) for start in oracle.offered(query)}
        assert days <= {local_day(instance, minute_of(start)) for start in answer.starts}


@given(BOTH)
def test_grid_starts_that_are_not_offered_are_explained(document: dict[str, Any]) -> None:
    instance = compact(document)
    oracle = Oracle(instance)
    for query, answer in zip(instance.queries, solve(instance, explain=True).answers, strict=True):
        grid = set(oracle.grid(query))
        offered = grid & set(map(minute_of, answer.starts))
        assert len(offered) + sum(told.starts for told in answer.why) == len(grid)


@given(BOTH)
def test_every_offered_start_can_be_booked(document: dict[str, Any]) -> None:
    instance = compact(document)
    for query in instance.queries:
        office = Office(instance, query.from_date, query.to_date)
        assert all(office.seat(query, start) for start in office.answer(query, remaining=False).starts)


@given(BOTH)
def test_a_day_that_is_less_than_half_full_keeps_a_choice_in_both_halves(document: dict[str, Any]) -> None:
    instance = compact(document)
    oracle = Oracle(instance)
    result = solve(instance)
    for query, answer in zip(instance.queries, result.answers, strict=True):
        if query.replacing is not None:
            continue  # the plan is then another than the result's
        feasible = set(oracle.offered(query))
        starts = set(map(minute_of, answer.starts))
        for later in range((query.to_date - query.from_date).days + 1):
            day = query.from_date + later * DAY
            begin, noon, end = (instant_of(instance.zone, day, minute) for minute in (0, 12 * 60, 24 * 60))
            if 2 * booked(oracle, query, begin, end) >= opened(oracle, query, begin, end):
                continue
            whole = range(begin, end)
            assert len(starts & set(whole)) >= min(5, len(feasible & set(whole)))
            for half in (range(begin, noon), range(noon, end)):
                assert starts & set(half) or not feasible & set(half)


def rooms(oracle: Oracle, query: Query, begin: int, end: int) -> dict[str, set[int]]:
    """Return the minutes of a day at which each exposed counter is open and not closed."""
    found = {}
    for counter in oracle.instance.counters:
        if counter.exposed:
            minutes = {m for low, high in oracle.open_intervals(counter, query) for m in range(low, high)}
            minute_long = replace(
                oracle.instance,
                reasons=tuple(replace(r, duration_minutes=1, buffer_minutes=0) for r in oracle.instance.reasons),
            )
            closed = Oracle(minute_long).closed
            found[counter.id] = {m for m in minutes if begin <= m < end and not closed(query, counter, m)}
    return found


def opened(oracle: Oracle, query: Query, begin: int, end: int) -> int:
    return sum(map(len, rooms(oracle, query, begin, end).values()))


def booked(oracle: Oracle, query: Query, begin: int, end: int) -> int:
    open_at = rooms(oracle, query, begin, end)
    places = solve(oracle.instance).assignment
    taken = 0
    for appointment in oracle.live:
        if appointment.id in places:
            start = minute_of(appointment.start)
            until = start + appointment.duration_minutes + appointment.buffer_minutes
            taken += len(open_at.get(places[appointment.id].counter, set()) & set(range(start, until)))
    return taken


def office(*appointments: dict[str, Any], step: int = 15) -> dict[str, Any]:
    return {
        "format": "rdv-instance/1",
        "time_zone": "Europe/Paris",
        "now": "2027-03-01T08:00:00+01:00",
        "office": {"step_minutes": step, "policy": "compact"},
        "openings": [{"weekdays": ["tue"], "start": "09:00", "end": "11:00"}],
        "reasons": [{"id": "short", "duration_minutes": 20}, {"id": "long", "duration_minutes": 50}],
        "counters": [{"id": "A"}],
        "appointments": [{"reason": "short", "counter": "A", **one} for one in appointments],
        "queries": [{"reason": "short", "from": "2027-03-02", "to": "2027-03-02"}],
    }


def times(document: dict[str, Any]) -> list[str]:
    (answer,) = solve(parse_instance(document)).answers
    return [f"{start:%H:%M}" for start in answer.starts]


def at(time: str, **more: Any) -> dict[str, Any]:
    return {"id": time, "start": f"2027-03-02T{time}:00+01:00", **more}


def test_after_a_visit_the_next_begins_at_once_whatever_the_step() -> None:
    full = [at("09:00", duration_minutes=50), at("10:40")]
    # 09:50-10:40 is free: at either end the rest of 30 minutes is no visit's, so the ends are as good as it gets
    assert times(office(*full)) == ["09:50", "10:20"]


def test_a_start_offered_off_one_grid_and_on_another_is_not_explained_away() -> None:
    document = office(step=30)
    document["openings"] = [{"weekdays": ["tue"], "start": "09:15", "end": "09:55"}]
    own = [{"weekdays": ["tue"], "start": "09:05", "end": "09:55"}]
    document["counters"].append({"id": "B", "exposed": False, "openings": own})
    (answer,) = solve(parse_instance(document), explain=True).answers
    assert "09:35" in [f"{start:%H:%M}" for start in answer.starts]
    assert sum(told.starts for told in answer.why) == 2  # 09:05 of B's grid, 09:45 of A's


def test_of_two_ends_only_the_one_that_leaves_a_fillable_rest_is_offered() -> None:
    # 09:00-09:40 takes two short visits exactly; of 10:00-10:30 ten minutes are lost either way
    full = [at("09:40"), at("10:30", duration_minutes=30)]
    assert times(office(*full, at("10:00", duration_minutes=10))) == ["09:00", "09:20", "10:10"]
    assert times(office(*full, at("09:00"), at("09:20"))) == ["10:00", "10:10"]


def test_an_empty_day_offers_at_least_five_starts() -> None:
    assert len(times(office())) >= 5


def test_a_start_that_was_shown_can_still_be_booked_when_others_are_tight_now() -> None:
    instance = parse_instance(office(at("09:00"), at("10:00")))
    (query,) = instance.queries
    open_office = Office(instance, query.from_date, query.to_date)
    answer = open_office.answer(query)
    elsewhere = answer.starts[0] + timedelta(minutes=5)
    assert elsewhere not in answer.starts
    assert open_office.seat(query, elsewhere) is not None


@pytest.mark.parametrize("policy", ["all", "compact"])
def test_off_the_grid_only_a_compact_office_takes_somebody(policy: str) -> None:
    document = office()
    document["office"]["policy"] = policy
    instance = parse_instance(document)
    (query,) = instance.queries
    start = Office(instance, query.from_date, query.to_date).answer(query).starts[0] + timedelta(minutes=5)
    seated = Office(instance, query.from_date, query.to_date).seat(query, start)
    assert (seated is not None) == (policy == "compact")
