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
    """Bring the database's tables to this version.

    It is the one of RDV_DIRECT_DATABASE_URL, else RDV_DATABASE_URL, else the embedded one in RDV_DATA_DIR.
    """
    from rdv.cli.stopping import Stopping
    from rdv.models import database
    from rdv.settings import read_settings

    settings = read_settings()
    with Stopping() as stopping, database_address(settings, stopping) as address:
        # A pooler in front of it may have a time after which it ends what takes long.
        if direct := settings.on(address).direct_database_url:
            database.migrate(direct, setting=database.DIRECT_SETTING)
        else:
            database.migrate(address)
        typer.echo("The database has this version's tables.")
