"""`make bench`: run the benchmarks (all, or those named), print one table and draw their ratios."""

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import counts, engine, fill, holds, http, preview, roster, rows, smptsp, stages, stranding
from benchmarks.load import suite as load
from benchmarks.plots import draw

PLOTS = Path(".rdv/benchmarks")
SUITES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "counts": counts.run,
    "engine": engine.run,
    "fill": fill.run,
    "holds": holds.run,
    "http": http.run,
    "load": load.run,
    "preview": preview.run,
    "roster": roster.run,
    "rows": rows.run,
    "smptsp": smptsp.run,
    "stages": stages.run,
    "stranding": stranding.run,
}


def main(names: list[str]) -> None:
    console = Console()
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    table = Table("benchmark", "value", "reference", "ratio", "answers")
    PLOTS.mkdir(parents=True, exist_ok=True)
    for name in names or list(SUITES):
        rows = SUITES[name]()
        draw(name, rows, PLOTS)
        for row in rows:
            table.add_row(*_cells(row))
    console.print(table)
    console.print(f"plots: {PLOTS}")


def _cells(row: dict[str, Any]) -> tuple[str, str, str, str, str]:
    ratio = row.get("ratio")
    return (
        str(row["name"]),
        str(row["value"]),
        str(row.get("reference", "")),
        "" if ratio is None else f"{ratio:.2f}",
        str(row.get("checked", "")),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
