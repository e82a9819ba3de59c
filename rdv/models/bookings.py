"""What a booking writes, under the locks that keep two of them apart.

Rules of this file. Every writer of appointments calls `lock` (or its two parts) first, once, with every office-day it
may touch; rows are locked in one order, so writers queue and never wait in a circle. What a writer decides on is read
after that, or of the version that the lock tells. The exclusion constraints have the last word: they are checked before
the transaction ends, and a violation becomes `Overlap`, after which nothing of the transaction remains.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.errors import DeadlockDetected, ExclusionViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.models.appointments import AGENT_ONCE, COUNTER_ONCE, LIVE
from rdv.models.database import Database
from rdv.models.reads import Version
from rdv.models.situation import PAD, VERSION_COLUMNS

Days = tuple[date, date]


class Overlap(Exception):
    """A counter or an agent would have two appointments at once, as the constraints found."""


class Collided(Exception):
    """Two writers waited for each other, and this one gave way: the same once more may succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where an appointment sits: a counter and the agents who serve it."""

    counter_id: int
    agent_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When an appointment is; `day` is the office's local date of `start`, `until` includes the buffer."""

    day: date
    start: datetime
    end: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """Office-days that are locked, in order; the office's version as of then; whether holds were swept off since."""

    days: list[date]
    version: Version
    swept: bool


# Planning changes wait for bookings in progress, and these for them.
LOCK_OFFICES = """
select (select version from national_version) as nation from office where id = any(:offices) order by id for share
"""

# One row an office-day, made when missing, locked in the order of the days: those wanted, those on which something of
# the office stands at a wanted time, whichever day it began, and all that are bound to one of these by somebody who
# stands over midnight and may have to move. `offset 0`: few rows of a day or two are looked at, whatever PostgreSQL
# believes of them.
LOCK_DAYS_CONCERNED = f"""
with recursive wanted as (
  select * from unnest(cast(:days as date[]), cast(:starts as timestamptz[]), cast(:untils as timestamptz[]))
    as w (day, start, until)
), bound as (
  (
    select day from wanted
    union
    select standing.day from wanted w cross join lateral (
      select a.day from appointment a
      where a.office_id = :office and a.day between w.day - 1 and w.day + 1
        and a.starts_at < w.until and a.occupied_until > w.start and {LIVE}
      offset 0
    ) standing
  )
  union
  select unnest(array[over_midnight.day, over_midnight.day + 1])
  from bound cross join lateral (
    select a.day from appointment a
    where a.office_id = :office and a.day between bound.day - 1 and bound.day and {LIVE}
      and ((a.occupied_until - interval '1 microsecond') at time zone :zone)::date > a.day
    offset 0
  ) over_midnight
)
insert into office_day (office_id, day, version) select :office, day, 0 from bound order by day
on conflict (office_id, day) do update set version = office_day.version
returning day
"""

# Locks given office-days in order, made when missing.
LOCK_DAYS = """
insert into office_day (office_id, day, version)
select :office, day, 0 from unnest(cast(:days as date[])) as day order by day
on conflict (office_id, day) do update set version = office_day.version
"""

# Holds that are over give their seats back to the constraints. With the office's version before that, as whoever had
# the locks left it.
SWEEP = f"""
with swept as (
  update appointment set status = 'CANCELLED'
  where office_id = :office and day = any(:days) and status = 'HELD' and expires_at <= :now
  returning 1
)
select {VERSION_COLUMNS}, exists (select from swept) as swept from office o where o.id = :office
"""

SWEEP_OFFICE = """
update appointment set status = 'CANCELLED'
where office_id = :office and day >= cast(:today as date) - 1 and status = 'HELD' and expires_at <= :now
  and stranded_since is null
"""

