"""Offices, their counters and what they make of the reasons, each in one statement for any number of offices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.models.reason_tree import ReasonOverride, overrides_from


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeRecord:
    """An office, its site and the parameters of its planning, without what grows with its size."""

    id: int
    code: str
    name: str
    kind: str
    departement: str
    time_zone: str
    phone: str | None
    email: str | None
    address_lines: tuple[str, ...]
    postcode: str
    commune_code: str
    commune_name: str
    latitude: float | None
    longitude: float | None
    open_to_booking: bool
    staffed: bool
    step_minutes: int | None
    min_lead_minutes: int
    max_lead_days: int | None
    change_deadline_minutes: int
    hold_seconds: int
    max_appointments_per_usager: int
    auto_open: bool
    slot_policy: str
    freeze_minute: int
    freeze_days_before: int
    open_minute: int
    lead_in_open_days: bool
    published_until: date | None
    resale_delay_minutes: int
    most_per_usager_in_period: int | None
    usager_period_days: int
    proposal_hold_hours: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterRecord:
    """A counter as people see it; the specialisations are node ids, None = no restriction."""

    office_id: int
    id: int
    label: str
    exposed: bool
    reason_ids: tuple[int, ...] | None
    channels: tuple[str, ...] | None
    modalities: tuple[str, ...] | None


OFFICE_COLUMNS = """
o.id, o.code, o.name, o.kind, o.departement, o.time_zone, o.phone, o.email,
s.address_lines, s.postcode, s.commune_code, s.commune_name, s.latitude, s.longitude,
o.open_to_booking, o.staffed, o.step_minutes, o.min_lead_minutes, o.max_lead_days, o.change_deadline_minutes,
o.hold_seconds, o.max_appointments_per_usager, o.auto_open, o.slot_policy, o.freeze_minute, o.freeze_days_before,
o.open_minute, o.lead_in_open_days, o.published_until, o.resale_delay_minutes, o.most_per_usager_in_period,
o.usager_period_days, o.proposal_hold_hours, o.version
"""

# Offices by id.
OFFICES_BY_ID = f"select {OFFICE_COLUMNS} from office o join site s on s.id = o.site_id where o.id = any(:ids)"

# The office with a code.
OFFICES_BY_CODE = f"select {OFFICE_COLUMNS} from office o join site s on s.id = o.site_id where o.code = any(:codes)"

OFFICE_BY_CODE = f"select {OFFICE_COLUMNS} from office o join site s on s.id = o.site_id where o.code = :code"

# The counters in use of some offices.
_COUNTERS = "select office_id, id, label, exposed, reason_ids, channels, modalities from counter where not retired "
COUNTERS = _COUNTERS + "and office_id = any(:offices) order by office_id, id"
COUNTERS_BY_ID = _COUNTERS + "and id = any(:ids)"

# What some offices make of the reasons.
OVERRIDES = """
select office_id, json_agg(json_build_array(reason_id, served, duration_minutes, buffer_minutes, agents_required,
                           modalities))::text as rows
from office_reason where office_id = any(:offices) group by office_id
"""

# Offices that take bookings and are of one of the kinds: of a département, or the nearest to a place, or both.
BOOKABLE_OFFICES = """
select o.id from office o join site s on s.id = o.site_id
where o.open_to_booking and o.kind = any(:kinds)
  and (cast(:departement as text) is null or o.departement = :departement)
  and (cast(:latitude as float) is null or s.latitude is not null)
order by (s.latitude - cast(:latitude as float)) ^ 2
       + ((s.longitude - cast(:longitude as float)) * cos(radians(cast(:latitude as float)))) ^ 2, o.id
limit :at_most
"""


def office_record(row: Mapping[str, Any]) -> OfficeRecord:
    """Keep of a joined row of office and site what `OfficeRecord` names."""
    given = {field.name: row[field.name] for field in fields(OfficeRecord)}
    return OfficeRecord(**given | {"address_lines": tuple(row["address_lines"])})


async def load_offices(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, OfficeRecord]:
    """Return the known ones of the offices, by id."""
    rows = (await connection.execute(text(OFFICES_BY_ID), {"ids": list(ids)})).mappings()
    return {row["id"]: office_record(dict(row)) for row in rows}


async def load_office_by_code(connection: AsyncConnection, code: str) -> OfficeRecord | None:
    """Return the office with a code."""
    row = (await connection.execute(text(OFFICE_BY_CODE), {"code": code})).mappings().one_or_none()
    return None if row is None else office_record(dict(row))


async def load_offices_by_code(connection: AsyncConnection, codes: Sequence[str]) -> list[OfficeRecord]:
    """Return the known ones of the offices with these codes."""
    rows = (await connection.execute(text(OFFICES_BY_CODE), {"codes": list(codes)})).mappings()
    return [office_record(dict(row)) for row in rows]


async def load_counters_by_id(connection: AsyncConnection, ids: Sequence[int]) -> list[CounterRecord]:
    """Return those of the counters that are in use."""
    return [counter_record(*row) for row in await connection.execute(text(COUNTERS_BY_ID), {"ids": list(ids)})]


async def load_counters(connection: AsyncConnection, offices: Sequence[int]) -> list[CounterRecord]:
    """Return the counters in use of some offices, by office and id."""
    rows = await connection.execute(text(COUNTERS), {"offices": list(offices)})
    return [counter_record(*row) for row in rows]


def counter_record(office: int, identity: int, label: str, exposed: bool, *special: list[Any] | None) -> CounterRecord:
    """Return a counter from a row: then the reasons, channels and modalities it is for."""
    reasons, channels, modalities = (None if one is None else tuple(one) for one in special)
    return CounterRecord(
        office_id=office,
        id=identity,
        label=label,
        exposed=exposed,
        reason_ids=reasons,
        channels=channels,
        modalities=modalities,
    )


async def load_overrides(connection: AsyncConnection, offices: Sequence[int]) -> dict[int, dict[int, ReasonOverride]]:
    """Return, by office, what it makes of which reasons; offices that say nothing are left out."""
    rows = await connection.execute(text(OVERRIDES), {"offices": list(offices)})
    return {row.office_id: overrides_from(orjson.loads(row.rows)) for row in rows}


async def load_bookable_offices(
    connection: AsyncConnection,
    kinds: Sequence[str],
    *,
    departement: str | None = None,
    near: tuple[float, float] | None = None,
    at_most: int,
) -> list[int]:
    """Return ids of offices that take bookings, nearest first when `near` (latitude, longitude) is given."""
    latitude, longitude = near or (None, None)
    bound = {"kinds": list(kinds), "departement": departement, "latitude": latitude, "longitude": longitude}
    return list((await connection.execute(text(BOOKABLE_OFFICES), bound | {"at_most": at_most})).scalars())
