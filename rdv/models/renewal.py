"""Situations made current where only appointments changed: just the days whose versions differ are read again.

A booking changes a day or two of the hundred an agenda covers, and nothing else of its office.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.models import packed
from rdv.models.database import packed_rows
from rdv.models.freeze import freeze_at
from rdv.models.reads import Version
from rdv.models.situation import LIVE, VERSION_COLUMNS, Run, Situation, parameters

# One row an office: what is new about the days :first to :last, whose versions were known.
RENEWALS = f"""
with known as materialized (
  select * from unnest(cast(:known_offices as bigint[]), cast(:known_days as date[]), cast(:known_versions as bigint[]))
    as k (office_id, day, version)
)
select o.id, {VERSION_COLUMNS}, versions.days, coalesce(versions.changed, '{{}}') as changed,
       (select {packed.APPOINTMENTS} from appointment a where {LIVE} and a.day = any(versions.changed)) as appointments,
       (select {packed.SERVED_BY} from appointment a join appointment_agent g on g.appointment_id = a.id
        where {LIVE} and a.day = any(versions.changed)) as served_by
from office o left join (
  select d.office_id, {packed.DAYS} as days,
         array_agg(d.day) filter (where d.version is distinct from k.version) as changed
  from office_day d left join known k on k.office_id = d.office_id and k.day = d.day
  where d.office_id = any(:offices) and d.day between :first and :last
  group by d.office_id
) versions on versions.office_id = o.id
where o.id = any(:offices)
"""


async def renew_situations(
    connection: AsyncConnection, before: Mapping[int, Situation], *, first: date, last: date, now: datetime, run: Run
) -> dict[int, Situation]:
    """Return situations of the local days `first` to `last`, which still hold but for appointments, as they are now.

    One statement. An office is left out where more turns out to have changed, or where an appointment needs what its
    situation does not have: then it is to be read as a whole.
    """
    bound = parameters(list(before), first, last, now) | await run(lambda: _known(before))
    rows = await packed_rows(connection, RENEWALS, bound)
    found = await run(lambda: {row["id"]: _renewed(before[row["id"]], row, now) for row in rows})
    return {office: one for office, one in found.items() if one is not None}


def _known(before: Mapping[int, Situation]) -> dict[str, str]:
    """Return columns of the office-days whose versions are known, as PostgreSQL writes arrays: there are thousands."""
    known = [(office, day, version) for office, one in before.items() for day, version in packed.days(one.days).items()]
    columns = zip(*known, strict=True) if known else ((), (), ())
    names = ("known_offices", "known_days", "known_versions")
    return {name: f"{{{','.join(map(str, column))}}}" for name, column in zip(names, columns, strict=True)}


def _renewed(before: Situation, row: Mapping[str, Any], now: datetime) -> Situation | None:
    version = Version(row["office_version"], row["national_version"], row["days_version"])
    newer = packed.listed(row["appointments"], row["served_by"])
    if version[:2] != before.version[:2] or not _knows(before, newer):
        return None
    listed = before.listed.renewed(row["changed"], newer, now)
    pinned = listed.columns.pinned_before(freeze_at(before.office, now).before)
    return replace(
        before,
        listed=listed,
        days=row["days"],
        instance=replace(before.instance, now=now, appointments=pinned),
        version=version,
    )


def _knows(situation: Situation, newer: packed.Listed) -> bool:
    """Tell whether a situation has the reasons, counters and agents of appointments: the unused are not read."""
    instance, columns = situation.instance, newer.columns
    return (
        {reason.id for reason in instance.reasons}.issuperset(columns.reason.names)
        and {counter.id for counter in instance.counters}.issuperset(columns.counter.names)
        and (instance.agents is None or {agent.id for agent in instance.agents}.issuperset(columns.agents.names))
    )
