"""Pages of appointments, of many offices or usagers in one statement each: lists that lead to lists."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.models.appointment_reads import SELECT, AppointmentRecord, record

Place = tuple[datetime, int]  # of an appointment in a list: its start and id


@dataclass(frozen=True, slots=True)
class Page:
    """Appointments of a list from a place on, and how many there are on all of its pages."""

    records: list[AppointmentRecord]
    total: int


EMPTY = Page([], 0)

# What is to come or has been, of some local days, in order of time; of each office so many.
OF_OFFICES = f"""
select page.* from unnest(cast(:offices as bigint[])) as wanted (office) cross join lateral (
  {SELECT}
  where a.office_id = wanted.office and a.day between :first and :last and a.status not in ('HELD', 'CANCELLED')
    and (cast(:start as timestamptz) is null or (a.starts_at, a.id) > (:start, :id))
  order by a.starts_at, a.id limit :at_most) page
"""

COUNT_OF_OFFICES = """
select office_id as whose, count(*) as number from appointment
where office_id = any(:offices) and day between :first and :last and status not in ('HELD', 'CANCELLED')
group by office_id
"""

# The latest first; of each usager so many, at the offices that may be seen. Holds are not theirs yet.
_SEEN = """
a.status <> 'HELD' and exists (
  select from unnest(cast(:whose as bigint[]), cast(:where as bigint[])) as seen (usager, office)
  where seen.usager = a.usager_id and seen.office in (a.office_id, a.delegated_by))
"""

OF_USAGERS = f"""
select page.* from unnest(cast(:usagers as bigint[])) as wanted (usager) cross join lateral (
  {SELECT}
  where a.usager_id = wanted.usager and {_SEEN}
    and (cast(:start as timestamptz) is null or (a.starts_at, a.id) < (:start, :id))
  order by a.starts_at desc, a.id desc limit :at_most) page
"""

COUNT_OF_USAGERS = f"""
select a.usager_id as whose, count(*) as number from appointment a
where a.usager_id = any(:usagers) and {_SEEN} group by a.usager_id
"""

# Those that gave it to another office as well.
OFFICES_OF_USAGERS = """
select distinct usager_id, unnest(array[office_id, delegated_by]) as office from appointment
where usager_id = any(:usagers) and status <> 'HELD'
"""


async def of_offices(
    connection: AsyncConnection, offices: Sequence[int], first: date, last: date, *, after: Place | None, at_most: int
) -> dict[int, Page]:
    """Return by office the appointments of some local days after a place, in order of time."""
    start, identity = after or (None, 0)
    days = {"offices": list(offices), "first": first, "last": last}
    bound = days | {"start": start, "id": identity, "at_most": at_most}
    found: defaultdict[int, list[AppointmentRecord]] = defaultdict(list)
    for row in (await connection.execute(text(OF_OFFICES), bound)).mappings():
        found[row["office_id"]].append(record(row))
    counts = await connection.execute(text(COUNT_OF_OFFICES), days)
    return {row.whose: Page(found[row.whose], row.number) for row in counts}


async def of_usagers(
    connection: AsyncConnection, seen: Mapping[int, Sequence[int]], *, before: Place | None, at_most: int
) -> dict[int, Page]:
    """Return by usager their appointments before a place, the latest first, at the offices that may be `seen`."""
    start, identity = before or (None, 0)
    pairs = [(usager, office) for usager, offices in seen.items() for office in offices]
    whose = {"usagers": list(seen), "whose": [one for one, _ in pairs], "where": [one for _, one in pairs]}
    bound = whose | {"start": start, "id": identity, "at_most": at_most}
    found: defaultdict[int, list[AppointmentRecord]] = defaultdict(list)
    for row in (await connection.execute(text(OF_USAGERS), bound)).mappings():
        found[row["usager_id"]].append(record(row))
    counts = await connection.execute(text(COUNT_OF_USAGERS), whose)
    return {row.whose: Page(found[row.whose], row.number) for row in counts}


async def offices_of_usagers(connection: AsyncConnection, usagers: Sequence[int]) -> dict[int, list[int]]:
    """Return by usager the offices where they have or had appointments."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for row in await connection.execute(text(OFFICES_OF_USAGERS), {"usagers": list(usagers)}):
        if row.office is not None:
            found[row.usager_id].append(row.office)
    return found
