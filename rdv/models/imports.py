"""Writing whole files: rows are copied into a temporary table, and one statement writes what differs, and only that.

What does not differ is not written, so importing a file again changes nothing and bumps no version.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import text

from rdv.models.database import Connection
from rdv.models.national_reads import CommuneRecord
from rdv.models.offices import Office

# Imports wait for each other: two of them would take the same rows in different orders.
IMPORT_LOCK = 7_203_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How many rows a statement wrote."""

    inserted: int
    updated: int


# One statement that writes what differs, and counts: a fresh row has no earlier version (xmax = 0).
_COUNTED = """
with written as ({statement} returning (xmax = 0) as fresh)
select count(*) filter (where fresh) as inserted, count(*) filter (where not fresh) as updated from written
"""

WRITE_COMMUNES = """
insert into commune as known (code, name, search_name, departement, population, postcodes, latitude, longitude)
select code, name, search_name, departement, population, postcodes, latitude, longitude
from incoming_commune order by code
on conflict (code) do update set
  (name, search_name, departement, population, postcodes, latitude, longitude)
  = (excluded.name, excluded.search_name, excluded.departement, excluded.population, excluded.postcodes,
     excluded.latitude, excluded.longitude)
where (known.*) is distinct from (excluded.*)
"""

WRITE_COMPETENCE = """
insert into competence as known (commune_code, kind, office_id, distance_km)
select commune_code, kind, office_id, distance_km from incoming_competence order by commune_code, kind
on conflict (commune_code, kind) do update set (office_id, distance_km) = (excluded.office_id, excluded.distance_km)
where (known.*) is distinct from (excluded.*)
"""

WRITE_SITES = """
insert into site as known (id, address_lines, postcode, commune_code, commune_name, latitude, longitude)
select id, address_lines, postcode, commune_code, commune_name, latitude, longitude from incoming_site order by id
on conflict (id) do update set
  (address_lines, postcode, commune_code, commune_name, latitude, longitude)
  = (excluded.address_lines, excluded.postcode, excluded.commune_code, excluded.commune_name, excluded.latitude,
     excluded.longitude)
where (known.*) is distinct from (excluded.*)
"""

# What a directory says about an office. All other columns are the office's own parameters: a new office gets their
# defaults, a known one keeps what it has.
_FROM_DIRECTORY = ("code", "site_id", "name", "kind", "departement", "time_zone", "phone", "email")
_OWN = tuple(name for name in Office.model_fields if name not in (*_FROM_DIRECTORY, "id"))

WRITE_OFFICES = f"""
insert into office as known ({", ".join(_FROM_DIRECTORY)}, {", ".join(_OWN)})
select {", ".join(_FROM_DIRECTORY)}, {", ".join(":" + name for name in _OWN)} from incoming_office order by code
on conflict (code) do update set
  (site_id, name, kind, departement, time_zone, phone, email)
  = (excluded.site_id, excluded.name, excluded.kind, excluded.departement, excluded.time_zone, excluded.phone,
     excluded.email)
where (known.site_id, known.name, known.kind, known.departement, known.time_zone, known.phone, known.email)
  is distinct from (excluded.site_id, excluded.name, excluded.kind, excluded.departement, excluded.time_zone,
                    excluded.phone, excluded.email)
"""

# Sites nobody is at any more.
DROP_EMPTY_SITES = """
delete from site where id = any(:ids) and not exists (select from office where office.site_id = site.id)
"""