INSERT_HOLD = """
insert into appointment (office_id, reference, status, reason_id, day, starts_at, ends_at, occupied_until, channel,
                         modality, counter_id, pinned, hold_token_hash, held_by, expires_at, proposal_for, delegated_by,
                         delegation_id, created_at)
values (:office, :reference, 'HELD', :reason, :day, :start, :end, :until, :channel,
        :modality, :counter, false, :token_hash, :held_by, :expires_at, :proposal_for, :delegated_by,
        :delegation_id, :now)
returning id
"""

INSERT_AGENTS = """
insert into appointment_agent (office_id, appointment_id, agent_id)
select :office, :appointment, agent from unnest(cast(:agents as bigint[])) as agent
"""

# Who moves may be in others' way until these have moved too: it is looked at when the transaction ends.
DEFER = f"set constraints {COUNTER_ONCE}, {AGENT_ONCE} deferred"

MOVE = "update appointment set counter_id = :counter where id = :appointment and counter_id <> :counter"

DELETE_AGENTS = "delete from appointment_agent where appointment_id = :appointment"

RESCHEDULE = """
update appointment
set day = :day, starts_at = :start, ends_at = :end, occupied_until = :until, counter_id = :counter, channel = :channel,
    access_code_hash = :code_hash, stranded_since = null
where id = :appointment
"""

CONFIRM = """
update appointment
set status = 'BOOKED', usager_id = :usager, comment = :comment, access_code_hash = :code_hash
where id = :appointment
"""

CANCEL_ALL = "update appointment set status = 'CANCELLED' where id = any(:ids)"

# Where and when another time is held for somebody who lost theirs.
PROPOSALS = """
select id, day, starts_at, ends_at, occupied_until from appointment
where proposal_for = :appointment and status = 'HELD'
"""

STILL_WAITS = """
select 1 from appointment
where id = :appointment and status = 'BOOKED' and stranded_since is not null and starts_at = :start for update
"""

CANCEL = "update appointment set status = 'CANCELLED', cancelled_why = :why where id = :appointment"


def local_day(moment: datetime, time_zone: str) -> date:
    """Return the day of a moment at an office."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[AsyncConnection]:
    """One transaction; raises Overlap or Collided, and nothing of it remains."""
    try:
        async with database.transaction() as connection:
            yield connection
    except IntegrityError as error:
        if isinstance(error.orig, ExclusionViolation):
            raise Overlap from None
        raise
    except OperationalError as error:
        if isinstance(error.orig, DeadlockDetected):
            raise Collided from None
        raise


async def lock_offices(connection: AsyncConnection, office: int, for_office: int | None = None) -> int:
    """Keep an office's planning as it is; what follows is `lock_days`.

    Returns the nation's version as it was before the lock was waited for.

    `for_office`: the one that has delegated to it what is booked; both are locked in one order.
    """
    offices = [office] if for_office is None else [office, for_office]
    rows = (await connection.execute(text(LOCK_OFFICES), {"offices": offices})).all()
    nation: int = rows[0].nation
    return nation


async def lock_days(
    connection: AsyncConnection,
    office: int,
    zone: str,
    wanted: Sequence[Times],
    now: datetime,
    *,
    of: Days | None = None,
) -> Locked:
    """Lock the office-days that the wanted times may touch, and free them of holds that are over.

    `of`: the first and the last of the days whose version is to be told; by default those that are locked.
    """
    columns = {
        "days": [times.day for times in wanted],
        "starts": [times.start for times in wanted],
        "untils": [times.until for times in wanted],
    }
    bound = columns | {"office": office, "zone": zone}
    rows = (await connection.execute(text(LOCK_DAYS_CONCERNED), bound)).all()
    days = sorted(row.day for row in rows)
    first, last = of or (days[0], days[-1])
    swept = {"office": office, "days": days, "now": now, "first": first - PAD, "last": last + PAD}
    row = (await connection.execute(text(SWEEP), swept)).one()
    return Locked(
        days=days, version=Version(row.office_version, row.national_version, row.days_version), swept=row.swept
    )


async def lock(connection: AsyncConnection, office: int, zone: str, wanted: Sequence[Times], now: datetime) -> None:
    """Lock an office and its days, as `lock_offices` and `lock_days` do."""
    await lock_offices(connection, office)
    await lock_days(connection, office, zone, wanted, now)


async def sweep(connection: AsyncConnection, office: int, today: date, now: datetime) -> None:
    """Free a whole office, which is locked, of holds that are over."""
    await connection.execute(text(SWEEP_OFFICE), {"office": office, "today": today, "now": now})


async def insert_hold(connection: AsyncConnection, office: int, times: Times, seat: Seat, **columns: object) -> int:
    """Write a hold with its seat and return its id."""
    bound = (
        {"delegated_by": None, "delegation_id": None}
        | columns
        | _times(times)
        | {"office": office, "counter": seat.counter_id}
    )
    appointment: int = (await connection.execute(text(INSERT_HOLD), bound)).scalar_one()
    await _insert_agents(connection, office, appointment, seat)
    return appointment


async def defer(connection: AsyncConnection) -> None:
    """Let appointments be in each other's way until the transaction ends."""
    await connection.execute(text(DEFER))


