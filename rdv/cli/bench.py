"""`rdv bench`: data and load for performance testers. What drives the load is in `benchmarks/load/`."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rdv.cli.arguments import day
from rdv.cli.database import database_address
from rdv.cli.serve import real_clock
from rdv.cli.stopping import Stopping
from rdv.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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

    _known("--size", size, SIZES)
    tomorrow = real_clock().date() + timedelta(days=1)
    wish = SeedWish(size=SIZES[size], seed=seed, first=tomorrow if first is None else _day(first))
    with Stopping() as stopping, database_address(_settings(database), stopping) as address:
        typer.echo(asyncio.run(_seed(address, wish)))


@bench.command()
def load(
    *,
    scenario: Annotated[
        str, typer.Option(help="campaign, search, school-day; several by commas.")
    ] = "campaign,search,school-day",
    workers: Annotated[str, typer.Option(help="How many processes serve; several numbers by commas.")] = "1,2,4",
    rate: Annotated[
        str, typer.Option(help="Requests a second, by commas; when left out the limit is looked for.")
    ] = "",
    start: Annotated[float, typer.Option(min=1, help="The rate at which looking for the limit begins.")] = 40,
    duration: Annotated[float, typer.Option(min=1, help="Seconds that are measured, at 80 % of the capacity.")] = 30,
    step: Annotated[float, typer.Option(min=1, help="Seconds of each rate on the way to the limit.")] = 8,
    size: Annotated[str, typer.Option(help="S, M, L or national: a database of its own, seeded when missing.")] = "M",
    database: Annotated[
        str | None, typer.Option(help="The address of one that `rdv bench seed` filled, instead.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="A server that runs on such a database: …/graphql.")] = None,
    agendas_kept_mb: Annotated[int | None, typer.Option(min=0, help="RDV_AGENDAS_KEPT_MB of the servers.")] = None,
    memory: Annotated[bool, typer.Option(help="Ask every office once, for the memory of a worker.")] = True,
    out: Annotated[Path, typer.Option(help="The folder of the report.")] = Path("benchmarks/report/load"),
) -> None:
    """Put load on servers, open loop, and report percentiles, capacity, SQL round trips and memory."""
    from rdv.settings import read_settings
    from rdv.usecases.bench_country import SIZES

    command, runs, scenarios = (_repository(f"load.{name}") for name in ("command", "run", "scenarios"))
    wish = runs.Wish(
        scenarios=[_known("--scenario", one, scenarios.SCENARIOS) for one in scenario.split(",")],
        workers=[int(_positive("--workers", one)) for one in workers.split(",")],
        rates=[_positive("--rate", one) for one in rate.split(",") if one],
        start=start,
        seconds=duration,
        step_seconds=step,
        agendas_kept_mb=agendas_kept_mb,
        memory=memory,
        now=real_clock(),
    )
    where = command.Where(
        url=url, database=database, size=_known("--size", size, SIZES), data_dir=read_settings().data_dir
    )
    with Stopping(), _progress() as tell:
        typer.echo(command.load(wish, where, out, tell))


@bench.command()
def compare(
    before: Annotated[Path, typer.Argument(help="A report.json.", show_default=False)],
    after: Annotated[Path, typer.Argument(help="Another one.", show_default=False)],
) -> None:
    """Compare two reports: ratios, and which differences are more than noise."""
    from rich.console import Console

    _repository("load.command").show_comparison(before, after, Console())


def _repository(name: str) -> Any:  # noqa: ANN401 - not part of the package, so nothing is known of it
    """Return a module of the repository's benchmarks; raises BadSetting where only the package is installed."""
    try:
        return import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        raise BadSetting(
            f"rdv bench load and compare need {error.name}: run them in the repository, after `make tools`"
        ) from None


def _known(option: str, value: str, known: Iterable[str]) -> str:
    if value not in known:
        raise BadSetting(f"{option}: {value!r} is none of {', '.join(known)}")
    return value


def _positive(option: str, text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1_000_000:
        raise BadSetting(f"{option}: {text!r} is not a positive number")
    return found


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
