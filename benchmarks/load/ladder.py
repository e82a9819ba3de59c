"""How many requests a second are possible: rates that grow until the answers fall behind, then closer to the limit.

A step *holds* when no answer is wrong, all answers are there soon after the last request was sent, and 99 in 100 within
a second. What does not hold is tried once more, since machines hiccup. The capacity is the highest rate that held.
"""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.load.figures import ALL, figures
from benchmarks.load.generator import Records

GROWTH = 1.6
CLOSER = 2  # steps between the last rate that held and the first that did not
KEEPS_UP = 0.95
SLOWEST_MS = 1_000
MOST_STEPS = 16

Drive = Callable[[float], Records]
Step = dict[str, Any]


def climb(drive: Drive, start: float) -> list[Step]:
    """Look for the limit from a rate upwards (or downwards, when even that does not hold)."""
    steps = [_step(drive, start)]
    while steps[-1]["held"] and len(steps) < MOST_STEPS:
        steps.append(_step(drive, steps[-1]["rate"] * GROWTH))
    while not any(step["held"] for step in steps) and len(steps) < MOST_STEPS:
        steps.append(_step(drive, steps[-1]["rate"] / GROWTH))
    for _ in range(CLOSER):
        below = capacity(steps)
        above = min((step["rate"] for step in steps if not step["held"]), default=None)
        if above is not None and below is not None:
            steps.append(_step(drive, (below * above) ** 0.5))
    return sorted(steps, key=lambda step: step["rate"])


def walk(drive: Drive, rates: Sequence[float]) -> list[Step]:
    """Take the rates that are given."""
    return [_step(drive, rate) for rate in rates]


def capacity(steps: Sequence[Step]) -> float | None:
    """Return the highest rate that held with none below it that did not."""
    failed = min((step["rate"] for step in steps if not step["held"]), default=float("inf"))
    return max((step["rate"] for step in steps if step["held"] and step["rate"] < failed), default=None)


def _step(drive: Drive, rate: float) -> Step:
    first = _tried(drive, round(rate, 1))
    return first if first["held"] else _tried(drive, round(rate, 1))


def _tried(drive: Drive, rate: float) -> Step:
    found = figures(drive(rate))
    every = found["operations"][ALL]
    in_time = found["answered_per_second"] >= KEEPS_UP * min(rate, found["sent_per_second"] or rate)
    held = not found["stopped"] and not every["errors"] and in_time and every["latency_ms"]["p99"] <= SLOWEST_MS
    return {
        "rate": rate,
        "held": held,
        "answered_per_second": found["answered_per_second"],
        "latency_ms": every["latency_ms"],
        "errors": every["errors"],
        "stopped": found["stopped"],
    }
