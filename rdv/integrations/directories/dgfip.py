"""The DGFiP's open data `coordonnees-des-structures-dgfip`: a CSV without ids, its hours in words."""

import re
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from typing import Protocol

from rdv.integrations.directories.fields import KINDS
from rdv.integrations.directories.folding import folded
from rdv.integrations.directories.offices import Communes, ImportedOffice, ImportedOpening, add_office
from rdv.integrations.directories.opening_text import APPOINTMENT, read_opening_text, read_ranges, weekly, without
from rdv.integrations.directories.tables import Parsed, Row, numbered_rows
from rdv.integrations.directories.territories import time_zone_of

MARK = "nomenclature_interne"
WEEK = ("lundi", "mardi", "mercredi", "jeudi", "vendredi")
COLUMNS = (
    MARK, "type_de_service", "nom_du_service", "adresse", "bp", "code_postal", "code_commune", "current_code",
    "courriel", "horaires_1", "accueil_sur_rdv", *WEEK, "geocodage", "telephone_1",
)  # fmt: skip

_NAMES = {
    "service des impots des particuliers": "SIP",
    "service des impots des entreprises": "SIE",
    "tresorerie": "TRESORERIE",
    "service de la publicite fonciere": "SPF",
    "centre des impots foncier": "CDIF",
    "centre des impots fonciers": "CDIF",
    "conciliateur fiscal": "CONCILIATEUR_FISCAL",
    "paierie departementale": "PAIERIE_DEPARTEMENTALE",
    "paierie regionale": "PAIERIE_REGIONALE",
    "service departemental de l enregistrement": "SDE",
    "pole de recouvrement specialise": "PRS",
} | {kind.lower().replace("_", " "): kind for kind in KINDS.values()}

# The file's types are as wide as this one (beside tobacconists, France services and the like); the name tells more.
_ANY_OFFICE = re.compile(r"centres? (?:de|des) finances publiques")


class Known(Protocol):
    """An office that is known already."""

    @property
    def code(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def commune_code(self) -> str: ...


Place = tuple[str, str]


def parse_dgfip(text: str, communes: Communes, known: Sequence[Known]) -> Parsed[ImportedOffice]:
    """Read the offices; raises BadFile when the file has other columns."""
    parsed = Parsed[ImportedOffice]()
    rows = list(numbered_rows(text, COLUMNS, parsed))
    here = Tally(_place(row) for _, row in rows)
    codes = {office.code for office in known}
    there: dict[Place, list[str]] = {}
    for office in known:
        there.setdefault((office.kind, office.commune_code), []).append(office.code)
    seen: set[object] = set()
    for line, row in rows:
        code = _own_code(row)
        alone = there.get(_place(row), [])
        if code not in codes and here[_place(row)] == len(alone) == 1:
            code = alone[0]  # the only office of its kind in the commune, here and there: the same one
        openings, rest = _openings(row)
        add_office(parsed, line, _fields(row, code, communes, openings), communes, seen, unread_hours=rest)
    return parsed


def _place(row: Row) -> Place:
    return _kind(row), _commune_code(row)


def _kind(row: Row) -> str:
    """Return the kind of office: a column says it, or, of a tax office, the beginning of its name ("SIP BEAUNE")."""
    columns = (folded(row.get(column, "")) for column in ("type_de_service", MARK, "libelle_du_service"))
    found = [_NAMES[words] for words in columns if words in _NAMES]
    if not found and _ANY_OFFICE.fullmatch(folded(row["type_de_service"])):
        name = folded(row["nom_du_service"])
        found = [kind for words, kind in _NAMES.items() if f"{name} ".startswith(f"{words} ")]
    return found[0] if found else row["type_de_service"]


def _commune_code(row: Row) -> str:
    return row["current_code"] or row["code_commune"]


def _own_code(row: Row) -> str:
    """Return a code made of what stays the same from one edition to the next."""
    words = f"dgfip {_kind(row)} {_commune_code(row)} {row['nom_du_service']}"
    return folded(words).replace(" ", "-")[:120]


def _fields(row: Row, code: str, communes: Communes, openings: tuple[ImportedOpening, ...]) -> dict[str, object]:
    commune = communes.get(_commune_code(row))
    departement = commune.departement if commune else ""
    latitude, _, longitude = row["geocodage"].partition(",")
    lines = [line.strip() for part in (row["adresse"], row["bp"]) for line in re.split(r"[,\n]", part)]
    return {
        "code": code,
        "kind": _kind(row),
        "name": row["nom_du_service"],
        "address_lines": [line for line in lines if line],
        "postcode": row["code_postal"].zfill(5) if row["code_postal"] else "",  # spreadsheets drop the leading zero
        "commune_code": _commune_code(row),
        "departement": departement,
        "time_zone": time_zone_of(departement),
        "latitude": latitude.strip(),
        "longitude": longitude.strip(),
        "phone": row["telephone_1"],
        "email": row["courriel"] if "@" in row["courriel"] else "",  # some say in words how to write to them
        "openings": openings,
    }


def _openings(row: Row) -> tuple[tuple[ImportedOpening, ...], list[str]]:
    """Return the certain hours of the three places where they may stand, and what is not certain."""
    said = read_opening_text(row["horaires_1"])
    on_appointment = read_opening_text(_as_hours(row["accueil_sur_rdv"]), layer=APPOINTMENT)
    week, unread = _week(row)
    rest = [*said.rest, *on_appointment.rest, *unread]
    closed = (*said.closed, *on_appointment.closed)
    # The week's columns repeat the words; the words say in addition whether the hours are with appointment.
    openings = (*(said.openings or week), *on_appointment.openings)
    return without(dict.fromkeys(openings), closed), rest


def _as_hours(answer: str) -> str:
    """Whether one can make an appointment at all ("oui") says nothing about hours."""
    return "" if folded(answer) in {"oui", "non", "o", "n", "x"} else answer


def _week(row: Mapping[str, str]) -> tuple[tuple[ImportedOpening, ...], list[str]]:
    read = {day: read_ranges(row[name]) for day, name in enumerate(WEEK, 1)}
    unread = [f"{name}: {row[name]}" for day, name in enumerate(WEEK, 1) if read[day] is None]
    return weekly({day: ranges for day, ranges in read.items() if ranges}), unread
