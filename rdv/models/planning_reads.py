"""What a change of an office has to know and to write beside its own rows: the lock, the days, who is stranded."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Bookings wait for it, and it for them: they hold the same row for share.
LOCK_OFFICES = "select 1 from office where id = any(:offices) order by id for update"

# The last day on which somebody is expected.
LAST_DAY = """
select max(day) from appointment
where office_id = :office and day >= :today and status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS')
"""

STRANDED = """
select id from appointment
where office_id = :office and stranded_since is not null and day >= cast(:today as date) - 1
"""

# Other times that are held for who lost theirs.
PROPOSALS = """
select id, proposal_for from appointment
where office_id = :office and proposal_for is not null and status = 'HELD' and day >= cast(:today as date) - 1
"""

MARK = "update appointment set stranded_since = :since where id = any(:ids)"


# The offices of a département, or of all, at which somebody is expected on a day.
EXPECTING = """
select o.id from office o
where (cast(:departement as text) is null or o.departement = :departement)
  and exists (select from appointment a where a.office_id = o.id and a.day = :day
              and a.status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS'))
"""

LOCK_TERRITORY = """
select id from office where cast(:departement as text) is null or departement = :departement order by id for update
"""

OF_DEPARTEMENT = "select id from office where departement = :departement and open_to_booking order by id"


async def offices_expecting(connection: AsyncConnection, departement: str | None, day: date) -> list[int]:
    """Return the offices of a département, None = of all, at which somebody is expected on a day."""
    bound = {"departement": departement, "day": day}
    return list((await connection.execute(text(EXPECTING), bound)).scalars())


async def await_bookings(connection: AsyncConnection, departement: str | None) -> None:
    """Wait for the bookings that are under way in a département, None = everywhere."""
    await connection.execute(text(LOCK_TERRITORY), {"departement": departement})


async def offices_of(connection: AsyncConnection, departement: str) -> list[int]:
    """Return the offices of a département that take bookings."""
    return list((await connection.execute(text(OF_DEPARTEMENT), {"departement": departement})).scalars())


async def lock_office(connection: AsyncConnection, office: int) -> None:
    """Wait for bookings under way, and let none begin until the transaction ends."""
    await lock_offices(connection, {office})


async def lock_offices(connection: AsyncConnection, offices: Collection[int]) -> None:
    """Do so at several offices, in the order of their ids, in which bookings on behalf lock them too."""
    await connection.execute(text(LOCK_OFFICES), {"offices": list(offices)})


async def last_day(connection: AsyncConnection, office: int, today: date) -> date:
    """Return the last day on which the office expects somebody, today at the earliest."""
    found = (await connection.execute(text(LAST_DAY), {"office": office, "today": today})).scalar()
    return found or today


async def stranded(connection: AsyncConnection, office: int, today: date) -> frozenset[int]:
    """Return the appointments to come that are known to fit nowhere."""
    return frozenset((await connection.execute(text(STRANDED), {"office": office, "today": today})).scalars())


async def proposals(connection: AsyncConnection, office: int, today: date) -> dict[int, int]:
    """Return the holds that propose another time, each with the appointment it is for."""
    rows = await connection.execute(text(PROPOSALS), {"office": office, "today": today})
    return {row.id: row.proposal_for for row in rows}


async def mark_stranded(connection: AsyncConnection, ids: Sequence[int], since: datetime | None) -> None:
    """Note since when appointments fit nowhere; None = they have a place again."""
    if ids:
        await connection.execute(text(MARK), {"ids": list(ids), "since": since})
