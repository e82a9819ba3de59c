"""Figures of a load: exact percentiles from the moment a request should have been sent, and how the limit is found."""

from typing import Any

import numpy as np
import pytest

from benchmarks.load.figures import figures
from benchmarks.load.generator import Records
from benchmarks.load.ladder import capacity, climb, walk
from benchmarks.load.scenarios import SCENARIOS


def recorded(latencies: list[float], **given: Any) -> Records:
    """Return records of requests every 10 ms, each answered so long after it should have been sent."""
    count = len(latencies)
    intended = 10.0 * np.arange(count)
    columns = {
        "operation": np.array(["search_slots"] * count, dtype=object),
        "verdict": np.array(["ok"] * count, dtype=object),
        "intended": intended,
        "sent": intended,
        "done": intended + np.array(latencies),
        "stopped": False,
        "statements": None,
    }
    return Records(**columns | given)


def test_percentiles_are_latencies_that_were() -> None:
    found = figures(recorded([float(n) for n in range(1, 1001)]))["operations"]["search_slots"]
    assert found["latency_ms"] == {"p50": 500.0, "p90": 900.0, "p99": 990.0, "p99.9": 999.0, "max": 1000.0}
    assert found["requests"] == 1000


def test_a_request_that_was_sent_late_counts_from_when_it_should_have_been() -> None:
    stall = recorded([1.0] * 100)
    sent = stall.intended.copy()
    sent[50:] += 500.0  # the generator could not send for half a second
    found = figures(recorded([1.0] * 100, sent=sent, done=sent + 1.0))
    assert found["operations"]["all"]["latency_ms"]["p90"] == 501.0
    assert found["operations"]["all"]["service_ms"] == {"p50": 1.0, "p99": 1.0}
    assert found["generator_late_ms"] == {"p50": 0.0, "p99": 500.0}


def test_a_timer_that_is_early_does_not_make_answers_faster() -> None:
    early = recorded([1.0] * 10)
    found = figures(recorded([1.0] * 10, sent=early.intended - 0.5, done=early.intended + 0.5))
    assert found["operations"]["all"]["latency_ms"]["p50"] == 1.0
    assert found["generator_late_ms"]["p50"] == 0.0


def test_refusals_and_errors_are_told_apart_by_operation() -> None:
    operation = np.array(["hold_slot", "hold_slot", "search_slots", "search_slots"], dtype=object)
    verdict = np.array(["refused: SlotTaken", "ok", "error: HTTP 500", "ok"], dtype=object)
    found = figures(recorded([1.0] * 4, operation=operation, verdict=verdict))["operations"]
    assert (found["hold_slot"]["refused"], found["hold_slot"]["errors"]) == ({"SlotTaken": 1}, {})
    assert (found["search_slots"]["refused"], found["search_slots"]["errors"]) == ({}, {"HTTP 500": 1})
    assert (found["all"]["refused"], found["all"]["errors"]) == ({"SlotTaken": 1}, {"HTTP 500": 1})


def test_slices_are_told_only_where_they_have_enough_requests() -> None:
    found = figures(recorded([1.0] * 500 + [2.0] * 500))["operations"]["all"]["slices_ms"]
    assert found == {
        "p50": [1.0, 1.0, pytest.approx(1.0), 2.0, 2.0],
        "p90": [1.0, 1.0, 2.0, 2.0, 2.0],
        "p99": [1.0, 1.0, 2.0, 2.0, 2.0],
    }


def served(limit: float) -> Any:
    """Return a server that answers in 5 ms up to a rate, and more and more slowly beyond it."""

    def drive(rate: float) -> Records:
        count = 400
        intended = np.arange(count) * 1000 / rate
        done = np.maximum.accumulate(np.maximum(intended + 5, np.arange(count) * 1000 / limit + 5))
        return recorded([0.0] * count, intended=intended, sent=intended, done=done)

    return drive


def test_the_limit_is_found_from_below_and_from_above() -> None:
    for start in (10.0, 640.0):
        steps = climb(served(100.0), start)
        found = capacity(steps)
        assert found is not None
        assert 80 <= found <= 106  # 5 % behind is tolerated
        assert [step["rate"] for step in steps] == sorted(step["rate"] for step in steps)


def test_given_rates_are_taken_as_they_are() -> None:
    steps = walk(served(100.0), [50, 200])
    assert [(step["rate"], step["held"]) for step in steps] == [(50, True), (200, False)]
    assert capacity(steps) == 50


def test_a_wrong_answer_or_too_many_waiting_do_not_hold() -> None:
    wrong = np.array(["ok"] * 99 + ["error: null"], dtype=object)
    for given in ({"verdict": wrong}, {"stopped": True}):
        (step,) = walk(lambda _, given=given: recorded([1.0] * 100, **given), [100])
        assert not step["held"]
    assert capacity([step]) is None


def test_scenarios_are_documents_by_percent() -> None:
    assert {sum(one.weights.values()) for one in SCENARIOS.values()} == {100}


def test_what_leads_in_is_left_out_unless_it_went_wrong_or_the_run_ended_in_it() -> None:
    found = recorded([1.0] * 5 + [2.0] * 5)
    counted = found.since(50.0)
    assert (counted.latency.tolist(), counted.intended.tolist()) == ([2.0] * 5, [0.0, 10.0, 20.0, 30.0, 40.0])
    assert found.since(200.0) is found
    wrong = recorded([1.0] * 10, verdict=np.array(["ok", "error: null"] * 5, dtype=object))
    assert wrong.since(50.0) is wrong
