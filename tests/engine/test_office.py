"""An office compiled once answers many questions, each as if it were the only one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdv.engine.budget import Budget
from rdv.engine.document import parse_instance
from rdv.engine.referee import violations
from rdv.engine.slots import BOOKS_KEPT, Office, solve
from rdv.engine.values import Instance, Query
from tests.engine.random_instances import documents
from tests.engine.slot_oracle import Oracle

BOTH = st.booleans().flatmap(lambda agents: documents(agents=agents))
TUESDAY = date(2027, 3, 2)
ASKED = Query(reason="r", from_date=TUESDAY, to_date=TUESDAY)


def instance_with(**parts: Any) -> Instance:
    return parse_instance(
        {
            "format": "rdv-instance/1",
            "time_zone": "Europe/Paris",
            "now": "2027-03-01T08:00:00+01:00",
            "office": {"step_minutes": 30},
            "openings": [{"date": "2027-03-02", "start": "09:00", "end": "10:00"}],
            "reasons": [{"id": "r", "duration_minutes": 30}],
            "counters": [{"id": "A"}],
            **parts,
        }
    )


def appointment(name: str, **parts: Any) -> dict[str, Any]:
    return {"id": name, "reason": "r", "start": "2027-03-02T09:00:00+01:00", "counter": "A", **parts}


def office_of(instance: Instance) -> Office:
    return Office(instance, TUESDAY, TUESDAY)


@given(BOTH)
def test_the_first_start_is_the_first_of_all(document: dict[str, Any]) -> None:
    instance = parse_instance(document)
    days = [day for query in instance.queries for day in (query.from_date, query.to_date)]
    for query in instance.queries:
        answer = Office(instance, min(days), max(days)).answer(query)
        first = Office(instance, min(days), max(days)).first(query)
        assert first == next(zip(answer.starts, answer.remaining, strict=True), None)


@given(BOTH)
def test_asking_day_by_day_gives_the_same_starts_as_asking_at_once(document: dict[str, Any]) -> None:
    instance = parse_instance(document)
    days = [day for query in instance.queries for day in (query.from_date, query.to_date)]
    office = Office(instance, min(days), max(days))
    for query in instance.queries:
        dates = [query.from_date + timedelta(days=n) for n in range((query.to_date - query.from_date).days + 1)]
        daily = [office.answer(replace(query, from_date=day, to_date=day)) for day in reversed(dates)]
        whole = Office(instance, min(days), max(days)).answer(query)
        assert tuple(start for answer in reversed(daily) for start in answer.starts) == whole.starts
        assert tuple(count for answer in reversed(daily) for count in answer.remaining) == whole.remaining


@given(BOTH)
def test_a_budget_that_runs_out_is_reported_and_leaves_a_valid_plan(document: dict[str, Any]) -> None:
    instance = parse_instance(document)
    result = solve(instance, budget=Budget(repair_steps=0, ejections=0, placing_steps=0, solver_seconds=0))
    assert violations(instance, result.assignment, stranded=result.stranded) == []
    if result.undecided == 0:
        assert set(result.stranded) == Oracle(instance).stranded


def test_dates_that_were_not_compiled_are_refused() -> None:
    office = office_of(instance_with())
    outside = replace(ASKED, to_date=date(2027, 3, 3))
    for question in (
        office.answer,
        office.first,
        lambda query: office.seat(query, datetime(2027, 3, 2, 8, tzinfo=UTC)),
    ):
        with pytest.raises(ValueError, match="is not compiled for 2027-03-02 to 2027-03-03"):
            question(outside)


def test_an_unknown_reason_is_refused() -> None:
    with pytest.raises(KeyError):
        office_of(instance_with()).answer(replace(ASKED, reason="s"))


def test_counts_can_be_left_out() -> None:
    answer = office_of(instance_with()).answer(ASKED, remaining=False)
    assert (len(answer.starts), answer.remaining) == (2, (0, 0))


def test_a_later_clock_moves_the_lead_time_only() -> None:
    office = office_of(instance_with())
    late = office.answer(ASKED, now=datetime(2027, 3, 2, 8, 0, 1, tzinfo=UTC))
    assert [start.isoformat() for start in late.starts] == ["2027-03-02T09:30:00+01:00"]


def test_it_is_valid_until_the_next_hold_expires() -> None:
    holds = [
        appointment("1", status="HELD", expires_at="2027-03-01T09:00:00+01:00"),
        appointment("2", status="HELD", expires_at="2027-03-01T08:30:00+01:00"),
        appointment("3", status="HELD", expires_at="2027-03-01T08:00:00+01:00"),
        appointment("4", status="HELD"),
    ]
    assert office_of(instance_with(appointments=holds)).valid_until == datetime(2027, 3, 1, 7, 30, tzinfo=UTC)
    assert office_of(instance_with(appointments=holds[3:])).valid_until is None


def test_many_reschedules_at_once_are_each_answered_without_the_one_they_replace() -> None:
    names = [str(n) for n in range(BOOKS_KEPT + 2)]
    counters = [{"id": name} for name in names]
    live = [appointment(name, counter=name) for name in names]
    office = office_of(instance_with(counters=counters, appointments=live))
    assert office.answer(ASKED).remaining == (len(names),)
    for name in (*names, *names):
        assert office.answer(replace(ASKED, replacing=name)).remaining == (1, len(names))
