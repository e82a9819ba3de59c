"""Rows of a benchmark's data: whether a database may take them, COPY, and what is remembered of it.

Rules of this file. Only a database without any row of the product's is written to: one that holds work, or a demo, is
refused. Nothing that guards is switched off: no constraint, foreign key or trigger, so nobody can be booked twice and
versions grow as always. (Making the exclusion constraint after the rows saved a third of the time: not worth it.)
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import orjson
from psycopg import AsyncConnection as Driver
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from rdv.errors import DatabaseUnavailable
from rdv.models.database import Connection, Database, unreachable

# What would be somebody's work; a fresh database has none of it.
WORK = ("office", "reason", "commune", "site", "counter", "agent", "usager", "appointment", "holiday")
LOCK = "select pg_advisory_xact_lock(hashtextextended('rdv bench', 0))"
REMEMBER = (
    "create schema rdv_bench",
    """create table rdv_bench.seeded (size text not null, seed bigint not null, first_day date not null,
                                      appointments bigint not null, usagers bigint not null)""",
)
SIZES = """
select c.relname as name, pg_total_relation_size(c.oid) as bytes
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
order by bytes desc limit 8
"""

# What came after the seed: its own rows have the first ids.
FORGET = (
    "delete from idempotency_key",
    "delete from appointment where id > :appointments",
    "delete from usager where id > :usagers",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededData:
    """What a database was seeded with."""

    size: str
    seed: int
    first: date
    appointments: int
    usagers: int


@asynccontextmanager
async def reachable(database: Database) -> AsyncIterator[Connection]:
    """Like reading, of a database nobody has looked at yet; raises DatabaseUnavailable."""
    try:
        async with database.reading() as connection:
            yield connection
    except OperationalError as error:
        raise DatabaseUnavailable(unreachable(error)) from None


async def work_in(connection: Connection) -> dict[str, int]:
    """Return how many rows there are in each table that has any; none where there are no tables."""
    found = {}
    for table in WORK:
        if (await connection.execute(text("select to_regclass(:name)"), {"name": table})).scalar() is not None:
            found[table] = (await connection.execute(text(f"select count(*) from {table}"))).scalar_one()
    return {table: count for table, count in found.items() if count}


async def seeded_with(connection: Connection) -> SeededData | None:
    """Return what `rdv bench seed` wrote here, if it did."""
    if (await connection.execute(text("select to_regclass('rdv_bench.seeded')"))).scalar() is None:
        return None
    row = (await connection.execute(text("select * from rdv_bench.seeded"))).one()
    return SeededData(
        size=row.size, seed=row.seed, first=row.first_day, appointments=row.appointments, usagers=row.usagers
    )


async def lock_bench(connection: Connection) -> None:
    """Wait for another seeding of the database, until the transaction ends."""
    await connection.execute(text(LOCK))


async def remember(connection: Connection, data: SeededData) -> None:
    """Remember what the database was seeded with, in a schema of its own."""
    for statement in REMEMBER:
        await connection.execute(text(statement))
    insert = "insert into rdv_bench.seeded values (:size, :seed, :first, :appointments, :usagers)"
    await connection.execute(text(insert), asdict(data))


async def forget_later(connection: Connection, data: SeededData) -> None:
    """Delete what was booked since the seed."""
    for statement in FORGET:
        await connection.execute(text(statement), asdict(data) if ":" in statement else {})


async def copy_rows(connection: Connection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Write a few rows that have the same columns."""
    async with (await _driver(connection)).cursor() as cursor, cursor.copy(_copy(table, list(rows[0]))) as copy:
        for row in rows:
            await copy.write_row([_json(value) for value in row.values()])


async def copy_lines(connection: Connection, table: str, columns: Sequence[str], lines: str) -> None:
    """Write many rows that are COPY's text already."""
    async with (await _driver(connection)).cursor() as cursor, cursor.copy(_copy(table, columns)) as copy:
        await copy.write(lines.encode())


async def set_ids(connection: Connection, tables: Iterable[str]) -> None:
    """Let new rows have ids after those that were written."""
    for table in tables:
        await connection.execute(
            text(f"select setval(pg_get_serial_sequence('{table}', 'id'), (select max(id) from {table}))")
        )


async def tidy(database: Database) -> None:
    """Let the planner know what there is."""
    async with database.reading() as connection:
        await connection.execute(text("vacuum (analyze)"))


async def table_sizes(connection: Connection) -> dict[str, int]:
    """Return the bytes of the largest tables with their indexes, and of the whole database under the empty name."""
    whole = (await connection.execute(text("select pg_database_size(current_database())"))).scalar_one()
    rows = await connection.execute(text(SIZES))
    return {"": whole} | {row.name: row.bytes for row in rows}


def _copy(table: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )


def _json(value: object) -> object:
    return orjson.dumps(value).decode() if isinstance(value, dict) else value


async def _driver(connection: Connection) -> Driver[Any]:
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, Driver):
        raise TypeError("COPY needs psycopg's own connection")
    return driver
