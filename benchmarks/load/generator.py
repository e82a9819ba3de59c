"""The generator: loadtest (npm) under node, driven by `npm/drive.mjs`. What it notes comes back as columns.

Times are milliseconds from the first request. The latency is counted from the moment a request should have been sent,
so a server that makes the generator wait, or a generator that is late, cannot hide it (no coordinated omission).
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import orjson

from rdv.errors import OperatorError

NPM = Path(__file__).parent / "npm"
QUERIES = Path(__file__).parents[2] / "queries"
# So much room that it never looks through all it has: that took 10 ms once a second, for which servers were blamed.
PLENTY = ("--initial-old-space-size=2048", "--min-semi-space-size=64", "--max-semi-space-size=64")
TICKS = os.sysconf("SC_CLK_TCK")
OVERHEAD_SECONDS = 240  # warming, and what is still to be answered when the last request is sent


class GeneratorMissing(OperatorError):
    """Node or the npm packages of the generator are not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the generator is told; its names are those that `drive.mjs` reads."""

    urls: Sequence[str]
    rate: float
    seconds: float
    weights: Mapping[str, float]
    offices: Sequence[Mapping[str, str]]
    reasons: Sequence[str]
    words: str
    # `from` is a word of Python's: see `written`.
    first: str
    to: str
    run: str  # usagers of one run are not those of another
    seed: int = 1
    lead_in: float = 0.0  # seconds of the same before those that count: node compiles, connections are made
    warm: int = 50  # offices that are asked before the time runs
    prepare: Mapping[str, int] = field(default_factory=dict)
    statements: bool = False  # of the lead-in, too
    processes: Sequence[int] = ()  # whose processor time is told
    most_waiting: int = 400  # more unanswered requests than this end the run: the server has fallen behind

    def written(self) -> bytes:
        """Return the plan as the generator reads it."""
        found = asdict(self)
        found["from"] = found.pop("first")
        found["documents"] = {file.stem: file.read_text(encoding="utf-8") for file in QUERIES.glob("*.graphql")}
        return orjson.dumps(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """One row a request, as columns; `verdict` is "ok", "refused: TYPE" or "error: CAUSE"."""

    operation: np.ndarray
    verdict: np.ndarray
    intended: np.ndarray
    sent: np.ndarray
    done: np.ndarray
    stopped: bool  # before the end, because too many were unanswered
    statements: float | None
    used: Mapping[str, float] = field(default_factory=dict)

    def since(self, moment: float) -> "Records":
        """Return what came from a moment on, counted from there; all of it where it went wrong before."""
        counted = self.intended >= moment - 1e-6
        if not counted.any() or any(said.startswith("error") for said in self.verdict[~counted]):
            return self
        columns = {name: getattr(self, name)[counted] for name in ("operation", "verdict", "intended", "sent", "done")}
        return replace(self, **columns | {name: columns[name] - moment for name in ("intended", "sent", "done")})

    @property
    def processor_seconds(self) -> float:
        """What the servers used, where these are known."""
        return self.used.get("ticks", 0.0) / TICKS

    @property
    def cores(self) -> dict[str, float]:
        """How many cores were busy on average, by whom: a machine that others use as well tells less."""
        seconds = self.used["at"] / 1000
        workers, generator = self.processor_seconds / seconds, self.used["own"] / seconds
        others = max(self.used["machine"] / TICKS / seconds - workers - generator, 0.0)
        found = {"workers": workers, "generator": generator, "database and others": others}
        return {name: round(value, 2) for name, value in found.items()}

    @property
    def latency(self) -> np.ndarray:
        """From when a request should have been sent; a timer may be early by a fraction of a millisecond."""
        late: np.ndarray = self.done - np.minimum(self.intended, self.sent)
        return late

    @property
    def service(self) -> np.ndarray:
        """From when it was sent."""
        taken: np.ndarray = self.done - self.sent
        return taken


def missing() -> str | None:
    """Say what has to be installed, None when all is there."""
    if shutil.which("node") is None:
        return "node is missing: `make tools` gets it, and the generator (as root on Debian)"
    if not (NPM / "node_modules" / "loadtest").is_dir():
        return "the load generator is missing: `make tools` gets it"
    return None


def drive(plan: Plan) -> Records:
    """Carry a plan out; raises GeneratorMissing."""
    said = missing()
    if said is not None:
        raise GeneratorMissing(said)
    with tempfile.TemporaryDirectory(prefix="rdv-load-") as folder:
        given, found = Path(folder, "plan.json"), Path(folder, "records.json")
        given.write_bytes(plan.written())
        subprocess.run(  # noqa: S603 - our own script
            ["node", *PLENTY, str(NPM / "drive.mjs"), str(given), str(found)],  # noqa: S607 - whichever node there is
            check=True,
            timeout=plan.lead_in + plan.seconds + OVERHEAD_SECONDS,
        )
        return records(json.loads(found.read_bytes())).since(1000 * plan.lead_in)


def records(told: Mapping[str, object]) -> Records:
    """Read what the generator wrote."""
    columns: Mapping[str, list[float]] = told["records"]  # type: ignore[assignment]  # as `drive.mjs` writes it
    names: Mapping[str, list[str]] = {
        "operation": told["operations"],  # type: ignore[dict-item]  # these too
        "verdict": told["verdicts"],  # type: ignore[dict-item]  # these too
    }
    return Records(
        **{key: np.array(names[key], dtype=object)[np.array(columns[key], dtype=int)] for key in names},
        **{key: np.array(columns[key], dtype=float) for key in ("intended", "sent", "done")},
        stopped=bool(told["stopped"]),
        statements=told["statements"],  # type: ignore[arg-type]  # as `drive.mjs` writes them
        used=told["used"],  # type: ignore[arg-type]  # the same
    )
