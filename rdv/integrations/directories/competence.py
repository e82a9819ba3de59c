"""Which office is competent for a commune: the wide derived table, or one line per commune and kind."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from rdv.integrations.directories.fields import Code, CommuneCode, Imported, Kind
from rdv.integrations.directories.tables import Parsed, Row, collect, header_of, numbered_rows, text_of

LONG = ("commune_code", "kind", "office_code")
WIDE = ("commune", "sip_id", "sip_km", "sie_id", "sie_km", "tresorerie_id", "tresorerie_km")
WIDE_KINDS = {"sip": "SIP", "sie": "SIE", "tresorerie": "TRESORERIE"}

Distance = Annotated[float | None, Field(ge=0, le=25_000), BeforeValidator(lambda value: value or None)]


class ImportedCompetence(Imported):
    """One office, competent for one commune in matters of its kind."""

    commune_code: CommuneCode
    kind: Kind
    office_code: Code
    distance_km: Distance = None


def parse_competence(data: bytes) -> Parsed[ImportedCompetence]:
    """Read either form; raises BadFile when the file has other columns."""
    text = text_of(data)
    parsed = Parsed[ImportedCompetence]()
    seen: set[object] = set()
    wide = "office_code" not in header_of(text)
    for line, row in numbered_rows(text, WIDE if wide else LONG, parsed):
        for fields in _wide(row) if wide else [_long(row)]:
            collect(parsed, line, lambda fields=fields: ImportedCompetence.model_validate(fields), _key, seen)  # type: ignore[misc]
    return parsed


def _key(row: ImportedCompetence) -> object:
    return f"{row.commune_code} {row.kind}"


def _long(row: Row) -> Row:
    return {name: row[name] for name in LONG} | {"distance_km": row.get("distance_km", "")}


def _wide(row: Row) -> list[Row]:
    return [
        {
            "commune_code": row["commune"],
            "kind": kind,
            "office_code": row[f"{column}_id"],
            "distance_km": row[f"{column}_km"],
        }
        for column, kind in WIDE_KINDS.items()
        if row[f"{column}_id"]
    ]
