"""The referee names each rule that a plan breaks, and finds nothing wrong with a good one."""

from typing import Any

import pytest

from rdv.engine.document import parse_instance
from rdv.engine.referee import Violation, violations
from rdv.engine.values import Instance, Place

NINE, TEN = "2027-03-02T09:00:00+01:00", "2027-03-02T10:00:00+01:00"


def instance_with(*appointments: dict[str, Any], **parts: Any) -> Instance:
    return parse_instance(
        {
            "format": "rdv-instance/1",
            "time_zone": "Europe/Paris",
            "now": "2027-03-01T08:00:00+01:00",
            "openings": [{"date": "2027-03-02", "start": "09:00", "end": "11:00"}],
            "reasons": [
                {"id": "r", "duration_minutes": 30, "buffer_minutes": 15},
                {"id": "duo", "duration_minutes": 30, "agents": 2},
            ],
            "counters": [
                {"id": "A"},
                {"id": "B", "reasons": ["r"], "channels": ["INTERNET"], "modalities": ["IN_PERSON"]},
                {"id": "C", "exposed": False},
            ],
            "appointments": [{"id": str(at), "reason": "r", "start": NINE, **a} for at, a in enumerate(appointments)],
            **parts,
        }
    )


def rules(instance: Instance, *places: Place, stranded: tuple[str, ...] = ()) -> list[str]:
    plan = {str(at): place for at, place in enumerate(places)}
    return [violation.rule for violation in violations(instance, plan, stranded=stranded)]


def test_a_plan_that_can_be_honoured_breaks_no_rule() -> None:
    instance = instance_with({}, {}, {"start": "2027-03-02T09:45:00+01:00"}, {"status": "CANCELLED"})
    assert rules(instance, Place("A"), Place("B"), Place("A")) == []


def test_everybody_is_either_placed_or_stranded() -> None:
    instance = instance_with({}, {})
    assert violations(instance, {"0": Place("A")}) == [Violation("placed_or_stranded", "1", "0 times")]
    assert violations(instance, {"0": Place("A")}, stranded=["1"]) == []
    both = {"0": Place("A"), "1": Place("B")}
    assert violations(instance, both, stranded=["1"]) == [Violation("placed_or_stranded", "1", "2 times")]


def test_who_takes_no_room_has_no_place() -> None:
    instance = instance_with({"status": "DONE"})
    assert violations(instance, {"0": Place("A")}) == [Violation("unknown_appointment", "0")]
    assert violations(instance, {}, stranded=["7"]) == [Violation("unknown_appointment", "7")]


def test_a_counter_has_to_exist() -> None:
    assert rules(instance_with({}), Place("Z")) == ["unknown_counter"]


@pytest.mark.parametrize("asked", [{"reason": "duo"}, {"channel": "OFFICE"}, {"modality": "PHONE"}])
def test_counter_allows_forbids_other_visits(asked: dict[str, str]) -> None:
    assert rules(instance_with(asked), Place("B")) == ["counter_allows"]
    assert rules(instance_with(asked), Place("A")) == []


def test_counter_exposed_forbids_moving_there_and_allows_staying() -> None:
    assert rules(instance_with({}), Place("C")) == ["counter_exposed"]
    assert rules(instance_with({"counter": "C"}), Place("C")) == []


def test_counter_open_concerns_the_duration_and_not_the_buffer() -> None:
    assert rules(instance_with({"start": "2027-03-02T10:30:00+01:00"}), Place("A")) == []
    assert rules(instance_with({"start": "2027-03-02T10:45:00+01:00"}), Place("A")) == ["counter_open"]
    assert rules(instance_with({"start": "2027-03-02T08:45:00+01:00"}), Place("A")) == ["counter_open"]


def test_counter_not_closed_concerns_the_duration_and_not_the_buffer() -> None:
    closures = [{"from": "2027-03-02T09:30", "to": "2027-03-02T10:00", "counters": ["A"]}]
    instance = instance_with({}, {"start": "2027-03-02T09:45:00+01:00"}, closures=closures)
    assert rules(instance, Place("A"), Place("B")) == []
    assert rules(instance, Place("B"), Place("A")) == ["counter_not_closed"]


def test_one_visit_per_counter_counts_the_buffer() -> None:
    instance = instance_with({}, {"start": "2027-03-02T09:30:00+01:00"})
    found = violations(instance, {"0": Place("A"), "1": Place("A")})
    assert found == [Violation("one_visit_per_counter", "1", "A: with 0")]


AGENTS: dict[str, Any] = {
    "agents": [
        {"id": "x"},
        {"id": "y", "reasons": ["r"], "counters": ["A"]},
        {"id": "z", "absences": [{"from": "2027-03-02T09:15", "to": "2027-03-02T09:30"}]},
        {"id": "w", "exceptions": [{"date": "2027-03-02", "openings": [["10:00", "11:00"]]}]},
        {"id": "v", "openings": [{"date": "2027-03-02", "start": "09:00", "end": "09:30"}]},
    ]
}


@pytest.mark.parametrize(
    ("asked", "place", "broken"),
    [
        ({}, Place("A", ("x",)), []),
        ({}, Place("A", ("y",)), []),
        ({}, Place("A"), ["agents_enough"]),
        ({}, Place("A", ("x", "y")), ["agents_enough"]),
        ({"reason": "duo"}, Place("A", ("x", "v")), []),
        ({"reason": "duo"}, Place("A", ("x", "x")), ["agents_enough"]),
        ({"reason": "duo"}, Place("A", ("x", "y")), ["agents_allowed"]),
        ({}, Place("B", ("y",)), ["agents_allowed"]),
        ({}, Place("A", ("nobody",)), ["agents_allowed"]),
        ({}, Place("A", ("z",)), ["agents_present"]),
        ({"start": "2027-03-02T09:30:00+01:00"}, Place("A", ("z",)), []),
        ({}, Place("A", ("w",)), ["agents_present"]),
        ({"start": TEN}, Place("A", ("w",)), []),
        ({}, Place("A", ("v",)), []),
        ({"start": TEN}, Place("A", ("v",)), ["agents_present"]),
        ({"pinned": True, "counter": "A"}, Place("B", ("x",)), ["pin_kept"]),
        ({"pinned": True, "agents": ["x"]}, Place("B", ("x",)), []),
        ({"pinned": True, "agents": ["x"]}, Place("A", ("y",)), ["pin_kept"]),
        ({"pinned": True, "agents": ["x", "v"]}, Place("A", ("x", "v")), []),
        ({"pinned": True, "agents": ["x", "v"]}, Place("A", ("x",)), ["pin_kept", "agents_enough"]),
    ],
)
def test_agents_and_pins(asked: dict[str, Any], place: Place, broken: list[str]) -> None:
    assert rules(instance_with(asked, **AGENTS), place) == broken


def test_one_visit_per_agent_counts_the_buffer() -> None:
    instance = instance_with({}, {"start": "2027-03-02T09:30:00+01:00"}, **AGENTS)
    assert rules(instance, Place("A", ("x",)), Place("B", ("x",))) == ["one_visit_per_agent"]


def test_without_a_list_of_agents_nobody_is_named() -> None:
    assert rules(instance_with({"pinned": True, "agents": ["x"]}), Place("A")) == []
    assert rules(instance_with({}), Place("A", ("x",))) == ["agents_enough", "agents_allowed"]


def test_open_ended_closures_reach_to_the_end_of_the_calendar() -> None:
    closures = [{"from": "0001-01-01T00:00", "to": "9999-12-31T24:00"}]
    assert rules(instance_with({}, closures=closures), Place("A")) == ["counter_not_closed"]