async def move(connection: AsyncConnection, office: int, seats: Mapping[int, Seat]) -> None:
    """Give appointments other seats at the same time."""
    if seats:
        await defer(connection)
    for appointment, seat in seats.items():
        await connection.execute(text(MOVE), {"appointment": appointment, "counter": seat.counter_id})
        await connection.execute(text(DELETE_AGENTS), {"appointment": appointment})
        await _insert_agents(connection, office, appointment, seat)


async def reschedule(
    connection: AsyncConnection, office: int, appointment: int, times: Times, seat: Seat, **columns: object
) -> None:
    """Give an appointment another time and seat."""
    bound = columns | _times(times) | {"appointment": appointment, "counter": seat.counter_id}
    await defer(connection)  # until it has its new agents, the others are where they were
    await connection.execute(text(RESCHEDULE), bound)
    await connection.execute(text(DELETE_AGENTS), {"appointment": appointment})
    await _insert_agents(connection, office, appointment, seat)


async def confirm(connection: AsyncConnection, appointment: int, **columns: object) -> None:
    """Turn a hold into an appointment of a usager."""
    await connection.execute(text(CONFIRM), columns | {"appointment": appointment})


async def cancel(connection: AsyncConnection, appointment: int, why: str | None) -> None:
    """Cancel an appointment; its seat is free at once."""
    await connection.execute(text(CANCEL), {"appointment": appointment, "why": why})


async def proposals(connection: AsyncConnection, appointment: int) -> dict[int, Times]:
    """Return the holds that propose another time to who lost theirs."""
    rows = await connection.execute(text(PROPOSALS), {"appointment": appointment})
    return {row.id: Times(day=row.day, start=row.starts_at, end=row.ends_at, until=row.occupied_until) for row in rows}


async def still_waits(connection: AsyncConnection, appointment: int, start: datetime) -> bool:
    """Tell whether an appointment has lost its place and was not moved; it stays so until the transaction ends."""
    bound = {"appointment": appointment, "start": start}
    return (await connection.execute(text(STILL_WAITS), bound)).scalar() is not None


async def cancel_all(connection: AsyncConnection, appointments: Sequence[int]) -> None:
    """Give up holds whose days are locked."""
    if appointments:
        await connection.execute(text(CANCEL_ALL), {"ids": list(appointments)})


async def _insert_agents(connection: AsyncConnection, office: int, appointment: int, seat: Seat) -> None:
    if seat.agent_ids:
        bound = {"office": office, "appointment": appointment, "agents": list(seat.agent_ids)}
        await connection.execute(text(INSERT_AGENTS), bound)


def _times(times: Times) -> dict[str, Any]:
    return {"day": times.day, "start": times.start, "end": times.end, "until": times.until}
