"""The real server in a process of its own, for tests that need several of them, or need one to die.

`python -m tests.served` serves what its environment says, by the product's own code; the clock is a file, which tests
rewrite. `serving` starts it and stops it, by its process id.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rdv.cli.serve import bound, run, url_of
from rdv.integrations.identity import Identity, JwksIdentity, NoIdentity
from rdv.settings import read_settings

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Served:
    """A running server; `log` is what it wrote."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    def kill(self) -> None:
        """End it at once, without any chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)


@contextmanager
def serving(database_url: str, clock: Path, **settings: str) -> Iterator[Served]:
    """Start a server on a free port; it has ended, one way or the other, at the end of the block.

    Settings are variables of its environment: with RDV_TOKEN_JWKS and the issuer's, usagers and staff sign in.
    """
    log = clock.with_name(f"server-{len(list(clock.parent.glob('server-*')))}.log")
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.served"],
            cwd=ROOT,
            env=os.environ
            | {"RDV_DATABASE_URL": database_url, "RDV_SECRET_KEY": "k" * 32, "TEST_CLOCK": str(clock)}
            | settings,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        with process:
            assert process.stdout is not None
            try:
                url = process.stdout.readline().strip()
                assert url.startswith("http://127.0.0.1:"), log.read_text(encoding="utf-8")
                yield Served(url, process, log)
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait(PATIENCE_SECONDS)


def main() -> None:
    file = Path(os.environ["TEST_CLOCK"])
    settings = read_settings()

    def clock() -> datetime:
        return datetime.fromisoformat(file.read_text(encoding="utf-8"))

    identity: Identity = NoIdentity()
    if settings.token_jwks:
        identity = JwksIdentity(
            settings.token_jwks, issuer=settings.token_issuer, audience=settings.token_audience, clock=clock
        )
    with bound("127.0.0.1", 0) as listening:
        run(
            settings,
            listening,
            clock=clock,
            identity=identity,
            ready=lambda: print(url_of(listening), flush=True),  # noqa: T201 - tells the test where it is
        )


if __name__ == "__main__":
    main()
