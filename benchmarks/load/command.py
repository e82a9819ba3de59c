"""What `rdv bench load` and `rdv bench compare` do: where the data are, which server, and what is told at the end."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from rich.console import Console
from rich.table import Table

from benchmarks.load import report
from benchmarks.load.compare import compare, differently_taken, only_in_one
from benchmarks.load.generator import GeneratorMissing, missing
from benchmarks.load.run import Wish, run
from rdv.models.database import Database, migrate, with_name
from rdv.models.embedded import embedded_server
from rdv.usecases import bench
from rdv.usecases.bench import SeedWish
from rdv.usecases.bench_country import SIZES

STALE = timedelta(days=3)  # appointments in the past are no load
TIMEOUT_MS = 3_600_000

Tell = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where the load goes: a server that runs, a seeded database, or a size that is seeded when needed."""

    url: str | None
    database: str | None
    size: str
    data_dir: Path


def load(wish: Wish, where: Where, out: Path, tell: Tell) -> str:
    """Run and report; return what the terminal shall show. Raises GeneratorMissing, BadSetting, DatabaseUnavailable."""
    said = missing()
    if said is not None:
        raise GeneratorMissing(said)

    def step(what: str) -> None:
        tell(what, 0, None)

    if where.url is not None:
        found = run(wish, database=None, url=where.url, data={"url": "a server that ran already"}, tell=step)
    elif where.database is not None:
        found = _on(where.database, wish, out, step)
    else:
        with _own(where, wish.now.date(), tell) as address:
            found = _on(address, wish, out, step)
    paths = report.write(found, out)
    return report.as_markdown(found) + "\n" + "\n".join(map(str, paths))


def _on(address: str, wish: Wish, out: Path, step: Callable[[str], None]) -> dict[str, Any]:
    data = asyncio.run(_with(address, bench.seeded))
    told = {"size": data.size, "appointments": data.appointments, "seed": data.seed, "first day": str(data.first)}

    def fresh() -> None:
        asyncio.run(_with(address, bench.forget_load))

    def save(found: dict[str, Any]) -> None:
        report.write(found, out)

    return run(wish, database=address, url=None, data=told, tell=step, fresh=fresh, save=save)


async def _with(address: str, work: Callable[[Database], Any]) -> Any:  # noqa: ANN401 - whatever the work returns
    database = Database(address, pool_size=2, statement_timeout_ms=TIMEOUT_MS)
    try:
        return await work(database)
    finally:
        await database.close()


@contextmanager
def _own(where: Where, today: date, tell: Tell) -> Iterator[str]:
    """Yield a seeded database of the load tests' own server, made anew when its days have come."""
    with embedded_server(where.data_dir / "bench") as server:
        name = f"bench_{where.size.lower()}"
        with psycopg.connect(server, autocommit=True) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
            if known and _stale(with_name(server, name), today):
                connection.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
                known = None
            if not known:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        address = with_name(server, name)
        migrate(address)  # one of before may be of another version
        if not known:
            size = SIZES[where.size]
            seeding = SeedWish(size=size, seed=1, first=today + timedelta(days=1))
            asyncio.run(_with(address, lambda database: bench.seed(database, seeding, tell)))
        yield address


def _stale(address: str, today: date) -> bool:
    """Tell whether the seed's days have come, or seeding was interrupted."""
    with psycopg.connect(address) as connection:
        if connection.execute("select to_regclass('rdv_bench.seeded')").fetchone() == (None,):
            return True
        row = connection.execute("select first_day from rdv_bench.seeded").fetchone()
    return row is None or today - row[0] > STALE


def show_comparison(first: Path, second: Path, console: Console) -> None:
    """Print the table of two reports; raises BadFile."""
    before, after = report.read(first), report.read(second)
    table = Table("scenario, workers", "operation", "figure", "before", "after", "ratio", "")
    for line in compare(before, after):
        table.add_row(
            line.leg,
            line.operation,
            line.what,
            f"{line.before:.1f}",
            f"{line.after:.1f}",
            f"{line.ratio:.2f}",
            line.verdict,
        )
    console.print(table)
    for said in (*only_in_one(before, after), *differently_taken(before, after)):
        console.print(f"not alike: {said}")
