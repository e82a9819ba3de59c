"""The directory of the administration in its JSON format, version 4: `{"service": [record, …]}`."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from rdv.errors import BadFile
from rdv.integrations.directories.fields import KINDS
from rdv.integrations.directories.folding import folded
from rdv.integrations.directories.offices import Communes, ImportedOffice, ImportedOpening, add_office
from rdv.integrations.directories.opening_text import read_opening_text, read_ranges, weekly, without
from rdv.integrations.directories.reasons import json_object
from rdv.integrations.directories.tables import Parsed, cause_of
from rdv.integrations.directories.territories import time_zone_of

# Other names a type goes by; an office's code is made of the first, so that it stays the same office.
_TYPES = {name: name for name in KINDS} | {
    "spf": "hypotheque",
    "publicite_fonciere": "hypotheque",
    "service_publicite_fonciere": "hypotheque",
    "service_de_la_publicite_fonciere": "hypotheque",
    "cdif": "centre_impots_fonciers",
    "centre_impots_foncier": "centre_impots_fonciers",
    "centre_des_impots_fonciers": "centre_impots_fonciers",
}

_DAYS = {"lundi": 1, "mardi": 2, "mercredi": 3, "jeudi": 4, "vendredi": 5, "samedi": 6, "dimanche": 7}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


def _first(value: object) -> object:
    """Some editions have a list of one commune."""
    return value[0] if isinstance(value, list) and value else value


class _Pivot(_Part):
    type_service_local: str = ""
    code_insee_commune: Annotated[str, BeforeValidator(_first)] = ""
    indice_code_pivot: str = "01"

    @property
    def type(self) -> str | None:
        """The type by its first name, if it is a tax office's."""
        return _TYPES.get(folded(self.type_service_local).replace(" ", "_"))

    @property
    def code(self) -> str:
        return f"{self.type}-{self.code_insee_commune}-{self.indice_code_pivot}"


class _Address(_Part):
    type_adresse: str = ""
    complement1: str = ""
    complement2: str = ""
    numero_voie: str = ""
    service_distribution: str = ""
    code_postal: str = ""
    longitude: str = ""
    latitude: str = ""

    @property
    def lines(self) -> list[str]:
        parts = (self.complement1, self.complement2, self.numero_voie, self.service_distribution)
        return [part.strip() for part in parts if part.strip()]


class _Range(_Part):
    nom_jour_debut: str
    nom_jour_fin: str = ""
    valeur_heure_debut_1: str = ""
    valeur_heure_fin_1: str = ""
    valeur_heure_debut_2: str = ""
    valeur_heure_fin_2: str = ""
    commentaire: str = ""


class _Phone(_Part):
    valeur: str = ""


class _Record(_Part):
    nom: str = ""
    pivot: tuple[_Pivot, ...] = ()
    adresse: tuple[_Address, ...] = ()
    telephone: tuple[_Phone, ...] = ()
    adresse_courriel: tuple[str, ...] = ()
    code_insee_commune: str = ""
    plage_ouverture: tuple[_Range, ...] = ()
    commentaire_plage_ouverture: str = ""


def parse_dila(data: bytes, communes: Communes) -> Parsed[ImportedOffice]:
    """Read the records, which are counted as lines; raises BadFile when there is no list of them.

    A record with several pivots of tax offices is as many offices at one place.
    """
    records = json_object(data).get("service")
    if not isinstance(records, list):
        raise BadFile("has no list `service`")
    parsed = Parsed[ImportedOffice](read=len(records))
    seen: set[object] = set()
    for number, raw in enumerate(records, 1):
        try:
            record = _Record.model_validate(raw)
        except ValidationError as error:
            parsed.skip(number, cause_of(error))
            continue
        pivots = [pivot for pivot in record.pivot if pivot.type]
        if not pivots:
            kinds = ", ".join(pivot.type_service_local for pivot in record.pivot) or "no pivot"
            parsed.skip(number, f"{record.nom or 'no name'}: {kinds} is no tax office")
        openings, rest = _openings(record)
        for pivot in pivots:
            add_office(parsed, number, _fields(record, pivot, communes, openings), communes, seen, unread_hours=rest)
    return parsed


def _fields(
    record: _Record, pivot: _Pivot, communes: Communes, openings: tuple[ImportedOpening, ...]
) -> dict[str, object]:
    physical = [address for address in record.adresse if address.type_adresse == "Adresse"]
    address = next(iter((*physical, *record.adresse)), _Address())
    commune_code = record.code_insee_commune or pivot.code_insee_commune
    commune = communes.get(commune_code)
    departement = commune.departement if commune else ""
    return {
        "code": pivot.code,
        "kind": KINDS.get(pivot.type or "", ""),
        "name": record.nom.strip(),
        "address_lines": address.lines,
        "postcode": address.code_postal.strip(),
        "commune_code": commune_code,
        "departement": departement,
        "time_zone": time_zone_of(departement),
        "latitude": address.latitude.strip(),
        "longitude": address.longitude.strip(),
        "phone": next((phone.valeur.strip() for phone in record.telephone), ""),
        "email": next((address.strip() for address in record.adresse_courriel), ""),
        "openings": openings,
    }


def _openings(record: _Record) -> tuple[tuple[ImportedOpening, ...], tuple[str, ...]]:
    """Return the certain weekly hours, and what is not certain."""
    by_day: dict[int, list[tuple[int, int]]] = {}
    rest: list[str] = []
    for part in record.plage_ouverture:
        days, ranges = _days(part), _ranges(part)
        if part.commentaire.strip() or not days or not ranges:
            rest.append(" ".join(str(value) for value in part.model_dump().values() if value))
            continue
        for day in days:
            by_day.setdefault(day, []).extend(ranges)
    remark = read_opening_text(record.commentaire_plage_ouverture)
    # Openings in the remark repeat or contradict the ranges: nobody can say which.
    rest += [*remark.rest, *([record.commentaire_plage_ouverture] if remark.openings else [])]
    return without(weekly(by_day), remark.closed), tuple(rest)


def _days(part: _Range) -> range:
    first = _DAYS.get(part.nom_jour_debut.strip().lower(), 0)
    last = _DAYS.get((part.nom_jour_fin or part.nom_jour_debut).strip().lower(), 0)
    return range(first, last + 1) if first and last else range(0)


def _ranges(part: _Range) -> tuple[tuple[int, int], ...]:
    """Return one or two ranges; none when any of them is no range."""
    halves = (
        (part.valeur_heure_debut_1, part.valeur_heure_fin_1),
        (part.valeur_heure_debut_2, part.valeur_heure_fin_2),
    )
    # "08:30:00" and "08:30" are both met.
    return read_ranges(" / ".join(f"{start[:5]}-{end[:5]}" for start, end in halves if start or end)) or ()
