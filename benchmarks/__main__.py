"""`make bench`: run the benchmarks (all, or those named) and print one table."""

import os
import platform
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import engine, fill, http, rows, smptsp, stages

SUITES = {
    "engine": engine.run,
    "fill": fill.run,
    "http": http.run,
    "rows": rows.run,
    "smptsp": smptsp.run,
    "stages": stages.run,
}


def main(names: list[str]) -> None:
    console = Console()
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    table = Table("benchmark", "value", "reference", "ratio", "answers")
    for name in names or list(SUITES):
        for row in SUITES[name]():
            table.add_row(*_cells(row))
    console.print(table)


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
