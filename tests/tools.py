"""Tools that a machine may lack: without them their tests say what is left out; `.ci/run` does not let them."""

import os
import shutil
from pathlib import Path

import pytest

NPM = Path(__file__).parent / "npm"


def needs(*commands: str, npm: Path = NPM) -> None:
    """Skip a test for want of a command or npm packages; fail where RDV_REQUIRE_TOOLS says that they are there."""
    missing = [one for one in commands if shutil.which(one) is None]
    if "node" in commands and not (npm / "node_modules").is_dir():
        missing.append(f"the npm packages of {npm.relative_to(NPM.parents[1])}")
    if not missing:
        return
    said = f"needs {', '.join(missing)}: run `make tools` first"
    if os.environ.get("RDV_REQUIRE_TOOLS"):
        pytest.fail(said)
    pytest.skip(said)
