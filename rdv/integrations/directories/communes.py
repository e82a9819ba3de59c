"""The communes of the official code, with their postcodes."""

from typing import Annotated

from pydantic import Field

from rdv.integrations.directories.fields import CommuneCode, Imported, Latitude, Longitude, Name, Postcode
from rdv.integrations.directories.folding import folded
from rdv.integrations.directories.tables import Parsed, Row, collect, numbered_rows, text_of

COLUMNS = ("code", "nom", "departement", "population", "codes_postaux", "lat", "lon")


class ImportedCommune(Imported):
    """A commune as the file has it."""

    code: CommuneCode
    name: Name
    departement: Annotated[str, Field(pattern=r"^([0-9]{2}|2[AB]|9[78][0-9])$")]
    population: Annotated[int, Field(ge=0)]
    postcodes: tuple[Postcode, ...]
    latitude: Latitude
    longitude: Longitude

    @property
    def search_name(self) -> str:
        return folded(self.name)


def parse_communes(data: bytes) -> Parsed[ImportedCommune]:
    """Read the communes; raises BadFile when the file has other columns."""
    parsed = Parsed[ImportedCommune]()
    seen: set[object] = set()
    for line, row in numbered_rows(text_of(data), COLUMNS, parsed):
        collect(parsed, line, lambda row=row: _commune(row), lambda commune: commune.code, seen)  # type: ignore[misc]
    return parsed


def _commune(row: Row) -> ImportedCommune:
    return ImportedCommune.model_validate(
        {
            "code": row["code"],
            "name": row["nom"],
            "departement": row["departement"],
            "population": row["population"] or 0,  # uninhabited lands have none
            "postcodes": row["codes_postaux"].split(),
            "latitude": row["lat"],
            "longitude": row["lon"],
        }
    )
