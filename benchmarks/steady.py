"""How evenly a server answers at a steady rate: h2load (nghttp2), open loop, many times lighter than node.

Each of its clients sends by a clock of its own, and they begin one after the other. A client that still waits sends
late, and so does a busy generator; so the slowest are counted from an even schedule: the n-th request that is sent is
taken to have been due at n / rate, from the earliest such schedule on that any request allows. The median they are
compared with is counted from the sending, so that a late generator makes nothing look better.
"""

import subprocess
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

CLIENTS = 256
SECONDS, LEAD_IN_SECONDS = 5, 1
MOST_MILLISECONDS = 4  # between clients that begin: so late h2load may be by itself
OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """Milliseconds until answers were there, half of them from the sending, 99 in 100 from when they were due.

    `rate`: requests a second; `late`: 99 in 100 were sent no later.
    """

    rate: float
    p50: float
    p99: float
    late: float

    @property
    def tail(self) -> float:
        """How many times the median the slowest hundredth waits."""
        return self.p99 / self.p50


def even(rate: float) -> tuple[float, int, int]:
    """Return the nearest rate at which h2load's clients can begin evenly: so many every so many whole milliseconds."""
    share = Fraction(rate / 1000).limit_denominator(MOST_MILLISECONDS)
    begin, milliseconds = max(share.numerator, 1), share.denominator if share else MOST_MILLISECONDS
    return 1000 * begin / milliseconds, begin, milliseconds


def steady(url: str, body: bytes, wanted: float) -> Steady:
    """Send a POST at about so many requests a second, at least some hundred; each answer has to be a 200."""
    rate, begin, milliseconds = even(wanted)
    requests = round(rate * (SECONDS + LEAD_IN_SECONDS))
    with tempfile.TemporaryDirectory(prefix="rdv-steady-") as folder:
        given, told = Path(folder, "body.json"), Path(folder, "log")
        given.write_bytes(body)
        subprocess.run(  # noqa: S603 - Debian's, by its name
            [
                *("h2load", "--h1", "-m", "1", "-c", str(CLIENTS), "--rps", f"{rate / CLIENTS:.4f}"),
                *("-r", str(begin), "--rate-period", f"{milliseconds}ms"),
                *("-n", str(requests), "-H", "content-type: application/json"),
                *("-d", str(given), "--log-file", str(told), url),
            ],
            capture_output=True,
            check=True,
        )
        log = np.loadtxt(told, dtype=np.int64, ndmin=2)
    assert len(log) == requests, f"{requests - len(log)} of {requests} have no answer"
    return figures(log, rate)


def figures(log: np.ndarray, rate: float) -> Steady:
    """Read h2load's log: when each request was sent and what it took (both microseconds), and its status."""
    began, status, took = log[np.argsort(log[:, 0], kind="stable")].T
    assert (status == OK).all(), set(status.tolist())
    counted = began >= began[0] + 1_000_000 * LEAD_IN_SECONDS
    sent = (began[counted] - began[0]) / 1000
    due = np.arange(len(sent)) * 1000 / rate
    late = sent - due - (sent - due).min()
    service = took[counted] / 1000
    return Steady(
        rate=rate,
        p50=float(np.median(service)),
        p99=float(np.percentile(service + late, 99)),
        late=float(np.percentile(late, 99)),
    )
