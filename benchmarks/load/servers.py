"""The servers under load: `rdv serve`, as many processes as wanted, each on a free port, stopped by who started them.

The generator sends to them in turn, which is what a load balancer would do, without one's own cost.
"""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Worker:
    """One process that serves; `process` None = somebody else's."""

    url: str
    process: int | None = None

    def metric(self, name: str) -> float | None:
        """Return one of its figures for Prometheus, None when it tells none."""
        try:
            with urlopen(urljoin(self.url, "/metrics"), timeout=PATIENCE_SECONDS) as page:  # noqa: S310 - http, given
                found = re.search(rf"^{name} (\S+)$", page.read().decode(), re.MULTILINE)
        except OSError:
            return None
        return float(found[1]) if found else None

    def memory(self) -> dict[str, float] | None:
        """Return its resident memory now and at its highest, in MiB."""
        if self.process is None:
            return None
        status = Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        found = dict(re.findall(r"^(VmRSS|VmHWM):\s+([0-9]+) kB$", status, re.MULTILINE))
        return {"now": int(found["VmRSS"]) / 1024, "highest": int(found["VmHWM"]) / 1024}


@contextmanager
def serving(database: str, workers: int, *, agendas_kept_mb: int | None = None) -> Iterator[list[Worker]]:
    """Serve a database by so many processes; they have ended at the end of the block."""
    given = {
        "RDV_DATABASE_URL": database,
        "RDV_SECRET_KEY": secrets.token_urlsafe(48),
        "RDV_METRICS": "true",
        "RDV_RATE_LIMIT": "",
    }
    if agendas_kept_mb is not None:
        given["RDV_AGENDAS_KEPT_MB"] = str(agendas_kept_mb)
    with ExitStack() as stack:
        yield [stack.enter_context(_one(os.environ | given)) for _ in range(workers)]


@contextmanager
def _one(environment: dict[str, str]) -> Iterator[Worker]:
    rdv = str(Path(sys.executable).with_name("rdv"))
    with subprocess.Popen(  # noqa: S603 - our own command
        [rdv, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            if not url.startswith("http://"):
                raise RuntimeError(f"rdv serve did not start: {url or 'see above'}")
            yield Worker(url, process.pid)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(PATIENCE_SECONDS)
