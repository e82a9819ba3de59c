"""What is said about tests that need tools, on a machine that lacks them."""

import os
import subprocess
import sys
from pathlib import Path

NEEDS_NODE = "tests/federation/test_composition.py"  # needs node, and nothing that takes long


def run_without_tools(tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run tests that need node where the path leads to no command at all."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("RDV_", "PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", NEEDS_NODE, "-p", "no:cacheprovider"],
        cwd=Path(__file__).parents[1],
        env=bare | {"PATH": str(tmp_path), "COLUMNS": "120"} | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_node_the_end_names_what_is_left_out_and_how_to_run_it(tmp_path: Path) -> None:
    done = run_without_tools(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "Left out for want of tools; `make tools` gets them, then `make test` runs these too:\n" in done.stdout
    assert (
        "::test_it_composes_without_a_hint_with_a_portal_that_knows_more_of_usagers_and_offices needs node"
        in done.stdout
    )


def test_where_tools_are_required_their_want_is_a_failure(tmp_path: Path) -> None:
    done = run_without_tools(tmp_path, RDV_REQUIRE_TOOLS="1")
    assert done.returncode == 1
    assert "Failed: needs node" in done.stdout
    assert "Left out" not in done.stdout
