"""Offices as directories describe them, whatever the format; and the plain CSV of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from rdv.integrations.directories.fields import (
    Code,
    CommuneCode,
    Imported,
    Kind,
    Latitude,
    Longitude,
    Name,
    Optional,
    Postcode,
    TimeZone,
)
from rdv.integrations.directories.tables import Parsed, Row, collect, numbered_rows

COLUMNS = (
    "id", "kind", "name", "address", "postcode", "commune_insee_2026", "departement", "timezone", "lat", "lon",
    "phone", "email",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CommuneFacts:
    """What an office's row is checked against."""

    name: str
    departement: str
    postcodes: tuple[str, ...]
    latitude: float | None
    longitude: float | None


Communes = dict[str, CommuneFacts]


class ImportedOpening(Imported):
    """Weekdays (Monday = 1) on which an office is open from one minute of the day to another."""

    layer: str
    weekdays: tuple[int, ...]
    start_minute: int
    end_minute: int


class ImportedOffice(Imported):
    """An office as a directory has it."""

    code: Code
    kind: Kind
    name: Name
    address_lines: tuple[str, ...]
    postcode: Postcode
    commune_code: CommuneCode
    departement: str
    time_zone: TimeZone
    latitude: Latitude
    longitude: Longitude
    phone: Optional = None
    email: Optional = None
    openings: tuple[ImportedOpening, ...] = ()


def add_office(
    parsed: Parsed[ImportedOffice],
    line: int,
    fields: dict[str, object],
    communes: Communes,
    seen: set[object],
    *,
    unread_hours: Sequence[str] = (),
) -> None:
    """Check one office against the communes and take it, or report why not; `unread_hours` are kept out and told."""
    commune = communes.get(str(fields["commune_code"]))
    if commune is None:
        parsed.skip(line, f"commune_code: {fields['commune_code'] or 'nothing'} is no known commune")
        return
    if fields["departement"] != commune.departement:
        parsed.skip(line, f"departement: {fields['departement']}, but the commune is in {commune.departement}")
        return
    remarks = [f"opening hours not certain: {text}" for text in unread_hours]
    if not fields["postcode"] and commune.postcodes:
        # Some hundred conciliators have no address of their own in the directory.
        fields = fields | {"postcode": commune.postcodes[0]}
        remarks.append(f"no postcode, its commune's {commune.postcodes[0]} taken")
    if collect(parsed, line, lambda: ImportedOffice.model_validate(fields), lambda office: office.code, seen):
        for remark in remarks:
            parsed.warn(line, f"{fields['code']}: {remark}")


def parse_offices(text: str, communes: Communes) -> Parsed[ImportedOffice]:
    """Read the plain CSV; raises BadFile when the file has other columns."""
    parsed = Parsed[ImportedOffice]()
    seen: set[object] = set()
    for line, row in numbered_rows(text, COLUMNS, parsed):
        add_office(parsed, line, _fields(row), communes, seen)
    return parsed


def _fields(row: Row) -> dict[str, object]:
    return {
        "code": row["id"],
        "kind": row["kind"],
        "name": row["name"],
        "address_lines": [line for part in row["address"].split(",") if (line := part.strip())],
        "postcode": row["postcode"],
        "commune_code": row["commune_insee_2026"],
        "departement": row["departement"],
        "time_zone": row["timezone"],
        "latitude": row["lat"],
        "longitude": row["lon"],
        "phone": row["phone"],
        "email": row["email"],
    }
