import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "== next answer =="


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A demo as the README starts it, on a free port and with files of its own; stopped by Ctrl-C."""
    folder = tmp_path_factory.mktemp("tour")
    (folder / "queries").symlink_to(ROOT / "queries")
    command = [Path(sys.executable).with_name("rdv"), "demo", "--port", "0", "--now", "2027-03-01T08:00:00+01:00"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert any("curl" in line for line in process.stdout)  # the last thing it prints once it serves
        yield folder
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


def same(found: Any, shown: Any) -> bool:
    """Compare with what the README shows, where … stands for anything, and at an end for more."""
    if shown == "…":
        return True
    if isinstance(shown, dict):
        named = {key: value for key, value in shown.items() if key != "…"}
        whole = "…" in shown or set(found) == set(named)
        return whole and all(key in found and same(found[key], value) for key, value in named.items())
    if isinstance(shown, list):
        head = shown[:-1] if shown[-1:] == ["…"] else shown
        enough = len(found) >= len(head) if head is not shown else len(found) == len(head)
        return enough and all(map(same, found, head))
    return bool(found == shown)


def test_the_readmes_tour_gives_the_answers_it_shows(demo: Path) -> None:
    blocks = BLOCKS.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    script = ["set -eu"]
    for kind, text in blocks:
        script.append(text if kind == "sh" else f'echo "{MARK}"')
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=demo, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    answers = [json.loads(text) for text in ran.stdout.split(MARK) if text.strip()]
    shown = [json.loads(text) for kind, text in blocks if kind == "json"]
    assert len(answers) == len(shown) == 7
    for answer, wanted in zip(answers, shown, strict=True):
        assert same(answer, wanted), (answer, wanted)
