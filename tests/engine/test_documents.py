"""A document that is no instance is refused in one line that names the place and the fault."""

import io
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdv.engine import lines
from rdv.engine.document import MalformedInstance, parse_instance
from rdv.engine.export import instance_document, result_document
from rdv.engine.lines import answer_lines, run_slots
from rdv.engine.slots import solve
from tests.engine.random_instances import documents

VALID: dict[str, Any] = {
    "format": "rdv-instance/1",
    "time_zone": "Europe/Paris",
    "now": "2027-03-01T08:00:00+01:00",
    "openings": [{"weekdays": ["mon"], "start": "09:00", "end": "10:00"}],
    "closures": [],
    "reasons": [{"id": "r", "duration_minutes": 60}],
    "counters": [{"id": "A"}, {"id": "B", "openings": [{"date": "2027-03-01", "start": "09:00", "end": "10:00"}]}],
    "agents": [{"id": "x"}],
    "appointments": [{"id": "1", "reason": "r", "start": "2027-03-01T09:00:00+01:00"}],
    "queries": [{"reason": "r", "from": "2027-03-01", "to": "2027-03-01"}],
}


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the valid document with one value replaced or added (a path of keys and indices)."""
    document: dict[str, Any] = json.loads(json.dumps(VALID))
    *parents, last = path.split(".")
    place: Any = document
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("format", "rdv-instance/2", "format: input should be 'rdv-instance/1'"),
        ("time_zone", "Europe/Lutece", "time_zone: not a known time zone like Europe/Paris"),
        ("time_zone", "../etc/passwd", "time_zone: not a known time zone like Europe/Paris"),
        ("now", "2027-03-01T08:00:00", "now: not a time with an offset like 2027-03-01T09:30:00+01:00"),
        ("now", 1, "now: not a string"),
        ("surprise", 1, "surprise: is not a known field"),
        ("office", {"step_minutes": 0}, "office.step_minutes: input should be greater than or equal to 1"),
        ("office", {"policy": "first"}, "office.policy: input should be 'all' or 'compact'"),
        ("openings.0.weekdays", None, "openings[0]: has neither weekdays nor a date"),
        ("openings.0.date", "2027-03-01", "openings[0]: has both of them"),
        ("openings.0.start", "9:00", "openings[0].start: not a time like 09:30, 00:00 to 24:00"),
        ("openings.0.every_weeks", 2, "openings[0].every_weeks: above 1 needs a from"),
        (
            "openings.0.nth_of_month",
            [0],
            "openings[0].nth_of_month[0]: input should be 1, 2, 3, 4, 5, -1, -2, -3, -4 or -5",
        ),
        ("counters.1.openings.0.end", "08:00", "counters[1].openings[0].end: 08:00 is not after start 09:00"),
        ("counters.1.openings.0.end", "09:00", "counters[1].openings[0].end: 09:00 is not after start 09:00"),
        ("counters.1.openings.0.until", "2027-03-02", "counters[1].openings[0].until: is not for an opening by date"),
        ("counters.1.id", "A", 'counters[1].id: "A" is already the id of another counter'),
        ("counters.0.reasons", ["s"], 'counters[0].reasons[0]: unknown reason "s"'),
        ("counters.0.exposed", 1, "counters[0].exposed: input should be a valid boolean"),
        (
            "exceptions",
            [{"date": "2027-03-01", "openings": [["10:00", "09:00"]]}],
            "exceptions[0].openings[0][1]: 09:00 is not after start 10:00",
        ),
        (
            "closures",
            [{"from": "2027-03-02T00:00", "to": "2027-03-01T24:00"}],
            "closures[0].to: 2027-03-01T24:00 is not after from 2027-03-02T00:00",
        ),
        (
            "closures",
            [{"from": "2027-03-01T00:00", "to": "2027-03-02T00:00", "counters": ["C"]}],
            'closures[0].counters[0]: unknown counter "C"',
        ),
        ("reasons.0.duration_minutes", 0, "reasons[0].duration_minutes: input should be greater than or equal to 1"),
        ("reasons.0.duration_minutes", "60", "reasons[0].duration_minutes: input should be a valid integer"),
        ("agents.0.counters", ["C"], 'agents[0].counters[0]: unknown counter "C"'),
        ("appointments.0.reason", "s", 'appointments[0].reason: unknown reason "s"'),
        ("appointments.0.counter", "C", 'appointments[0].counter: unknown counter "C"'),
        ("appointments.0.agents", ["y"], 'appointments[0].agents[0]: unknown agent "y"'),
        ("appointments.0.agents", ["x", "x"], "appointments[0].agents: names an agent twice"),
        ("appointments.0.start", "2027-03-01T09:00:30+01:00", "appointments[0].start: not a whole minute"),
        ("appointments.0.start", "2027-02-30T09:00:00+01:00", "appointments[0].start: there is no such time"),
        (
            "appointments.0.status",
            "LOST",
            "appointments[0].status: input should be 'BOOKED', 'HELD', 'CANCELLED', 'DONE' or 'NO_SHOW'",
        ),
        ("queries.0.reason", "s", 'queries[0].reason: unknown reason "s"'),
        ("queries.0.to", "2027-02-28", "queries[0].to: 2027-02-28 is before from 2027-03-01"),
        ("queries.0.to", "2028-12-31", "queries[0].to: 672 days are more than 400"),
        ("queries.0.from", "2027-02-30", "queries[0].from: there is no such date"),
        ("queries.0.from", "0001-01-01", "queries[0].from: not a date from 1971 to 2199"),
    ],
)
def test_a_fault_is_named_with_its_place(path: str, value: object, line: str) -> None:
    with pytest.raises(MalformedInstance) as caught:
        parse_instance(changed(path, value))
    assert str(caught.value) == line


def test_an_opening_by_date_and_weekdays_is_refused_whichever_comes_first() -> None:
    with pytest.raises(MalformedInstance, match=r"^counters\[1\]\.openings\[0\]: has both of them$"):
        parse_instance(changed("counters.1.openings.0.weekdays", ["mon"]))


@pytest.mark.parametrize("missing", ["format", "time_zone", "now"])
def test_what_is_missing_is_named(missing: str) -> None:
    document = {key: value for key, value in VALID.items() if key != missing}
    with pytest.raises(MalformedInstance) as caught:
        parse_instance(document)
    assert str(caught.value) == f"{missing}: is missing"


ABSURD = [
    b"",
    b"null",
    b"1",
    b'"x"',
    b"[]",
    b"{}",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"NaN",
    b'{"format": "rdv-instance/1", "time_zone": "Europe/Paris\\u0000", "now": "2027-03-01T08:00:00+01:00"}',
    b'{"format": "rdv-instance/1", "time_zone": "\\ud800", "now": "2027-03-01T08:00:00+01:00"}',
    b'{"\\n\\u2028": 1}',
]


@pytest.mark.parametrize("text", ABSURD, ids=range(len(ABSURD)))
def test_bytes_that_are_no_instance_get_one_line_and_status_2(text: bytes) -> None:
    out, err = io.BytesIO(), io.StringIO()
    assert run_slots(io.BytesIO(text), out, err, lines=False, explain=False) == 2
    assert out.getvalue() == b""
    assert len(err.getvalue().splitlines()) == 1
    assert len(err.getvalue()) < 600


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
def test_a_document_with_any_value_replaced_is_answered_or_refused_in_one_line(data: st.DataObject) -> None:
    document = data.draw(documents(agents=True))
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(JSON)
    text = json.dumps(document).encode()
    ((line, answered),) = answer_lines([text])
    assert list(orjson.loads(line)) == (["format", "results", "stranded", "assignment"] if answered else ["error"])
    assert answered or "\n" not in orjson.loads(line)["error"]


def test_bad_lines_are_answered_in_their_place_and_the_others_too() -> None:
    good = json.dumps(VALID).encode()
    out, err = io.BytesIO(), io.StringIO()
    status = run_slots(io.BytesIO(b"\n".join([good, b"{}", b"", good])), out, err, lines=True, explain=False)
    first, second, third = out.getvalue().splitlines()
    assert status == 1
    assert first == third
    assert orjson.loads(first)["format"] == "rdv-result/1"
    assert orjson.loads(second) == {"error": "format: is missing"}
    assert err.getvalue() == ""


def test_good_lines_end_with_status_0() -> None:
    out = io.BytesIO()
    assert run_slots(io.BytesIO(json.dumps(VALID).encode()), out, io.StringIO(), lines=True, explain=True) == 0
    assert out.getvalue().count(b"\n") == 1


@given(st.booleans().flatmap(lambda agents: documents(agents=agents)))
def test_an_instance_written_and_read_again_gets_the_same_answer(document: dict[str, Any]) -> None:
    instance = parse_instance(document)
    again = parse_instance(instance_document(instance))
    assert result_document(solve(again), explain=True) == result_document(solve(instance), explain=True)


TOO_LARGE = {
    "counters": [{"id": str(n)} for n in range(10_000)],
    "agents": [{"id": str(n)} for n in range(10_000)],
    "reasons": [{"id": str(n), "duration_minutes": 5} for n in range(10_000)],
    "closures": [{"from": "2027-03-01T00:00", "to": "2027-03-02T00:00"}] * 20_000,
}


@pytest.mark.parametrize("part", TOO_LARGE)
def test_a_list_far_above_any_office_is_refused(part: str) -> None:
    with pytest.raises(MalformedInstance, match=rf"^{part}: list should have at most \d+ items after validation, not"):
        parse_instance({**VALID, part: TOO_LARGE[part]})


def test_many_counters_over_many_years_are_refused() -> None:
    counters = [{"id": str(n)} for n in range(1_000)]
    appointments = [{"id": "1", "reason": "r", "start": "2190-03-01T09:00:00+01:00"}]
    with pytest.raises(MalformedInstance, match=r"^1001 counters and agents over 59536 days are too many$"):
        parse_instance({**VALID, "counters": counters, "appointments": appointments})


def test_open_ended_closures_and_absences_reach_to_the_end_of_the_calendar() -> None:
    closed = {"from": "0001-01-01T00:00", "to": "9999-12-31T24:00"}
    document = {**VALID, "closures": [closed], "agents": [{"id": "x", "absences": [closed]}]}
    result = solve(parse_instance(document), explain=True)
    assert result.stranded == ("1",)
    assert [(why.code, why.starts) for why in result.answers[0].why] == [("CLOSURE", 4)]


def pinned(name: str, start: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "reason": "r", "start": f"2027-03-01T{start}:00+01:00", "pinned": True} | more


@pytest.mark.parametrize(
    ("appointments", "line"),
    [
        (
            [pinned("1", "09:00", counter="A"), pinned("2", "12:00", counter="A"), pinned("3", "09:59", counter="A")],
            'appointments[2].counter: "A" is pinned to appointment "1" at the same time',
        ),
        (
            [pinned("1", "09:00", counter="A", buffer_minutes=5), pinned("2", "10:04", counter="A")],
            'appointments[1].counter: "A" is pinned to appointment "1" at the same time',
        ),
        (
            [pinned("2", "09:30", counter="B", agents=["x"]), pinned("1", "09:00", counter="A", agents=["x"])],
            'appointments[0].agents[0]: "x" is pinned to appointment "1" at the same time',
        ),
    ],
)
def test_pins_that_no_plan_can_keep_are_refused(appointments: list[dict[str, Any]], line: str) -> None:
    with pytest.raises(MalformedInstance) as refused:
        parse_instance(changed("appointments", appointments))
    assert str(refused.value) == line


@pytest.mark.parametrize(
    "other",
    [
        pinned("2", "10:00", counter="A"),
        pinned("2", "09:30", counter="B"),
        pinned("2", "09:30", counter="A", status="CANCELLED"),
        pinned("2", "09:30", counter="A", status="HELD", expires_at="2027-03-01T08:00:00+01:00"),
        pinned("2", "09:30", counter="A") | {"pinned": False},
        pinned("2", "09:30"),
    ],
)
def test_pins_that_can_all_be_kept_are_accepted(other: dict[str, Any]) -> None:
    parse_instance(changed("appointments", [pinned("1", "09:00", counter="A"), other]))


class Endless(io.RawIOBase):
    """A file without end or line break."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.given += len(buffer)
        buffer[:] = b"0" * len(buffer)
        return len(buffer)


def test_a_file_without_end_is_refused_after_a_bounded_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_BYTES", 1_000)
    endless, err = Endless(), io.StringIO()
    assert run_slots(io.BufferedReader(endless), io.BytesIO(), err, lines=False, explain=False) == 2
    assert err.getvalue() == f"{lines.TOO_LONG}\n"
    assert endless.given < 100_000


def test_a_line_that_is_too_long_is_refused_and_the_next_one_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    valid = orjson.dumps(VALID)
    monkeypatch.setattr(lines, "MAX_BYTES", len(valid))
    out = io.BytesIO()
    file = io.BytesIO(b" " * 5 * len(valid) + b"\n" + valid + b"\n" + b"9" * (len(valid) + 1))
    assert run_slots(file, out, io.StringIO(), lines=True, explain=False) == 1
    first, second, third = map(orjson.loads, out.getvalue().splitlines())
    assert first == third == {"error": lines.TOO_LONG}
    assert second["format"] == "rdv-result/1"
