import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A place for RDV_DATA_DIR that does not exist yet; a server that runs as another user may enter it."""
    with tempfile.TemporaryDirectory(prefix="rdv-cli-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder, "data")
