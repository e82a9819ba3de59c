"""The rows of a filled demo: what is read to decide, what COPY writes, and what is remembered of earlier fillings.

Rules of this file. An office is organised only when it has no counter yet, and emptied only when the demo filled it: a
database that is given may hold real work. What was filled is remembered in a schema of its own, so the product's
tables know nothing of the demo. Appointments are written under the same locks as any booking.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection as Driver
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.models.bookings import LOCK_DAYS
from rdv.models.office_reads import OFFICE_COLUMNS, OfficeRecord, office_record


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterRow:
    """A counter to be written."""

    office_id: int
    id: int
    label: str
    exposed: bool = True
    reason_ids: list[int] | None = None
    channels: list[str] | None = None
    modalities: list[str] | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRow:
    """An agent to be written."""

    office_id: int
    id: int
    display_name: str
    reason_ids: list[int] | None = None
    counter_ids: list[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRow:
    """A weekly opening of the office, or an agent's presence."""

    office_id: int
    agent_id: int | None = None
    layer: str = "APPOINTMENT"
    source: str = "demo"
    weekdays: list[int]
    every_weeks: int = 1
    start_minute: int
    end_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRow:
    """One day that differs; without minutes the office is closed all day."""

    office_id: int
    on_date: date
    start_minute: int | None = None
    end_minute: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureRow:
    """Time taken from some counters, or an agent's absence."""

    office_id: int
    counter_ids: list[int] | None = None
    agent_id: int | None = None
    from_date: date
    from_minute: int
    to_date: date
    to_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagerRow:
    """A person who does not exist."""

    id: int
    public_id: UUID
    first_name: str
    last_name: str
    email: str
    phone: str
    locale: str = "fr"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentRow:
    """A booked appointment to be written."""

    office_id: int
    id: int
    reference: str
    status: str = "BOOKED"
    reason_id: int
    usager_id: int
    day: date
    starts_at: datetime
    ends_at: datetime
    occupied_until: datetime
    channel: str
    modality: str
    counter_id: int
    pinned: bool = False
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingRow:
    """An agent at an appointment; trigger functions fill in its time."""

    office_id: int
    appointment_id: int
    agent_id: int


Row = CounterRow | AgentRow | OpeningRow | ExceptionRow | ClosureRow | UsagerRow | AppointmentRow | ServingRow

