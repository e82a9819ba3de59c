"""Every scenario is answered exactly, explained completely, and placed validly."""

import json
from pathlib import Path
from typing import Any

import pytest

from rdv.engine.document import parse_instance
from rdv.engine.lines import answer_lines
from rdv.engine.referee import violations
from rdv.engine.slots import solve

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.json"))


def document_of(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def answer_to(instance: dict[str, Any], *, explain: bool = False) -> dict[str, Any]:
    ((line, answered),) = answer_lines([json.dumps(instance).encode()], explain=explain)
    answer: dict[str, Any] = json.loads(line)
    assert answered, answer
    return answer


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) == len(list((Path(__file__).parents[1] / "scenarios").iterdir())) - 1  # the README


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_gets_exactly_the_expected_answer(path: Path) -> None:
    scenario = document_of(path)
    assert scenario["id"] == path.stem
    answer = answer_to(scenario["instance"])
    expected = scenario["expect"]
    assert [r["starts"] for r in answer["results"]] == [r["starts"] for r in expected["results"]]
    for given, wanted in zip(answer["results"], expected["results"], strict=True):
        assert len(given["remaining"]) == len(given["starts"])
        if "remaining" in wanted:
            assert given["remaining"] == wanted["remaining"]
    if "stranded" in expected:
        assert set(answer["stranded"]) == set(expected["stranded"])
    assert "undecided" not in answer


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_explanation_of_a_scenario_leaves_no_grid_start_out(path: Path) -> None:
    instance = document_of(path)["instance"]
    answer = answer_to(instance, explain=True)
    everything = answer_to(without_obstacles(instance), explain=True)
    for given, grid in zip(answer["results"], everything["results"], strict=True):
        counted = sum(why["starts"] for why in given["why"])
        assert len(given["starts"]) + counted == len(grid["starts"]) + sum(why["starts"] for why in grid["why"])


def without_obstacles(instance: dict[str, Any]) -> dict[str, Any]:
    """Leave nothing that takes time away: the grid is the same."""
    free = {**instance, "appointments": [], "closures": []}
    free.pop("agents", None)
    free["office"] = {**instance.get("office", {}), "policy": "all", "max_lead_days": None}
    return free


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_assignment_of_a_scenario_passes_the_referee(path: Path) -> None:
    instance = parse_instance(document_of(path)["instance"])
    result = solve(instance)
    assert violations(instance, result.assignment, stranded=result.stranded) == []
