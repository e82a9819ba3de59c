"""From records to figures: exact percentiles, per operation and of all, and how far they scatter within the run.

A run is cut into slices of equal length. What a percentile is in each of them tells how steady it is: two runs differ
beyond noise when no slice of one lies among those of the other (of five slices each, that happens by chance once in
126 times). Slices with too few requests for a percentile say nothing.
"""

from collections import Counter
from typing import Any

import numpy as np

from benchmarks.load.generator import Records

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}
SLICES = 5
BEYOND = 2  # so many requests of a slice have to lie beyond a percentile
CURVE = 1 - np.logspace(0, -4, 60)  # shares of the requests, closer and closer to all of them
ALL = "all"


def figures(found: Records) -> dict[str, Any]:
    """Return the figures of a run, by operation; `all` is every request."""
    names = sorted(set(found.operation))
    of = {ALL: np.ones(len(found.operation), dtype=bool)} | {name: found.operation == name for name in names}
    length = found.done.max() / 1000
    return {
        "seconds": round(float(length), 3),
        "sent_per_second": round(float(len(found.sent) / max(found.sent.max() / 1000, 1e-9)), 2),
        "answered_per_second": round(float(len(found.done) / length), 2),
        "generator_late_ms": _percentiles(np.maximum(found.sent - found.intended, 0), ("p50", "p99")),
        "stopped": found.stopped,
        "operations": {name: _operation(found, those) for name, those in of.items()},
        "curve": _curve(found.latency),
    }


def _operation(found: Records, those: np.ndarray) -> dict[str, Any]:
    latency, verdicts = found.latency[those], Counter(found.verdict[those].tolist())
    return {
        "requests": int(those.sum()),
        "refused": {said.partition(": ")[2]: count for said, count in sorted(verdicts.items()) if "refused:" in said},
        "errors": {said.partition(": ")[2]: count for said, count in sorted(verdicts.items()) if "error:" in said},
        "latency_ms": _percentiles(latency, tuple(PERCENTILES)) | {"max": round(float(latency.max()), 3)},
        "service_ms": _percentiles(found.service[those], ("p50", "p99")),
        "slices_ms": _slices(latency, found.intended[those], found.intended.max()),
    }


def _percentiles(values: np.ndarray, names: tuple[str, ...]) -> dict[str, float]:
    shares = [PERCENTILES[name] for name in names]
    found = np.quantile(values, shares, method="inverted_cdf")  # a latency that was, not one between two
    return {name: round(float(value), 3) for name, value in zip(names, found, strict=True)}


def _slices(latency: np.ndarray, intended: np.ndarray, last: float) -> dict[str, list[float]]:
    number = np.minimum((intended / max(last, 1e-9) * SLICES).astype(int), SLICES - 1)
    parts = [latency[number == at] for at in range(SLICES)]
    return {
        name: [_percentiles(part, (name,))[name] for part in parts]
        for name, share in PERCENTILES.items()
        if all(len(part) * (1 - share) >= BEYOND for part in parts)
    }


def _curve(latency: np.ndarray) -> list[list[float]]:
    shares = CURVE[(1 - CURVE) * len(latency) >= 1]
    found = np.quantile(latency, shares, method="inverted_cdf")
    return [[round(float(share), 6), round(float(value), 3)] for share, value in zip(shares, found, strict=True)]
