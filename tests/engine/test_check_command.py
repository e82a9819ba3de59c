"""`rdv check`, as a user runs it: where appointments stand, a result, exit statuses."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rdv.engine.lines import answer_text

SCRIPT = "import typer; from rdv.cli.slots import check; app = typer.Typer(); app.command()(check); app()"
NINE, HALF_PAST = "2027-03-01T09:00:00+01:00", "2027-03-01T09:30:00+01:00"


def run(*arguments: str | Path, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def instance(*appointments: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": "rdv-instance/1",
        "time_zone": "Europe/Paris",
        "now": "2027-03-01T08:00:00+01:00",
        "openings": [{"weekdays": ["mon"], "start": "09:00", "end": "10:00"}],
        "reasons": [{"id": "r", "duration_minutes": 30}],
        "counters": [{"id": "A"}, {"id": "B", "reasons": []}],
        "appointments": [{"reason": "r", "start": NINE, **one} for one in appointments],
        "queries": [{"reason": "r", "from": "2027-03-01", "to": "2027-03-01"}],
    }


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """An instance that stands well, and its result."""
    text = json.dumps(instance({"id": "1", "counter": "A"}, {"id": "2", "start": HALF_PAST, "counter": "A"})).encode()
    office, result = tmp_path / "office.json", tmp_path / "result.json"
    office.write_bytes(text)
    result.write_bytes(answer_text(text, explain=True))
    return office, result


def test_where_everybody_stands_well_nothing_is_said(files: tuple[Path, Path]) -> None:
    checked = run(files[0])
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_where_two_stand_in_one_place_and_one_where_it_may_not_each_broken_rule_is_named() -> None:
    document = instance({"id": "1", "counter": "A"}, {"id": "2", "counter": "A"}, {"id": "3", "counter": "B"})
    checked = run("-", stdin=json.dumps(document).encode())
    assert checked.returncode == 1
    assert checked.stdout.decode().splitlines() == ["counter_allows 3 B: reason r", "one_visit_per_counter 2 A: with 1"]


def test_who_stands_nowhere_is_said() -> None:
    checked = run("-", stdin=json.dumps(instance({"id": "1"})).encode())
    assert (checked.returncode, checked.stdout) == (1, b"placed_or_stranded 1 0 times\n")


def test_the_result_of_the_engine_passes(files: tuple[Path, Path]) -> None:
    checked = run(*files)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"assignment": {"1": {"counter": "A", "agents": []}}}, ["placed_or_stranded"]),
        ({"stranded": ["9"]}, ["unknown_appointment"]),
        ({"results": []}, ["one_answer_per_query"]),
        ({"results": [{"starts": [NINE], "remaining": []}]}, ["one_count_per_start"]),
        ({"results": [{"starts": [HALF_PAST, NINE], "remaining": [1, 1]}]}, ["starts_ascend"]),
    ],
)
def test_a_result_that_breaks_a_rule_is_told_as_json(
    files: tuple[Path, Path], changes: dict[str, Any], rules: list[str]
) -> None:
    office, result = files
    result.write_text(json.dumps(json.loads(result.read_bytes()) | changes), encoding="utf-8")
    checked = run(office, result, "--json")
    assert checked.returncode == 1
    assert [violation["rule"] for violation in json.loads(checked.stdout)] == rules


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"{}", b"rdv check: RESULT: format: is missing\n"),
        (b"[", b"rdv check: RESULT: not JSON: "),
        (
            b'{"format": "rdv-result/1", "results": [], "stranded": [1], "assignment": {}}',
            b"rdv check: RESULT: stranded[0]: ",
        ),
    ],
)
def test_what_is_no_result_ends_with_status_2_and_one_line(files: tuple[Path, Path], text: bytes, line: bytes) -> None:
    files[1].write_bytes(text)
    refused = run(*files)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert refused.stderr.startswith(line)
    assert refused.stderr.count(b"\n") == 1


def test_what_is_no_instance_or_cannot_be_read_ends_with_status_2(files: tuple[Path, Path], tmp_path: Path) -> None:
    assert run("-", stdin=b"{}").stderr == b"rdv check: FILE: format: is missing\n"
    missing = run(files[0], tmp_path / "missing.json")
    assert missing.returncode == 2
    assert missing.stderr.startswith(b"rdv check: ")
