"""Plots of a report as SVG texts that can stand in one page."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280", "#718096")


def pictures(report: Mapping[str, Any]) -> list[str]:
    """Return, for each scenario, latencies by percentile and by rate, and the capacities of all."""
    legs = report["legs"]
    names = dict.fromkeys(leg["scenario"] for leg in legs)
    found = [_scenario(name, [leg for leg in legs if leg["scenario"] == name]) for name in names]
    return [*found, _capacities(legs)]


def _scenario(name: str, legs: list[Mapping[str, Any]]) -> str:
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for colour, leg in zip(_colours(), legs, strict=False):
        label = f"{leg['workers']} worker{'' if leg['workers'] == 1 else 's'}"
        if leg["measured"]:
            _curve(left, leg["measured"]["curve"], label=label, color=colour)
        _ladder(right, leg["steps"], label=label, color=colour)
    left.set(title=f"{name}: at 80 % of the capacity", xlabel="share of the requests, %", ylabel="ms", yscale="log")
    right.set(title=f"{name}: by rate (p50 dotted, p99 solid)", xlabel="requests/s", ylabel="ms", yscale="log")
    for axes in (left, right):
        axes.grid(visible=True, alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    return _svg(figure, name)


def _curve(axes: Axes, curve: list[list[float]], *, label: str, color: str) -> None:
    """Draw latencies so that each further nine is as wide as the one before."""
    axes.plot([1 / (1 - share) for share, _ in curve], [value for _, value in curve], label=label, color=color)
    axes.set_xscale("log")
    nines = [10**n for n in range(5) if 10**n <= 1 / (1 - curve[-1][0])]
    axes.set_xticks(nines, [f"{100 - 100 / n:g}" for n in nines])
    axes.minorticks_off()


def _ladder(axes: Axes, steps: list[Mapping[str, Any]], *, label: str, color: str) -> None:
    rates = [step["rate"] for step in steps]
    axes.plot(rates, [step["latency_ms"]["p50"] for step in steps], ":", color=color)
    axes.plot(rates, [step["latency_ms"]["p99"] for step in steps], "-o", color=color, label=label, markersize=3)
    failed = [step for step in steps if not step["held"]]
    axes.plot([s["rate"] for s in failed], [s["latency_ms"]["p99"] for s in failed], "x", color="#c53030", markersize=8)


def _capacities(legs: list[Mapping[str, Any]]) -> str:
    figure = Figure(figsize=(11, 1 + 0.35 * len(legs)), layout="constrained")
    axes = figure.subplots()
    axes.barh(
        [f"{leg['scenario']}, {leg['workers']}" for leg in legs],
        [leg["capacity"] or 0 for leg in legs],
        color=COLOURS[0],
    )
    axes.invert_yaxis()
    axes.set(title="capacity by workers", xlabel="requests/s")
    return _svg(figure, "capacities")


def _colours() -> Iterator[str]:
    while True:
        yield from COLOURS


def _svg(figure: Figure, salt: str) -> str:
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none", "font.family": "sans-serif"}):
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue().partition("<svg")[1] + text.getvalue().partition("<svg")[2]
