"""Which database a command works on, and `rdv migrate`."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdv.cli.stopping import Stopping
    from rdv.settings import Settings


@contextmanager
def database_address(settings: Settings, stopping: Stopping | None = None) -> Iterator[str]:
    """Yield the address of the given database, or of the embedded one, which runs meanwhile."""
    if settings.database_url is not None:
        yield str(settings.database_url)
        return
    from rdv.models.embedded import embedded_server

    with ExitStack() as stack:
        # A half-made data directory could never be used again.
        with stopping.held() if stopping else nullcontext():
            address = stack.enter_context(embedded_server(settings.data_dir / "postgresql"))
        yield address


def migrate() -> None:
    """Bring the database's tables to this version (RDV_DATABASE_URL, or the embedded one in RDV_DATA_DIR)."""
    from rdv.cli.stopping import Stopping
    from rdv.models import database
    from rdv.settings import read_settings

    with Stopping() as stopping, database_address(read_settings(), stopping) as address:
        database.migrate(address)
        typer.echo("The database has this version's tables.")
