"""The load as one benchmark of `make bench`: both scenarios on size M, one worker, briefly; see `rdv bench load`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.load import command, report
from benchmarks.load.generator import missing
from benchmarks.load.run import Wish
from benchmarks.load.scenarios import SCENARIOS
from rdv.settings import read_settings

OUT = Path("benchmarks/report/load")
SECONDS, STEP_SECONDS = 15, 4


def run() -> list[dict[str, Any]]:
    """Return the rows of the table; one that says what is missing where the generator is not installed."""
    said = missing()
    if said is not None:
        return [{"name": "load", "value": "left out", "checked": said}]
    wish = Wish(
        scenarios=list(SCENARIOS),
        workers=[1],
        rates=[],
        start=40,
        seconds=SECONDS,
        step_seconds=STEP_SECONDS,
        agendas_kept_mb=None,
        memory=False,
        now=datetime.now(UTC),  # noqa: TID251 - a served installation has the real clock
    )
    where = command.Where(url=None, database=None, size="M", data_dir=read_settings().data_dir)
    command.load(wish, where, OUT, lambda _what, _done, _of: None)
    return [row for leg in report.read(OUT / "report.json")["legs"] for row in _rows(leg)]


def _rows(leg: dict[str, Any]) -> list[dict[str, Any]]:
    name = f"load {leg['scenario']}"
    if leg["measured"] is None:
        return [{"name": f"{name}: capacity", "value": "no rate held"}]
    every = leg["measured"]["operations"]["all"]
    assert every["errors"] == {}, every["errors"]
    p50, p99 = every["latency_ms"]["p50"], every["latency_ms"]["p99"]
    refused = sum(every["refused"].values())
    return [
        {"name": f"{name}: capacity", "value": f"{leg['capacity']:.0f} requests/s", "checked": "open loop"},
        {
            "name": f"{name}: p99 at 80 % of it",
            "value": f"{p99:.1f} ms",
            "reference": f"{p50:.1f} ms median",
            "ratio": p99 / p50,
            "checked": f"{every['requests']} answers right, {refused} refused",
        },
    ]
