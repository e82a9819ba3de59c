"""The command as its users run it: a process of its own, with an environment of the test's."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

RDV = str(Path(sys.executable).with_name("rdv"))
PATIENCE_SECONDS = 120
SECRET_KEY = "a secret of the tests that is long enough"  # noqa: S105 - nobody's


def environment(data_dir: Path, **given: str) -> dict[str, str]:
    """Return this environment without settings of its own, so that tests decide on every one of them."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("RDV_")}
    return bare | {"RDV_DATA_DIR": str(data_dir), "COLUMNS": "200"} | given


def ran(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [RDV, *arguments],
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@dataclass
class Running:
    """A server that is ready; `said` is what it printed on standard output until then."""

    process: subprocess.Popen[str]
    url: str
    said: str
    errors: Path

    def ask(self, query: str, token: str | None = None) -> tuple[int, Any]:
        """Send a query and return the status and the body."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            with urlopen(Request(self.url, json.dumps({"query": query}).encode(), headers)) as response:  # noqa: S310
                return response.status, json.load(response)
        except HTTPError as refused:
            return refused.code, json.load(refused)

    def told(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end and return the exit status; Ctrl-C reaches a command's children too."""
        if number is signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def running(data_dir: Path, *arguments: str, until: str | None, **settings: str) -> Iterator[Running]:
    """Start a server and wait for a line that contains `until`, if any; it has ended at the end of the block."""
    errors = data_dir.parent / f"errors-{len(list(data_dir.parent.glob('errors-*')))}"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            [RDV, *arguments],
            env=environment(data_dir, **settings),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            said = ""
            while until is not None and until not in said:
                line = process.stdout.readline()
                assert line, errors.read_text()
                said += line
            words = said.split()
            url = next((word for word in words if word.startswith("http://")), "")
            yield Running(process, url, said, errors)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(PATIENCE_SECONDS)


def processes_of(directory: Path) -> list[str]:
    """Return the command lines of processes that name a directory."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in line:
            found.append(line)
    return found