TABLES: dict[type[Row], str] = {
    CounterRow: "counter",
    AgentRow: "agent",
    OpeningRow: "opening",
    ExceptionRow: "day_exception",
    ClosureRow: "closure",
    UsagerRow: "usager",
    AppointmentRow: "appointment",
    ServingRow: "appointment_agent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """How the demo filled an office."""

    fill: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOffice:
    """An office as the demo finds it; `filling` None = not the demo's (yet)."""

    record: OfficeRecord
    counters: int
    has_openings: bool
    filling: Filling | None
    filled: frozenset[date]


# What the demo remembers; made when missing, and never part of the product's migrations.
REMEMBER = (
    "create schema if not exists rdv_demo",
    """create table if not exists rdv_demo.filling (
           office_id bigint primary key, fill double precision not null, seed bigint not null)""",
    """create table if not exists rdv_demo.filled_day (
           office_id bigint not null, day date not null, primary key (office_id, day))""",
)

# Whether the country's data are there.
LOADED = """
select exists (select from office) and exists (select from commune) and exists (select from reason)
   and exists (select from competence)
"""

# A département's offices of some kinds, with what the demo made of them.
OFFICES = f"""
select {OFFICE_COLUMNS},
       (select count(*) from counter c where c.office_id = o.id) as counters,
       exists (select from opening p where p.office_id = o.id and p.layer = 'APPOINTMENT'
                 and p.counter_id is null and p.agent_id is null) as has_openings,
       f.fill, f.seed,
       (select array_agg(d.day) from rdv_demo.filled_day d where d.office_id = o.id) as filled
from office o join site s on s.id = o.site_id left join rdv_demo.filling f on f.office_id = o.id
where o.departement = :departement and o.kind = any(:kinds)
order by o.code
"""

# Every département that has an office of some kinds.
DEPARTEMENTS = "select distinct departement from office where kind = any(:kinds) order by 1"

# One demo at a time; given back with the transaction.
LOCK_DEMO = "select pg_advisory_xact_lock(hashtextextended('rdv demo', 0))"

# Bookings in progress end first, and new ones wait.
LOCK_OFFICE = "select 1 from office where id = :office for update"

OPEN_OFFICE = """
update office
set open_to_booking = true, step_minutes = 15, min_lead_minutes = 120, max_lead_days = 30, staffed = :staffed
where id = :office
"""

NEXT_IDS = "select nextval(pg_get_serial_sequence(:table, 'id')) from generate_series(1, :count)"

REMEMBER_FILLING = "insert into rdv_demo.filling (office_id, fill, seed) values (:office, :fill, :seed)"

REMEMBER_DAYS = """
insert into rdv_demo.filled_day (office_id, day) select :office, day from unnest(cast(:days as date[])) as day
"""

# The account of one of an office's agents, for the persona that is one; nobody has two.
NAME_AGENT = """
update agent set subject = :subject
where id = (select min(id) from agent where office_id = :office) and not exists (
  select from agent where subject = :subject)
"""

# An office as it was before the demo, whatever was booked there since.
EMPTY = (
    "create temporary table emptied (usager_id bigint) on commit drop",
    """with gone as (delete from appointment where office_id = :office returning usager_id)
       insert into emptied select usager_id from gone where usager_id is not null""",
    """delete from usager u where u.id in (select usager_id from emptied)
          and not exists (select from appointment a where a.usager_id = u.id)""",
    "delete from closure where office_id = :office",
    "delete from day_exception where office_id = :office",
    """delete from opening where office_id = :office
          and (source = 'demo' or counter_id is not null or agent_id is not null)""",
    "delete from agent where office_id = :office",
    "delete from counter where office_id = :office",
    "delete from rdv_demo.filled_day where office_id = :office",
    "delete from rdv_demo.filling where office_id = :office",
)


async def lock_demo(connection: AsyncConnection) -> None:
    """Wait for another demo that prepares the same database, until the transaction ends."""
    await connection.execute(text(LOCK_DEMO))


async def make_memory(connection: AsyncConnection) -> None:
    """Make the tables that remember what was filled, where they are missing."""
    for statement in REMEMBER:
        await connection.execute(text(statement))


async def is_loaded(connection: AsyncConnection) -> bool:
    """Tell whether offices, communes, competence and reasons are there."""
    return bool((await connection.execute(text(LOADED))).scalar_one())


async def load_departements(connection: AsyncConnection, kinds: Sequence[str]) -> list[str]:
    """Return the départements that have an office of the kinds."""
    return list((await connection.execute(text(DEPARTEMENTS), {"kinds": list(kinds)})).scalars())


async def load_demo_offices(connection: AsyncConnection, departement: str, kinds: Sequence[str]) -> list[DemoOffice]:
    """Return a département's offices of the kinds, by code."""
    bound = {"departement": departement, "kinds": list(kinds)}
    rows = (await connection.execute(text(OFFICES), bound)).mappings().all()
    return [
        DemoOffice(
            record=office_record(dict(row)),
            counters=row["counters"],
            has_openings=row["has_openings"],
            filling=None if row["fill"] is None else Filling(fill=row["fill"], seed=row["seed"]),
            filled=frozenset(row["filled"] or ()),
        )
        for row in rows
    ]


async def lock_office(connection: AsyncConnection, office: int) -> None:
    """Wait for bookings in progress at an office, and let later ones wait until the transaction ends."""
    await connection.execute(text(LOCK_OFFICE), {"office": office})


async def lock_days(connection: AsyncConnection, office: int, days: Sequence[date]) -> None:
    """Lock an office's days before appointments are written, in order, like any booking."""
    await connection.execute(text(LOCK_DAYS), {"office": office, "days": sorted(days)})


async def open_office(connection: AsyncConnection, office: int, *, staffed: bool) -> None:
    """Open an office to booking, with the demo's parameters."""
    await connection.execute(text(OPEN_OFFICE), {"office": office, "staffed": staffed})


async def next_ids(connection: AsyncConnection, kind: type[Row], count: int) -> list[int]:
    """Reserve ids of a table."""
    bound = {"table": TABLES[kind], "count": count}
    return list((await connection.execute(text(NEXT_IDS), bound)).scalars())


async def copy_rows(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Write rows of one kind by COPY."""
    if not rows:
        return
    columns = [field.name for field in fields(rows[0])]
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(TABLES[type(rows[0])]), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    async with (await _driver(connection)).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            await copy.write_row([getattr(row, column) for column in columns])


async def remember_filling(connection: AsyncConnection, office: int, filling: Filling) -> None:
    """Remember that the demo organised an office, and how it fills it."""
    bound = {"office": office, "fill": filling.fill, "seed": filling.seed}
    await connection.execute(text(REMEMBER_FILLING), bound)


async def remember_days(connection: AsyncConnection, office: int, days: Sequence[date]) -> None:
    """Remember which days of an office are filled."""
    await connection.execute(text(REMEMBER_DAYS), {"office": office, "days": list(days)})


async def name_agent(connection: AsyncConnection, office: int, subject: str) -> None:
    """Let an account be an agent of an office that has agents."""
    await connection.execute(text(NAME_AGENT), {"office": office, "subject": subject})


async def empty_office(connection: AsyncConnection, office: int) -> None:
    """Take everything away that the demo, or whoever used it, gave an office that the demo filled."""
    for statement in EMPTY:
        await connection.execute(text(statement), {"office": office} if ":office" in statement else {})


async def _driver(connection: AsyncConnection) -> Driver[Any]:
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    if not isinstance(driver, Driver):
        raise TypeError("COPY needs psycopg's own connection")
    return driver
