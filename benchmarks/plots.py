"""A picture of a benchmark's ratios to its references, one bar a row."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure


def draw(suite: str, rows: list[dict[str, Any]], folder: Path) -> Path | None:
    """Write the rows that have a ratio as an SVG; return its path, None when there are none."""
    bars = [(str(row["name"]), float(row["ratio"])) for row in rows if row.get("ratio")]
    if not bars:
        return None
    mpl.rcParams["svg.hashsalt"] = suite  # the same rows give the same file
    figure = Figure(figsize=(10, 1 + 0.28 * len(bars)), layout="constrained")
    axes = figure.subplots()
    names, ratios = zip(*reversed(bars), strict=True)
    axes.barh(range(len(bars)), ratios, color="#2b6cb0")
    axes.set_yticks(range(len(bars)), names, fontsize=7)
    axes.set_xscale("log" if max(ratios) > 20 * min(ratios) else "linear")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("ratio to the reference of the same run")
    axes.set_title(suite)
    path = folder / f"{suite}.svg"
    figure.savefig(path, metadata={"Date": None})
    return path
