"""Import a directory's file: read it, check it against what is known, write what differs, tell what was skipped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TypeVar

import orjson

from rdv.integrations.directories.arrondissements import CITY_CODES, remarks, spread_over_cities
from rdv.integrations.directories.communes import parse_communes
from rdv.integrations.directories.competence import ImportedCompetence, parse_competence
from rdv.integrations.directories.coordinates import Mairies
from rdv.integrations.directories.formats import parse_any_offices
from rdv.integrations.directories.offices import CommuneFacts, Communes, ImportedOffice
from rdv.integrations.directories.reasons import ImportedReason, parse_reasons
from rdv.integrations.directories.tables import Parsed, content
from rdv.models.database import Connection, Database
from rdv.models.imports import (
    KnownOffice,
    ReasonRow,
    Written,
    all_communes,
    drop_empty_sites,
    known_offices,
    known_reasons,
    one_import_at_a_time,
    served_communes,
    write_communes,
    write_competence,
    write_offices,
    write_reasons,
    write_sites,
)
from rdv.usecases.import_hours import import_hours, write_directory_hours
from rdv.usecases.import_report import ImportReport, naming, report
from rdv.usecases.import_sites import place

T = TypeVar("T")

DATA = files("rdv") / "data"

__all__ = [
    "ImportReport", "import_communes", "import_competence", "import_everything", "import_hours", "import_offices",
    "import_reasons",
]  # fmt: skip


async def import_communes(database: Database, file: Path) -> ImportReport:
    """Import communes with their postcodes."""
    with naming(file):
        parsed = parse_communes(content(file))
    rows = (
        (c.code, c.name, c.search_name, c.departement, c.population, list(c.postcodes), c.latitude, c.longitude)
        for _, c in parsed.rows
    )
    async with database.transaction() as connection:
        await one_import_at_a_time(connection)
        written = await write_communes(connection, rows)
    return report("communes", parsed, written)


async def import_offices(database: Database, file: Path) -> ImportReport:
    """Import offices from the plain CSV, the DILA's JSON or the DGFiP's open data."""
    with naming(file):
        data = content(file)
    async with database.transaction() as connection:
        await one_import_at_a_time(connection)
        communes = await _communes(connection)
        known = {office.code: office for office in await known_offices(connection)}
        with naming(file):
            parsed = parse_any_offices(data, communes, tuple(known.values()))
        _doubt_coordinates(parsed, communes)
        offices = [office for _, office in parsed.rows]
        written = await _write_offices(connection, offices, known, communes)
        await write_directory_hours(connection, offices)
    return report("offices", parsed, written)


async def import_competence(database: Database, file: Path) -> ImportReport:
    """Import which office is competent for which commune."""
    with naming(file):
        parsed = parse_competence(content(file))
    async with database.transaction() as connection:
        await one_import_at_a_time(connection)
        communes = await _communes(connection)
        offices = {office.code: office for office in await known_offices(connection)}

        def why_not(row: ImportedCompetence) -> str | None:
            if row.commune_code not in communes:
                return f"{row.commune_code} is no known commune"
            office = offices.get(row.office_code)
            if office is None:
                return f"{row.office_code} is no known office"
            return None if office.kind == row.kind else f"{row.office_code} is a {office.kind}, not a {row.kind}"

        _keep(parsed, why_not)
        spread = spread_over_cities(parsed.rows, communes, await served_communes(connection, CITY_CODES))
        parsed.rows += spread
        for line, remark in remarks(spread):
            parsed.warn(line, remark)
        rows = ((r.commune_code, r.kind, offices[r.office_code].id, r.distance_km) for _, r in parsed.rows)
        written = await write_competence(connection, rows)
    return report("competence", parsed, written)


async def import_reasons(database: Database, file: Path) -> ImportReport:
    """Import a tree of reasons."""
    english = orjson.loads((DATA / "reasons_en.json").read_bytes())
    assumed = orjson.loads((DATA / "reasons_assumptions.json").read_bytes())
    with naming(file):
        parsed = parse_reasons(content(file), english=english, assumed=assumed)
    async with database.transaction() as connection:
        await one_import_at_a_time(connection)
        known = await known_reasons(connection)
        rows = [_reason_row(reason, known) for _, reason in parsed.rows]
        different = [row for row in rows if row != known.get(row.code)]
        await write_reasons(connection, different)
        inserted = sum(row.code not in known for row in different)
    return report("reasons", parsed, Written(inserted=inserted, updated=len(different) - inserted))


async def import_everything(database: Database, *, begin: Callable[[str], object] = str) -> list[ImportReport]:
    """Import what the package carries; `begin` hears the name of each file before it is read."""
    steps = (
        (import_communes, "communes_2026.csv.gz"),
        (import_offices, "dgfip_offices_2020-11.csv.gz"),
        (import_competence, "commune_nearest_office_derived.csv.gz"),
        (import_competence, "competence_shared_postcode_derived.csv"),
        (import_reasons, "reasons_impots_gouv.json"),
        (import_reasons, "reasons_business.json"),
        (import_hours, "france_services_2024-08.csv.gz"),
    )
    reports = []
    for step, name in steps:
        begin(name)
        with as_file(DATA / name) as file:
            reports.append(await step(database, file))
    return reports


async def _communes(connection: Connection) -> Communes:
    """Return the communes as offices are checked against them."""
    return {
        commune.code: CommuneFacts(
            name=commune.name,
            departement=commune.departement,
            postcodes=commune.postcodes,
            latitude=commune.latitude,
            longitude=commune.longitude,
        )
        for commune in await all_communes(connection)
    }


def _keep(parsed: Parsed[T], why_not: Callable[[T], str | None]) -> None:
    """Leave only the rows that nothing speaks against."""
    kept = []
    for line, row in parsed.rows:
        if cause := why_not(row):
            parsed.skip(line, cause)
        else:
            kept.append((line, row))
    parsed.rows = kept


def _doubt_coordinates(parsed: Parsed[ImportedOffice], communes: Communes) -> None:
    mairies = Mairies(communes)
    for line, office in parsed.rows:
        if doubt := mairies.doubt(office):
            parsed.warn(line, doubt)


async def _write_offices(
    connection: Connection,
    offices: Sequence[ImportedOffice],
    known: Mapping[str, KnownOffice],
    communes: Communes,
) -> Written:
    """Write offices with their sites; a site that the last office left goes."""
    placed = await place(connection, offices, known, communes)
    await write_sites(connection, placed.sites)
    written = await write_offices(
        connection,
        (
            (o.code, placed.site_of[o.code], o.name, o.kind, o.departement, o.time_zone, o.phone, o.email)
            for o in offices
        ),
    )
    moved = (known[o.code].site_id for o in offices if o.code in known)
    await drop_empty_sites(connection, set(moved) - set(placed.site_of.values()))
    return written


def _reason_row(reason: ImportedReason, known: Mapping[str, ReasonRow]) -> ReasonRow:
    """Return the row the reason has to become; what the administration has set stays (as the statement does it)."""
    row = ReasonRow(**reason.model_dump())
    there = known.get(reason.code)
    if there is None or there.source == "assumption":
        return row
    return replace(
        row,
        duration_minutes=there.duration_minutes,
        modalities=there.modalities,
        office_kinds=there.office_kinds,
        source=there.source,
    )
