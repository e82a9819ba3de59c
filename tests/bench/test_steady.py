"""Latencies are counted from when a request was due, whoever was late."""

import numpy as np
import pytest

from benchmarks.steady import even, figures

RATE = 1000.0


def log(*, took: int = 2_000, status: int = 200, pause: int = 0) -> np.ndarray:
    """Return h2load's rows of 4,000 requests at an even pace; after 3,000 nobody sent for a while, then all at once."""
    due = np.arange(4_000) * 1_000
    sent = np.where((due >= 3_000_000) & (due < 3_000_000 + pause), 3_000_000 + pause, due)
    return np.stack([sent + 5, np.full(4_000, status), np.full(4_000, took)], axis=1)


def test_an_even_pace_takes_what_the_server_takes() -> None:
    found = figures(log()[::-1], RATE)
    assert (found.p50, found.p99, found.late) == pytest.approx((2.0, 2.0, 0.0))


def test_requests_that_had_to_wait_to_be_sent_are_as_late_as_they_were_due() -> None:
    found = figures(log(pause=200_000), RATE)
    assert found.p50 == pytest.approx(2.0)
    assert found.p99 > 150.0
    assert found.late == pytest.approx(found.p99 - 2.0)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(2_241, (2_250, 9, 4)), (16_069, (16_000, 16, 1)), (333, (1_000 / 3, 1, 3)), (20, (250, 1, 4))],
)
def test_clients_begin_every_few_whole_milliseconds(wanted: float, found: tuple[float, int, int]) -> None:
    assert even(wanted) == pytest.approx(found)


def test_a_wrong_status_is_no_measurement() -> None:
    with pytest.raises(AssertionError, match="503"):
        figures(log(status=503), RATE)
