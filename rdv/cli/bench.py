"""`rdv bench`: data and load for performance testers. What drives the load is in `benchmarks/load/`, in the repository."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import date, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from rdv.cli.arguments import day
from rdv.cli.database import database_address
from rdv.cli.serve import real_clock
from rdv.cli.stopping import Stopping
from rdv.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rdv.settings import Settings
    from rdv.usecases.bench import SeedWish

bench = typer.Typer(help="Data and load for performance tests.", no_args_is_help=True)
STATEMENT_TIMEOUT_MS = 3_600_000
Where = Annotated[
    str | None, typer.Option("--database", help="Its address; RDV_DATABASE_URL or the embedded one when left out.")
]


@bench.command()
def seed(
    *,
    size: Annotated[
        str, typer.Option(help="S, M, L (4, 40, 400 offices) or national (3,642, 3 million appointments).")
    ],
    seed: Annotated[int, typer.Option(help="Another seed makes another country of this size.")] = 1,
    first: Annotated[str | None, typer.Option(help="The first day with appointments; tomorrow when left out.")] = None,
    database: Where = None,
) -> None:
    """Write the data of a benchmark into an empty database; one that holds anything is refused."""
    from rdv.usecases.bench import SeedWish
    from rdv.usecases.bench_country import SIZES

    if size not in SIZES:
        raise BadSetting(f"--size: is one of {', '.join(SIZES)}")
    tomorrow = real_clock().date() + timedelta(days=1)
    wish = SeedWish(size=SIZES[size], seed=seed, first=tomorrow if first is None else _day(first))
    with Stopping() as stopping, database_address(_settings(database), stopping) as address:
        typer.echo(asyncio.run(_seed(address, wish)))


def _day(text: str) -> date:
    return day("--first", text)


def _settings(database: str | None) -> Settings:
    from rdv.settings import read_settings

    return read_settings() if database is None else read_settings(database_url=database)


async def _seed(address: str, wish: SeedWish) -> str:
    from rdv.models.database import Database, migrate
    from rdv.usecases import bench as usecase

    began = perf_counter()
    database = Database(address, pool_size=2, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    try:
        await usecase.refuse(database)  # before anything of somebody's is touched, were it its migrations only
        await asyncio.to_thread(migrate, address)
        with _progress() as tell:
            await usecase.seed(database, wish, tell)
        sizes = await usecase.sizes(database)
    finally:
        await database.close()
    size, took = wish.size, perf_counter() - began
    told = ", ".join(f"{name} {_bytes(number)}" for name, number in sizes.tables.items())
    return (
        f"{size.offices:,} offices, {size.counters:,} counters, {size.appointments:,} appointments (seed {wish.seed}, "
        f"from {wish.first}) in {took:.0f} s\n{_bytes(sizes.whole)}: {told}\n"
        "All constraints and triggers were on."
    )


def _bytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar with rows a second on a terminal, silence elsewhere."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, of: progress.update(task, description=what, completed=done, total=of)
