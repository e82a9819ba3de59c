"""From an office's rows in PostgreSQL to its first answers, step by step, and the memory it keeps.

The reference is the statement alone: the database's own work and the way of the bytes to us, which no compilation can
do without. The answers are checked against the rows: with counters that are all alike, a start can be had by as many
as there are counters, less the appointments there at the same time.
"""

import asyncio
import gc
import tempfile
import tracemalloc
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg

from benchmarks.engine import SIZES, Size, written
from benchmarks.office import MINUTES, NOW, TODAY, write_office
from rdv.engine.slots import Office
from rdv.engine.values import Answer, Query
from rdv.models.database import Database, migrate, packed_rows
from rdv.models.embedded import embedded_server
from rdv.models.nation import NationCache
from rdv.models.situation import SITUATIONS, load_situations, parameters

LEGS = 5
LENGTH = timedelta(minutes=MINUTES)
TAKEN = "select starts_at, count(*) from appointment where office_id = %s group by starts_at"


def run() -> list[dict[str, Any]]:
    """Return the rows of the table."""
    return [row for size in SIZES if size.name in {"L", "XL"} for row in _of_size(size)]


def _of_size(size: Size) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder, embedded_server(Path(folder)) as address:
        migrate(address)
        office, reason = write_office(address, counters=size.counters, days=size.days)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("vacuum analyze")
            taken: dict[Any, Any] = dict(connection.execute(TAKEN, (office,)).fetchall())
        return asyncio.run(_measured(size, address, office, reason, taken))


async def _measured(
    size: Size, address: str, office: int, reason: int, taken: dict[datetime, int]
) -> list[dict[str, Any]]:
    database = Database(address)
    first, last = TODAY, TODAY + timedelta(days=size.days - 1)
    # From tomorrow on: today's appointments are frozen where they stand.
    query = Query(reason=str(reason), from_date=first + timedelta(days=1), to_date=last)
    async with database.reading() as connection:
        nation = await NationCache().current(connection)

        async def statement() -> None:
            await packed_rows(connection, SITUATIONS, parameters([office], first, last, NOW))

        async def compiled() -> Office:
            found = await load_situations(connection, nation, [office], first=first, last=last, now=NOW)
            return Office(found[office].instance, first, last)

        bare = await _best(statement)
        whole = await _best(compiled)
        engine = await compiled()
        began = perf_counter()
        answer = engine.answer(query)
        asked = perf_counter() - began
        kept, kept_asked = await _memory(compiled, query)
    await database.close()
    _check(answer, size.counters, taken)
    label = f"{size.name} ({size.counters} counters, {size.days} days, {sum(taken.values())} visits)"
    checked = f"{len(answer.starts)} starts right"
    reference = f"{written(bare)} statement"
    return [
        _row(f"{label} rows to compiled", written(whole), reference, whole / bare, checked),
        _row(f"{label} of this, without the statement", written(whole - bare), reference, whole / bare - 1, checked),
        _row(f"{label} first answer with counts", written(asked), reference, asked / bare, checked),
        _row(f"{label} memory, compiled", f"{kept / 1e6:.2f} MB", "", None, checked),
        _row(f"{label} memory, asked with counts", f"{kept_asked / 1e6:.2f} MB", "", None, checked),
    ]


async def _best(work: Callable[[], Awaitable[Any]]) -> float:
    """Return the seconds that the fastest of several runs takes."""
    found = []
    for _ in range(LEGS):
        gc.collect()
        began = perf_counter()
        await work()
        found.append(perf_counter() - began)
    return min(found)


async def _memory(work: Callable[[], Awaitable[Office]], query: Query) -> tuple[int, int]:
    """Return the bytes an office keeps once it is compiled, and once it is asked; all modules are loaded by now."""
    gc.collect()
    tracemalloc.start()
    office = await work()
    gc.collect()
    compiled, _ = tracemalloc.get_traced_memory()
    office.answer(query)
    gc.collect()
    asked, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return compiled, asked


def _check(answer: Answer, counters: int, taken: dict[datetime, int]) -> None:
    """Stop unless the answer is what the rows say."""
    quarter = LENGTH / 2
    for start, remaining in zip(answer.starts, answer.remaining, strict=True):
        there = max(taken.get(start, 0), taken.get(start - quarter, 0), taken.get(start + quarter, 0))
        assert remaining == counters - there > 0, start


def _row(name: str, value: str, reference: str, ratio: float | None, checked: str) -> dict[str, Any]:
    return {"name": name, "value": value, "reference": reference, "ratio": ratio, "checked": checked}
