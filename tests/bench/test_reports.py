"""Reports of a load: in three forms, one page that needs nothing from elsewhere, and two of them compared."""

import re
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.load import report
from benchmarks.load.compare import compare, differently_taken, only_in_one
from rdv.cli import app
from rdv.errors import BadFile
from tests.cli.running import ran

BEFORE = Path(__file__).parent / "reports" / "before.json"


@pytest.fixture
def before() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(BEFORE.read_bytes())
    return found


def all_of(found: dict[str, Any]) -> dict[str, Any]:
    one: dict[str, Any] = found["legs"][0]["measured"]["operations"]["all"]
    return one


def test_markdown_has_the_figures_of_each_operation(before: dict[str, Any]) -> None:
    lines = report.as_markdown(before).splitlines()
    assert "| campaign | 1 | 120 | 96 | 5.0 | 20.0 | 4.0 | 40.0 | 50.0 | 3.5 | 2 | 0 |" in lines
    assert "| school-day | 2 | no rate held | | | | | | | | | |" in lines
    assert "| hold_slot | 40 | 2 SlotTaken | 0 | 30.0 | 50.0 | 50.0 | 50.0 | 50.0 | 22.5 |" in lines
    assert "| 192 | no | 130 | 400 | 900 | 1000 | 3 HTTP 500 |" in lines
    assert any("all 4 offices were asked" in line for line in lines)


def test_the_page_shows_plots_and_needs_nothing_from_elsewhere(before: dict[str, Any]) -> None:
    page = report.as_html(before)
    assert page.count("<svg") == 3
    assert "<script" not in page
    assert re.findall(r"""(?:src|href)=["'](?!#)[^"']*""", page) == []
    assert re.findall(r"@import|url\((?!#)", page) == []


def test_names_in_a_report_are_escaped_in_the_page(before: dict[str, Any]) -> None:
    before["legs"][0]["steps"][0]["errors"] = {"<script>alert(1)</script>": 1}
    assert "<script>" not in report.as_html(before)


def test_what_is_written_can_be_read_again(before: dict[str, Any], tmp_path: Path) -> None:
    paths = report.write(before, tmp_path / "new")
    assert [path.name for path in paths] == ["report.json", "report.md", "report.html"]
    assert report.read(paths[0]) == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "rdv-load/99"}'])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadFile):
        report.read(tmp_path / "x.json")


def test_a_report_compared_with_itself_is_the_same(before: dict[str, Any]) -> None:
    lines = compare(before, before)
    assert {line.ratio for line in lines} == {1.0}
    assert {line.verdict for line in lines} == {"one search each", "same", "too few to say"}
    assert only_in_one(before, before) == differently_taken(before, before) == []


@pytest.mark.parametrize(
    ("slices", "median", "verdict"),
    [
        ([2.0, 2.1, 2.2, 2.3, 4.7], 2.2, "faster, beyond noise"),
        ([2.0, 2.1, 2.2, 2.3, 4.9], 2.2, "within noise"),
        ([5.3, 6.0, 6.1, 6.2, 6.3], 6.1, "slower, beyond noise"),
        ([5.1, 6.0, 6.1, 6.2, 6.3], 6.1, "within noise"),
        ([5.0, 5.0, 5.0, 5.0, 5.0], 5.05, "same"),
        ([], 9.0, "too few to say"),
    ],
)
def test_a_difference_counts_only_when_no_slice_lies_among_the_others(
    before: dict[str, Any], slices: list[float], median: float, verdict: str
) -> None:
    assert all_of(before)["slices_ms"]["p50"] == [4.8, 4.9, 5.0, 5.1, 5.2]
    after = deepcopy(before)
    all_of(after)["slices_ms"]["p50"] = slices
    all_of(after)["latency_ms"]["p50"] = median
    found = {(line.operation, line.what): line.verdict for line in compare(before, after)}
    assert found["all", "p50"] == verdict


def test_what_makes_two_reports_unlike_is_told(before: dict[str, Any]) -> None:
    after = deepcopy(before)
    after["machine"]["cores"] = 8
    after["legs"][0]["measured"]["rate"] = 48
    after["legs"][1]["workers"] = 4
    assert only_in_one(before, after) == ["school-day, 2: only before", "school-day, 4: only after"]
    assert [said.partition(": ")[0] for said in differently_taken(before, after)] == ["machine", "campaign, 1"]


def test_the_command_prints_the_table(data_dir: Path) -> None:
    done = ran(data_dir, "bench", "compare", str(BEFORE), str(BEFORE))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"campaign, 1 +│ all +│ p99 +│ 20\.0 +│ 20\.0 +│ 1\.00 +│ same", done.stdout)
    missing = ran(data_dir, "bench", "compare", "nowhere.json", str(BEFORE))
    assert (missing.returncode, missing.stderr) == (1, "rdv: nowhere.json: cannot be read as a report\n")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--scenario", "winter"], "rdv: --scenario: 'winter' is none of campaign, search, school-day"),
        (["--workers", "one"], "rdv: --workers: 'one' is not a positive number"),
        (["--rate", "-5"], "rdv: --rate: '-5' is not a positive number"),
        (["--size", "XXL"], "rdv: --size: 'XXL' is none of S, M, L, national"),
    ],
)
def test_options_that_cannot_be_used_are_named(data_dir: Path, options: list[str], line: str) -> None:
    done = ran(data_dir, "bench", "load", *options)
    assert (done.returncode, done.stderr, done.stdout) == (1, f"{line}\n", "")


def test_without_the_repository_the_command_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "benchmarks.load.command", None)
    with pytest.raises(SystemExit) as ended:
        app(["bench", "compare", str(BEFORE), str(BEFORE)])
    assert ended.value.code == 1
    said = (
        "rdv: rdv bench load and compare need benchmarks.load.command: run them in the repository, after `make tools`\n"
    )
    assert capsys.readouterr().err == said
