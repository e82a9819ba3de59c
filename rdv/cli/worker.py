"""`rdv worker`: does what others asked for and need not wait for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from rdv.cli.database import database_address
from rdv.cli.serve import check, real_clock
from rdv.cli.stopping import Stopping

if TYPE_CHECKING:
    from rdv.settings import Settings

Once = Annotated[bool, typer.Option("--once", help="End when no job waits any more.")]


def worker(*, once: Once = False) -> None:
    """Do jobs (generate plannings) until interrupted; any number of workers may run on one database."""
    from rdv.settings import read_settings

    settings = read_settings()
    with Stopping() as stopping, database_address(settings, stopping) as address:
        settings = settings.on(address)
        asyncio.run(check(settings))
        asyncio.run(_work(settings, once=once))


async def _work(settings: Settings, *, once: bool) -> None:
    from logging.config import dictConfig

    from rdv.app import open_services, work
    from rdv.cli.logs import logging_config, warn_of_unknown_settings

    dictConfig(logging_config(settings.log_format, settings.log_level))
    warn_of_unknown_settings()
    services = open_services(settings, real_clock)
    try:
        await work(settings, services, once=once, signals=True)
    finally:
        await services.close()
