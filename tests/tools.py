"""Tools that a machine may lack: without them their tests say what is left out; `.ci/run` does not let them."""

import os
import shutil
from pathlib import Path

import pytest

NPM = Path(__file__).parent / "npm"


def needs(*commands: str) -> None:
    """Skip a test for want of a command or the npm packages; fail where RDV_REQUIRE_TOOLS says that they are there."""
    missing = [one for one in commands if shutil.which(one) is None]
    if "node" in commands and not (NPM / "node_modules").is_dir():
        missing.append("the npm packages of tests/npm")
    if not missing:
        return
    said = f"needs {', '.join(missing)}: run `make tools` first"
    if os.environ.get("RDV_REQUIRE_TOOLS"):
        pytest.fail(said)
    pytest.skip(said)
