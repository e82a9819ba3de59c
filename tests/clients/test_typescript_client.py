"""The typed TypeScript client that anybody can generate from `queries/`, against a running server."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.places import Place
from tests.served import Served
from tests.tools import NPM, needs


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the npm packages, or one of ours, by node."""
    return subprocess.run(["node", *command], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def typescript_client(workshop: Path) -> Path:
    """The folder with the generated documents and our program, not compiled yet."""
    needs("node")
    shutil.copytree(NPM / "client", workshop, dirs_exist_ok=True)
    (workshop / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (workshop / "node_modules").symlink_to(NPM / "node_modules")
    done = run(workshop, "node_modules/.bin/graphql-codegen", "--config", "codegen.yml")
    assert done.returncode == 0, done.stderr
    return workshop


def test_it_compiles_strictly_refuses_wrong_uses_and_runs(
    typescript_client: Path, served: Served, place: Place
) -> None:
    compiled = run(typescript_client, "node_modules/.bin/tsc", "--project", ".")
    assert (compiled.stdout, compiled.returncode) == ("", 0)
    done = run(typescript_client, "journey.js", served.url, str(place.office), str(place.reasons["declare"]))
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen.pop("starts")) == 11
    free = " ".join(f"2027-03-01T{time}:00+01:00" for time in ("09:30", "09:45", "10:00", "10:15", "10:30"))
    assert seen == {
        "held": "Déclarer until 2027-03-01T08:10:00+01:00",
        "again": f"SLOT_TAKEN, free: {free}",
        "nobodys": None,
    }
