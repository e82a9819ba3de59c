"""Two reports side by side: what changed, by how much, and whether that is more than the runs scatter by themselves.

A difference is *beyond noise* when each of the five slices of one run is above (or below) all five of the other's.
Slices know how a run scattered, not what else the machine did on another day: repeat what matters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Report = Mapping[str, Any]
CLOSE = 0.02  # what differs by less is the same, however steady


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure in both reports; `verdict` is what may be said about them."""

    leg: str
    operation: str
    what: str
    before: float
    after: float
    verdict: str

    @property
    def ratio(self) -> float:
        return self.after / self.before if self.before else float("inf")


def compare(before: Report, after: Report) -> list[Line]:
    """Return a line for each figure that both reports have."""
    old, new = _legs(before), _legs(after)
    return [line for key in old if key in new for line in _leg(key, old[key], new[key])]


def only_in_one(before: Report, after: Report) -> list[str]:
    """Return the runs that one of the reports lacks."""
    old, new = _legs(before), _legs(after)
    return [
        *(f"{key}: only before" for key in old if key not in new),
        *(f"{key}: only after" for key in new if key not in old),
    ]


def differently_taken(before: Report, after: Report) -> list[str]:
    """Say in what the two runs were not alike: then a difference need not be the product's."""
    pairs = {
        "machine": (before["machine"], after["machine"]),
        "data": (before["data"], after["data"]),
        "seconds": (before["seconds"], after["seconds"]),
    }
    old, new = _legs(before), _legs(after)
    pairs |= {f"{key}: rate": (_rate(old[key]), _rate(new[key])) for key in old if key in new}
    return [f"{name}: {one} before, {other} after" for name, (one, other) in pairs.items() if one != other]


def _legs(report: Report) -> dict[str, Mapping[str, Any]]:
    return {f"{leg['scenario']}, {leg['workers']}": leg for leg in report["legs"]}


def _rate(leg: Mapping[str, Any]) -> float | None:
    return leg["measured"]["rate"] if leg["measured"] else None


def _leg(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Line]:
    if old["capacity"] and new["capacity"]:
        yield Line(
            leg=key,
            operation="",
            what="capacity",
            before=old["capacity"],
            after=new["capacity"],
            verdict="one search each",
        )
    if not (old["measured"] and new["measured"]):
        return
    for name, one in old["measured"]["operations"].items():
        other = new["measured"]["operations"].get(name)
        if other is None:
            continue
        for what, value in one["latency_ms"].items():
            verdict = _verdict(
                one["slices_ms"].get(what), other["slices_ms"].get(what), value, other["latency_ms"][what]
            )
            yield Line(
                leg=key, operation=name, what=what, before=value, after=other["latency_ms"][what], verdict=verdict
            )


def _verdict(old: list[float] | None, new: list[float] | None, before: float, after: float) -> str:
    if not old or not new:
        return "too few to say"
    if abs(after - before) <= CLOSE * before:
        return "same"
    if max(new) < min(old):
        return "faster, beyond noise"
    if min(new) > max(old):
        return "slower, beyond noise"
    return "within noise"
