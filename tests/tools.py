"""Tools that a machine may lack: without them their tests say what is left out; `.ci/run` does not let them."""

import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NPM = ROOT / "tests" / "npm"
CODEGEN = Path(sys.prefix) / "codegen" / "bin"  # the environment of ariadne-codegen, see the Makefile
LEFT_OUT = "Left out for want of tools; `make tools` gets them, then `make test` runs these too:"


def found(command: str) -> str | None:
    """Return the path of a command, on the caller's path, among the system's, or in the generator's environment."""
    return shutil.which(command) or shutil.which(command, path=f"{CODEGEN}:/usr/sbin")


def needs(*commands: str, npm: Path = NPM) -> None:
    """Skip a test for want of a command or npm packages; fail where RDV_REQUIRE_TOOLS says that they are there."""
    missing = [one for one in commands if found(one) is None]
    if "node" in commands and not (npm / "node_modules").is_dir():
        missing.append(f"the npm packages of {npm.relative_to(ROOT)}")
    if not missing:
        return
    said = f"needs {', '.join(missing)}: run `make tools` first"
    if os.environ.get("RDV_REQUIRE_TOOLS"):
        pytest.fail(said)
    pytest.skip(said)


def left_out(skipped: list[pytest.TestReport]) -> list[str]:
    """Return a line for each test that was skipped for want of tools: its name and what it needs."""
    lines = []
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        what, told, _ = reason.removeprefix("Skipped: ").partition(": run `make tools`")
        if told:
            lines.append(f"  {report.nodeid} {what}")
    return lines
