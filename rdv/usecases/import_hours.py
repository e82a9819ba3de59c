"""Give offices weekly hours: those their directory publishes, or, where there are none, those of a counter nearby."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from rdv.integrations.directories.hours import (
    CounterHours,
    Lender,
    OpeningFact,
    parse_counter_hours,
    parse_opening_facts,
)
from rdv.integrations.directories.offices import ImportedOffice, ImportedOpening
from rdv.integrations.directories.opening_text import without
from rdv.integrations.directories.tables import Parsed, content
from rdv.models.database import Connection, Database
from rdv.models.import_hours import HoursRow, offices_with_hours, write_hours
from rdv.models.imports import KnownOffice, known_offices, one_import_at_a_time
from rdv.usecases.import_report import ImportReport, naming, report

FACTS = files("rdv") / "data" / "opening_hours_samples.json"


async def import_hours(database: Database, file: Path, facts: Path | None = None) -> ImportReport:
    """Lend the hours of public counters to the offices that have none of their own; `facts` correct them."""
    with naming(file):
        counters = parse_counter_hours(content(file))
        lender = Lender([counter for _, counter in counters.rows])
    with naming(facts or Path(FACTS.name)):
        told = parse_opening_facts(content(facts) if facts else FACTS.read_bytes())
    async with database.transaction() as connection:
        await one_import_at_a_time(connection)
        own = await offices_with_hours(connection, weaker=["derived"])
        offices = [office for office in await known_offices(connection) if office.id not in own]
        rows = _lent(offices, lender, told, counters)
        written = await write_hours(connection, [office.id for office in offices], rows, source="derived")
    return report("hours", counters, written, taken=len(offices))


async def write_directory_hours(connection: Connection, offices: Sequence[ImportedOffice]) -> None:
    """Write the hours a directory publishes, over derived ones; an office's own stay."""
    open_offices = [office for office in offices if office.openings]
    if not open_offices:
        return
    own = await offices_with_hours(connection, weaker=["derived", "directory"])
    ids = {office.code: office.id for office in await known_offices(connection)}
    theirs = [(ids[office.code], office) for office in open_offices if ids[office.code] not in own]
    rows = [row for number, office in theirs for row in _rows(number, "directory", office.openings)]
    await write_hours(connection, [number for number, _ in theirs], rows, source="directory", weaker=["derived"])


def _lent(
    offices: Sequence[KnownOffice], lender: Lender, told: Parsed[OpeningFact], counters: Parsed[CounterHours]
) -> list[HoursRow]:
    """Return the derived hours of each office; what facts say without certainty becomes a warning.

    The report's lines are those of the counters' file, so what concerns the facts has none.
    """
    facts = {fact.office_code: fact.certain() for _, fact in told.rows}
    for fault in told.faults:
        counters.skip(0, f"entry {fault.line} of the facts: {fault.cause}")
    rows: list[HoursRow] = []
    strangers = set()
    for office in offices:
        openings = lender.hours(office.departement, office.latitude, office.longitude)
        if openings is None:
            strangers.add(office.departement)
            openings = lender.usual
        if office.code in facts:
            certain = facts[office.code]
            openings = (*without(certain.openings or openings, certain.closed),)
            for clause in certain.rest:
                counters.warn(0, f"{office.code}: not certain: {clause}")
        rows += _rows(office.id, "derived", openings)
    for departement in sorted(strangers):
        counters.warn(0, f"département {departement} has no counter: the most usual hours of the country taken")
    return rows


def _rows(office_id: int, source: str, openings: Iterable[ImportedOpening]) -> list[HoursRow]:
    return [
        HoursRow(
            office_id=office_id,
            layer=opening.layer,
            source=source,
            weekdays=opening.weekdays,
            start_minute=opening.start_minute,
            end_minute=opening.end_minute,
        )
        for opening in openings
    ]
