"""Cases that brute force on small instances does not reach: sizes, two pins in one place, who is taken first."""

import json
from dataclasses import replace
from typing import Any

import pytest

from rdv.engine.document import MalformedInstance, parse_instance
from rdv.engine.lines import answer_text
from rdv.engine.slots import Office, solve
from rdv.engine.values import Place

WEEK = ["mon", "tue", "wed", "thu", "fri"]
NINE = "2027-03-02T09:00:00+01:00"


def instance(**fields: Any) -> dict[str, Any]:
    return {
        "format": "rdv-instance/1",
        "time_zone": "Europe/Paris",
        "now": "2027-03-01T08:00:00+01:00",
        "office": {"step_minutes": 30},
        "openings": [{"weekdays": WEEK, "start": "09:00", "end": "10:00"}],
        "reasons": [{"id": "r", "duration_minutes": 30}, {"id": "s", "duration_minutes": 30}],
        "counters": [{"id": "A"}, {"id": "B"}],
        "queries": [{"reason": "r", "from": "2027-03-02", "to": "2027-03-02"}],
        **fields,
    }


def test_of_two_appointments_pinned_to_one_counter_at_one_time_the_newer_is_stranded() -> None:
    both = [{"id": name, "reason": "r", "start": NINE, "counter": "A"} for name in ("old", "new")]
    read = parse_instance(instance(appointments=both))  # pinned, a document would be refused
    result = solve(replace(read, appointments=tuple(replace(a, pinned=True) for a in read.appointments)))
    assert result.stranded == ("new",)
    assert result.answers[0].remaining == (1, 2)


def test_thousands_of_appointments_at_a_closed_office_are_stranded_without_searching() -> None:
    many = [{"id": str(at), "reason": "r", "start": NINE} for at in range(5_000)]
    closures = [{"from": "2027-03-02T00:00", "to": "2027-03-03T00:00"}]
    answer = json.loads(answer_text(json.dumps(instance(appointments=many, closures=closures)).encode()))
    assert answer["stranded"] == [one["id"] for one in many]
    assert "undecided" not in answer


def test_of_two_free_agents_the_one_with_fewer_skills_is_taken() -> None:
    agents = [{"id": "all-round"}, {"id": "specialist", "reasons": ["r"]}]
    read = parse_instance(instance(agents=agents))
    query = read.queries[0]
    office = Office(read, query.from_date, query.to_date)
    seated = office.seat(query, office.answer(query).starts[0])
    assert seated is not None
    assert seated.place == Place("A", ("specialist",))
    assert seated.moves == {}


def test_openings_that_recur_over_centuries_in_great_numbers_are_refused() -> None:
    recurring = [{"weekdays": WEEK, "start": "09:00", "end": "10:00"}] * 1_000
    far_apart = [{"id": year, "reason": "r", "start": f"{year}-03-02T09:00:00+01:00"} for year in ("1975", "2110")]
    document = instance(counters=[{"id": "A", "openings": recurring}], appointments=far_apart)
    with pytest.raises(MalformedInstance) as refused:
        parse_instance(document)
    assert refused.value.path == ""
    assert refused.value.fault == "1001 recurring openings over 49309 days are too many"


def test_who_can_stay_stays_where_others_are_stranded() -> None:
    at_nine = {"start": NINE, "reason": "r"}
    appointments = [
        {"id": "0", "counter": "B", **at_nine},
        {"id": "1", "counter": "A", **at_nine},
        {"id": "2", **at_nine, "start": "2027-03-02T09:15:00+01:00"},
        {"id": "3", **at_nine, "reason": "s"},
    ]
    counters = [{"id": "A", "reasons": ["r"]}, {"id": "B"}]
    result = solve(parse_instance(instance(appointments=appointments, counters=counters)))
    assert result.stranded == ("2", "3")
    assert result.assignment == {"0": Place("B"), "1": Place("A")}