# A reason whose duration is no longer an assumption was set by the administration: only its words and place are the
# file's.
WRITE_REASONS = """
insert into reason as known (code, parent_id, labels, level, position, audience, duration_minutes, buffer_minutes,
                             agents_required, modalities, bookable, office_kinds, source)
select i.code, p.id, i.labels, i.level, i.position, i.audience, i.duration_minutes, 0, 1, i.modalities, i.bookable,
       i.office_kinds, i.source
from json_to_recordset(cast(:rows as json)) as i(
  code text, parent_code text, labels jsonb, level int, position int, audience text, duration_minutes int,
  modalities text[], bookable bool, office_kinds text[], source text)
left join reason p on p.code = i.parent_code
order by i.level, i.position, i.code
on conflict (code) do update set
  (parent_id, labels, level, position, audience, bookable)
  = (excluded.parent_id, excluded.labels, excluded.level, excluded.position, excluded.audience, excluded.bookable),
  duration_minutes = case known.source when 'assumption' then excluded.duration_minutes else known.duration_minutes end,
  modalities = case known.source when 'assumption' then excluded.modalities else known.modalities end,
  office_kinds = case known.source when 'assumption' then excluded.office_kinds else known.office_kinds end,
  source = case known.source when 'assumption' then excluded.source else known.source end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOffice:
    """An office as other files name it."""

    id: int
    code: str
    kind: str
    departement: str
    site_id: int
    commune_code: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """An address."""

    id: int
    address_lines: tuple[str, ...]
    postcode: str
    commune_code: str
    commune_name: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """A node of the tree, its parent by code."""

    code: str
    parent_code: str | None
    labels: Mapping[str, str]
    level: int
    position: int
    audience: str
    duration_minutes: int
    modalities: tuple[str, ...]
    bookable: bool
    office_kinds: tuple[str, ...]
    source: str


async def one_import_at_a_time(connection: Connection) -> None:
    """Hold back other imports until this transaction ends; a file may take longer than a request."""
    await connection.execute(text("set local statement_timeout = '5min'"))
    await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": IMPORT_LOCK})


async def load(connection: Connection, table: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
    """Copy rows into a new temporary table, gone with the transaction; `columns` as in `create table`."""
    names = ", ".join(column.split()[0] for column in columns.split(","))
    await connection.execute(text(f"create temporary table {table} ({columns}) on commit drop"))
    driver = (await connection.get_raw_connection()).driver_connection
    async with driver.cursor() as cursor, cursor.copy(f"copy {table} ({names}) from stdin") as copy:  # type: ignore[union-attr]
        for row in rows:
            await copy.write_row(row)
    await connection.execute(text(f"analyze {table}"))


async def _counted(connection: Connection, statement: str, **bound: object) -> Written:
    row = (await connection.execute(text(_COUNTED.format(statement=statement)), bound)).one()
    return Written(inserted=row.inserted, updated=row.updated)


async def write_communes(connection: Connection, rows: Iterable[Sequence[object]]) -> Written:
    """Write (code, name, search_name, departement, population, postcodes, latitude, longitude)."""
    columns = (
        "code text, name text, search_name text, departement text, population int, postcodes text[], "
        "latitude float, longitude float"
    )
    await load(connection, "incoming_commune", columns, rows)
    return await _counted(connection, WRITE_COMMUNES)


async def write_competence(connection: Connection, rows: Iterable[Sequence[object]]) -> Written:
    """Write (commune_code, kind, office_id, distance_km)."""
    columns = "commune_code text, kind text, office_id bigint, distance_km float"
    await load(connection, "incoming_competence", columns, rows)
    return await _counted(connection, WRITE_COMPETENCE)


async def served_communes(connection: Connection, codes: Iterable[str]) -> set[tuple[str, str]]:
    """Return (commune, kind) of those of the communes that have a competent office."""
    statement = text("select commune_code, kind from competence where commune_code = any(:codes)")
    return {(row.commune_code, row.kind) for row in await connection.execute(statement, {"codes": sorted(codes)})}


async def all_communes(connection: Connection) -> list[CommuneRecord]:
    """Return every commune."""
    rows = await connection.execute(text("select code, name, departement, postcodes, latitude, longitude from commune"))
    return [CommuneRecord(**(dict(row) | {"postcodes": tuple(row["postcodes"])})) for row in rows.mappings()]


async def known_sites(connection: Connection) -> list[SiteRow]:
    """Return every site, in the order of their ids."""
    rows = await connection.execute(
        text(
            "select id, address_lines, postcode, commune_code, commune_name, latitude, longitude from site order by id"
        )
    )
    return [SiteRow(**(dict(row) | {"address_lines": tuple(row["address_lines"])})) for row in rows.mappings()]


async def known_offices(connection: Connection) -> list[KnownOffice]:
    """Return every office, in the order of their codes."""
    rows = await connection.execute(
        text(
            "select o.id, o.code, o.kind, o.departement, o.site_id, s.commune_code, s.latitude, s.longitude "
            "from office o join site s on s.id = o.site_id order by o.code"
        )
    )
    return [KnownOffice(**row) for row in rows.mappings()]


async def new_site_ids(connection: Connection, number: int) -> list[int]:
    """Draw ids for new sites, so that offices can name them before they are written."""
    drawn = "select nextval(pg_get_serial_sequence('site', 'id')) from generate_series(1, :number)"
    return list((await connection.execute(text(drawn), {"number": number})).scalars())


async def write_sites(connection: Connection, sites: Iterable[SiteRow]) -> Written:
    columns = (
        "id bigint, address_lines text[], postcode text, commune_code text, commune_name text, "
        "latitude float, longitude float"
    )
    rows = (
        (s.id, list(s.address_lines), s.postcode, s.commune_code, s.commune_name, s.latitude, s.longitude)
        for s in sites
    )
    await load(connection, "incoming_site", columns, rows)
    return await _counted(connection, WRITE_SITES)


async def write_offices(connection: Connection, rows: Iterable[Sequence[object]]) -> Written:
    """Write (code, site_id, name, kind, departement, time_zone, phone, email); an office's parameters stay its own."""
    columns = (
        "code text, site_id bigint, name text, kind text, departement text, time_zone text, phone text, email text"
    )
    await load(connection, "incoming_office", columns, rows)
    defaults = {name: Office.model_fields[name].default for name in _OWN}
    return await _counted(connection, WRITE_OFFICES, **defaults)


async def drop_empty_sites(connection: Connection, ids: Iterable[int]) -> None:
    await connection.execute(text(DROP_EMPTY_SITES), {"ids": sorted(ids)})


async def known_reasons(connection: Connection) -> dict[str, ReasonRow]:
    """Return every reason by its code."""
    rows = await connection.execute(
        text(
            "select r.code, p.code as parent_code, r.labels, r.level, r.position, r.audience, r.duration_minutes, "
            "r.modalities, r.bookable, r.office_kinds, r.source from reason r left join reason p on p.id = r.parent_id"
        )
    )
    lists = ("modalities", "office_kinds")
    return {
        row["code"]: ReasonRow(**(dict(row) | {name: tuple(row[name]) for name in lists})) for row in rows.mappings()
    }


async def write_reasons(connection: Connection, reasons: Iterable[ReasonRow]) -> None:
    """Write reasons, a level at a time because children need their parents' ids.

    Only those that differ may be given: every statement on this table bumps the national version.
    """
    levels: dict[int, list[dict[str, object]]] = {}
    for reason in reasons:
        levels.setdefault(reason.level, []).append({name: getattr(reason, name) for name in ReasonRow.__slots__})
    for _, rows in sorted(levels.items()):
        await connection.execute(text(WRITE_REASONS), {"rows": orjson.dumps(rows).decode()})
