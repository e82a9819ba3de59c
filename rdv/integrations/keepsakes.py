"""Secrets that are made once and kept in a file that only its owner may read."""

import os
from collections.abc import Callable
from pathlib import Path

from rdv.errors import BadSetting


def keepsake(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the content of a file, made with mode 0600 when missing; of two makers at once the first one wins."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(path, make)
        return path.read_bytes()
    except OSError as error:
        raise BadSetting(f"RDV_DATA_DIR: {path.name} cannot be kept there: {error.strerror}") from None


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, at once: a reader sees the old one or the new one, whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    _create(fresh, content)
    fresh.replace(path)


def _make(path: Path, make: Callable[[], bytes]) -> None:
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    _create(fresh, make())
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _create(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - mode at birth
        file.write(content)
