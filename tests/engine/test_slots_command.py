"""`rdv slots`, as a process: files, standard input, exit statuses."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCENARIO = Path(__file__).parents[1] / "scenarios" / "late-hall.json"
SCRIPT = "import typer; from rdv.cli.slots import slots; app = typer.Typer(); app.command()(slots); app()"


def run(*arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-c", SCRIPT, *arguments], input=stdin, capture_output=True, check=False)


@pytest.fixture
def instance() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SCENARIO.read_text(encoding="utf-8"))["instance"]
    return document


def test_a_file_and_standard_input_get_the_same_answer(instance: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "office.json"
    file.write_text(json.dumps(instance), encoding="utf-8")
    by_name, by_pipe = run(str(file)), run("-", stdin=file.read_bytes())
    assert (by_name.returncode, by_name.stderr) == (0, b"")
    assert by_name.stdout == by_pipe.stdout
    assert [r["remaining"] for r in json.loads(by_name.stdout)["results"]] == [[3], [1]]


def test_explain_adds_why(instance: dict[str, Any]) -> None:
    told = run("--explain", "-", stdin=json.dumps(instance).encode())
    assert [r["why"] for r in json.loads(told.stdout)["results"]] == [[], []]


def test_a_bad_document_ends_with_status_2_and_one_line(instance: dict[str, Any]) -> None:
    refused = run("-", stdin=json.dumps({**instance, "format": 1}).encode())
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert refused.stderr == b"format: input should be 'rdv-instance/1'\n"


def test_a_bad_line_is_answered_in_its_place_and_ends_with_status_1(instance: dict[str, Any]) -> None:
    answered = run("--lines", "-", stdin=b"{}\n" + json.dumps(instance).encode() + b"\n")
    first, second = map(json.loads, answered.stdout.splitlines())
    assert (answered.returncode, answered.stderr) == (1, b"")
    assert first == {"error": "format: is missing"}
    assert second["format"] == "rdv-result/1"


@pytest.mark.parametrize("lines", [[], ["--lines"]])
@pytest.mark.parametrize("name", ["missing.json", ".", "two\nlines"])
def test_a_file_that_cannot_be_read_ends_with_status_2_and_one_line(
    lines: list[str], name: str, tmp_path: Path
) -> None:
    refused = run(*lines, str(tmp_path / name))
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert refused.stderr.startswith(b"rdv slots: ")
    assert refused.stderr.count(b"\n") == 1
