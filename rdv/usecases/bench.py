"""Seeding a database for benchmarks: one transaction, so that whoever interrupts it leaves the database as it was.

The same size, seed and first day give the same rows. Real days are needed (a server's clock is the real one), so the
first one is an argument and not part of a size.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from rdv.errors import BadSetting
from rdv.models import bench as rows
from rdv.models.bench import SeededData
from rdv.models.database import Connection, Database
from rdv.models.holidays import load_holidays
from rdv.usecases import bench_rules
from rdv.usecases.bench_country import KIND, BenchOffice, Row, Size, offices, reasons
from rdv.usecases.bench_visits import (
    APPOINTMENT_COLUMNS,
    SERVED_COLUMNS,
    USAGER_COLUMNS,
    Visits,
    Written,
    working_days,
)

BATCH_OFFICES = 50  # in one COPY
HEATED = timedelta(days=7)  # everything was booked so long before the first day

Tell = Callable[[str, int, int | None], None]  # what, how much is done, of how much


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedWish:
    """What the database shall hold."""

    size: Size
    seed: int
    first: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes of the whole database, and of its largest tables with their indexes."""

    whole: int
    tables: Mapping[str, int]


async def refuse(database: Database) -> None:
    """Refuse a database that holds anything, migrated or not; raises BadSetting or DatabaseUnavailable."""
    async with rows.reachable(database) as connection:
        await _refuse_work(connection)


async def _refuse_work(connection: Connection) -> None:
    """Raise BadSetting when the database holds anything."""
    known = await rows.seeded_with(connection)
    if known is not None:
        raise BadSetting(
            f"--database: was seeded already (size {known.size}, seed {known.seed}, from {known.first}): "
            "give an empty one to seed anew"
        )
    work = await rows.work_in(connection)
    if work:
        told = ", ".join(f"{table} ({count})" for table, count in work.items())
        raise BadSetting(f"--database: holds work already, in {told}: benchmarks need a database of their own")


async def seed(database: Database, wish: SeedWish, tell: Tell) -> None:
    """Write the data of a benchmark into an empty, migrated database; raises BadSetting for any other."""
    async with database.transaction() as connection:
        await rows.lock_bench(connection)
        await _refuse_work(connection)
        country = list(offices(wish.size, wish.seed))
        tell("Offices and counters", 0, None)
        await _write_country(connection, country, wish.first)
        usagers = await _write_visits(connection, country, wish, tell)
        await rows.set_ids(
            connection,
            ("site", "office", "reason", "counter", "agent", "opening", "delegation", "usager", "appointment"),
        )
        size = wish.size
        data = SeededData(
            size=size.name, seed=wish.seed, first=wish.first, appointments=size.appointments, usagers=usagers
        )
        await rows.remember(connection, data)
    tell("Statistics", 0, None)
    await rows.tidy(database)


async def seeded(database: Database) -> SeededData:
    """Return what a database was seeded with; raises BadSetting when it was not."""
    async with rows.reachable(database) as connection:
        found = await rows.seeded_with(connection)
    if found is None:
        raise BadSetting("--database: has no data of a benchmark: `rdv bench seed` makes them")
    return found


async def forget_load(database: Database) -> None:
    """Make a seeded database what it was: everything that was booked since is deleted; raises BadSetting."""
    data = await seeded(database)
    async with database.transaction() as connection:
        await rows.lock_bench(connection)
        await rows.forget_later(connection, data)


async def sizes(database: Database) -> Sizes:
    """Return how large everything is."""
    async with database.reading() as connection:
        found = await rows.table_sizes(connection)
    return Sizes(whole=found.pop(""), tables=found)


async def _write_country(connection: Connection, country: list[BenchOffice], first: date) -> None:
    for reason in reasons():  # one by one: parents come first
        await rows.copy_rows(connection, "reason", [reason.row])
    for table, written in {
        "commune": [office.commune for office in country],
        "site": [office.site for office in country],
        "office": [office.row for office in country],
        "competence": [
            {"commune_code": office.commune["code"], "kind": KIND, "office_id": office.id, "distance_km": 1.0}
            for office in country
        ],
        "counter": _of_all(country, bench_rules.counters),
        "agent": _of_all(country, bench_rules.agents),
        "opening": _of_all(country, bench_rules.openings),
        "reason_quota": _of_all(country, bench_rules.quotas),
        "channel_share": _of_all(country, bench_rules.shares),
        "delegation": _of_all(country, lambda one: bench_rules.delegations(one, len(country), first)),
    }.items():
        if written:
            await rows.copy_rows(connection, table, written)


def _of_all(country: list[BenchOffice], of: Callable[[BenchOffice], Iterator[Row]]) -> list[Row]:
    return [row for office in country for row in of(office)]


async def _write_visits(connection: Connection, country: list[BenchOffice], wish: SeedWish, tell: Tell) -> int:
    """Write usagers and appointments and return how many usagers there are."""
    done, of, usagers = 0, wish.size.appointments, 0
    for batch in await _batches(connection, country, wish):
        await rows.copy_lines(connection, "usager", USAGER_COLUMNS, "".join(one.usagers for one in batch))
        await rows.copy_lines(
            connection, "appointment", APPOINTMENT_COLUMNS, "".join(one.appointments for one in batch)
        )
        await rows.copy_lines(connection, "appointment_agent", SERVED_COLUMNS, "".join(one.served for one in batch))
        done += sum(one.appointment_count for one in batch)
        usagers += sum(one.usager_count for one in batch)
        tell("Appointments", done, of)
    return usagers


async def _batches(connection: Connection, country: list[BenchOffice], wish: SeedWish) -> Iterator[list[Written]]:
    holidays = await load_holidays(connection)
    leaves: dict[int, list[int]] = {}
    for reason in reasons():
        if reason.bookable:
            leaves.setdefault(reason.duration_minutes, []).append(reason.id)
    visits = Visits(wish.size, wish.seed, leaves, datetime.combine(wish.first - HEATED, time(), UTC))
    days = {one: working_days(holidays, one, wish.first) for one in {office.departement for office in country}}

    def written() -> Iterator[list[Written]]:
        for at in range(0, len(country), BATCH_OFFICES):
            yield [visits.of(office, days[office.departement]) for office in country[at : at + BATCH_OFFICES]]

    return written()
