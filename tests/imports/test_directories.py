"""Offices from the DILA's JSON and the DGFiP's open data, with their hours; and hours lent to those that have none."""

import copy
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from rdv.models.database import Database
from rdv.usecases import imports
from tests.imports.conftest import change, one, rows
from tests.imports.test_bad_rows import GOOD, OFFICES, three_communes, told, warned, written

__all__ = ["three_communes"]

MAIRIE = {
    "nom": "Mairie - Breux-sur-Avre",
    "pivot": [{"type_service_local": "mairie", "code_insee_commune": "27115", "indice_code_pivot": "01"}],
}
# The form of a record is that of the directory's real ones.
SIP: dict[str, Any] = {
    "nom": "Service des impôts des particuliers - Rouen",
    "pivot": [{"type_service_local": "sip", "code_insee_commune": "76540", "indice_code_pivot": "02"}],
    "code_insee_commune": "76540",
    "telephone": [{"valeur": "02 32 18 91 00", "description": ""}],
    "adresse_courriel": ["sip.rouen@example.org"],
    "adresse": [
        {"type_adresse": "Adresse postale", "numero_voie": "BP 1", "code_postal": "76037"},
        {
            "type_adresse": "Adresse",
            "complement1": "Cité administrative",
            "numero_voie": "2 rue Saint-Sever",
            "code_postal": "76100",
            "longitude": "1.0847",
            "latitude": "49.4306",
        },
    ],
    "plage_ouverture": [
        {
            "nom_jour_debut": "Lundi",
            "nom_jour_fin": "Mardi",
            "valeur_heure_debut_1": "08:15:00",
            "valeur_heure_fin_1": "12:00:00",
            "valeur_heure_debut_2": "13:30:00",
            "valeur_heure_fin_2": "16:15:00",
            "commentaire": "",
        },
        {
            "nom_jour_debut": "Jeudi",
            "nom_jour_fin": "Jeudi",
            "valeur_heure_debut_1": "08:15:00",
            "valeur_heure_fin_1": "12:00:00",
            "commentaire": "semaines paires",
        },
    ],
    "commentaire_plage_ouverture": "Fermé le mardi après-midi",
}
HOURS = "select layer, source, weekdays, start_minute, end_minute from opening order by layer, start_minute, weekdays"


def services(*records: object) -> str:
    return json.dumps({"service": records})


async def test_an_office_of_the_dila_comes_with_its_certain_hours(three_communes: Database, tmp_path: Path) -> None:
    file = written(tmp_path, "d.json", services(MAIRIE, SIP))
    report = await imports.import_offices(three_communes, file)
    assert told(report) == [(1, "Mairie - Breux-sur-Avre: mairie is no tax office")]
    cause = "sip-76540-02: opening hours not certain: Jeudi Jeudi 08:15:00 12:00:00 semaines paires"
    assert (report.read, report.inserted, warned(report)) == (2, 1, [(2, cause)])
    assert await rows(
        three_communes, "select code, kind, departement, time_zone, phone, address_lines, postcode from office, site"
    ) == [
        (
            "sip-76540-02",
            "SIP",
            "76",
            "Europe/Paris",
            "02 32 18 91 00",
            ["Cité administrative", "2 rue Saint-Sever"],
            "76100",
        )
    ]
    assert await rows(three_communes, HOURS) == [
        ("APPOINTMENT", "directory", [1, 2], 495, 720),
        ("APPOINTMENT", "directory", [1], 810, 975),
    ]
    version = await one(three_communes, "select version from office")
    again = await imports.import_offices(three_communes, file)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 1)
    assert await one(three_communes, "select version from office") == version


async def test_a_record_of_two_tax_offices_is_two_offices_at_one_site(three_communes: Database, tmp_path: Path) -> None:
    both = copy.deepcopy(SIP)
    both["pivot"].append({"type_service_local": "sie", "code_insee_commune": "76540", "indice_code_pivot": "01"})
    await imports.import_offices(three_communes, written(tmp_path, "d.json", services(both)))
    assert await rows(three_communes, "select code, kind from office order by code") == [
        ("sie-76540-01", "SIE"),
        ("sip-76540-02", "SIP"),
    ]
    assert await one(three_communes, "select count(*) from site") == 1


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        ("text", "row: Input should be a valid dictionary or instance of _Record"),
        ({}, "no name: no pivot is no tax office"),
        (SIP | {"nom": ""}, "name: String should have at least 1 character"),
        (SIP | {"adresse": "x"}, "adresse: Input should be a valid tuple"),
        (SIP | {"code_insee_commune": "99999"}, "commune_code: 99999 is no known commune"),
    ],
)
async def test_a_faulty_record_is_told_with_its_number(
    three_communes: Database, tmp_path: Path, record: object, cause: str
) -> None:
    report = await imports.import_offices(three_communes, written(tmp_path, "d.json", services(SIP, record)))
    assert (told(report), report.inserted) == ([(2, cause)], 1)


DGFIP = (
    "nomenclature_interne", "type_de_service", "libelle_du_service", "nom_du_service", "departement", "adresse", "bp",
    "code_postal", "commune", "code_commune", "current_code", "com_name", "dep_code", "dep_name", "reg_name",
    "courriel", "horaires_1", "accueil_sur_rdv", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "geocodage",
    "type_de_demarche", "telephone_1", "telephone_2", "public", "service",
)  # fmt: skip


def open_data(delimiter: str, *given: dict[str, str]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, DGFIP, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(given)
    return file.getvalue()


REUNION = {
    "type_de_service": "SIP",
    "nom_du_service": "SIP de Saint-Denis",
    "adresse": "1 rue Champ Fleuri",
    "code_postal": "97400",
    "code_commune": "97411",
    "geocodage": "-20.88, 55.45",
    "type_de_demarche": "particulier>payer\nparticulier>déclarer",
    "horaires_1": "SANS RDV L MA J V 8H30-12H",
    "accueil_sur_rdv": "LUNDI 13H30-16H",
}
PARIS = {
    "type_de_service": "Service des impôts des particuliers",
    "nom_du_service": "SIP Paris 1er",
    "adresse": "1 RUE DE LA PAIX",
    "code_postal": "75001",
    "current_code": "75056",
    "code_commune": "75101",
    "horaires_1": "selon la saison",
    "mardi": "9H-12H / 13H30-16H",
    "jeudi": "Fermé",
}


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        ("Centre des Finances publiques", "SIP BEAUNE", "SIP"),
        ("Centre de Finances publiques", "Trésorerie de Beaune", "TRESORERIE"),
        ("CENTRE DES FINANCES PUBLIQUES", "Service de la publicité foncière - Beaune", "SPF"),
        ("Cdif", "Cadastre de Beaune", "CDIF"),
    ],
)
async def test_the_open_data_tells_the_kind_by_type_or_name(
    three_communes: Database, tmp_path: Path, kind: str, name: str, found: str
) -> None:
    row = PARIS | {"type_de_service": kind, "nom_du_service": name, "courriel": "par votre messagerie sécurisée"}
    await imports.import_offices(three_communes, written(tmp_path, "dgfip.csv", open_data(";", row)))
    assert await rows(three_communes, "select kind, name, email from office") == [(found, name, None)]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Buralistes", "SIP"),
        ("France Services", "SIE DE BEAUNE"),
        ("Permanences finances publiques", "SIP BEAUNE"),
        ("Centre des Finances publiques", "SIPHON"),
    ],
)
async def test_what_is_no_tax_office_of_a_known_kind_is_skipped(
    three_communes: Database, tmp_path: Path, kind: str, name: str
) -> None:
    row = PARIS | {"type_de_service": kind, "nom_du_service": name}
    report = await imports.import_offices(three_communes, written(tmp_path, "dgfip.csv", open_data(";", row)))
    assert (told(report), warned(report)) == ([(2, f"kind: {kind} is no kind of office")], [])
    assert await one(three_communes, "select count(*) from office") == 0


@pytest.mark.parametrize(
    ("name", "code", "kind"),
    [
        ("hypotheque", "hypotheque-76540-02", "SPF"),
        ("spf", "hypotheque-76540-02", "SPF"),
        ("Publicité foncière", "hypotheque-76540-02", "SPF"),
        ("cdif", "centre_impots_fonciers-76540-02", "CDIF"),
        ("centre_impots_fonciers", "centre_impots_fonciers-76540-02", "CDIF"),
    ],
)
async def test_a_type_of_the_dila_by_another_name_is_the_same_office(
    three_communes: Database, tmp_path: Path, name: str, code: str, kind: str
) -> None:
    pivot = {"type_service_local": name, "code_insee_commune": ["76540"], "indice_code_pivot": "02"}
    await imports.import_offices(three_communes, written(tmp_path, "d.json", services(SIP | {"pivot": [pivot]})))
    assert await rows(three_communes, "select code, kind from office") == [(code, kind)]


@pytest.mark.parametrize("delimiter", [";", ","])
async def test_the_open_data_is_recognised_by_its_header(
    three_communes: Database, tmp_path: Path, delimiter: str
) -> None:
    await imports.import_offices(three_communes, written(tmp_path, "o.csv", OFFICES + GOOD))
    file = written(tmp_path, "dgfip.csv", open_data(delimiter, REUNION, PARIS, PARIS | {"type_de_service": "Musée"}))
    report = await imports.import_offices(three_communes, file)
    assert told(report) == [(5, "kind: Musée is no kind of office")]
    assert warned(report) == [(4, "sip-75056-01: opening hours not certain: selon la saison")]
    assert await rows(three_communes, "select code, name, time_zone from office order by code") == [
        ("dgfip-sip-97411-sip-de-saint-denis", "SIP de Saint-Denis", "Indian/Reunion"),
        ("sip-75056-01", "SIP Paris 1er", "Europe/Paris"),
    ]
    assert await one(three_communes, "select count(*) from site") == 2
    assert await rows(three_communes, HOURS) == [
        ("APPOINTMENT", "directory", [2], 540, 720),
        ("APPOINTMENT", "directory", [1], 810, 960),
        ("APPOINTMENT", "directory", [2], 810, 960),
        ("WALK_IN", "directory", [1, 2, 4, 5], 510, 720),
    ]
    again = await imports.import_offices(three_communes, file)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 2)


COUNTERS = """\
id_fs,insee_dep,latitude,longitude,format_fs,h_lundi,h_mardi,h_mercredi,h_jeudi,h_vendredi
1,76,49.44,1.09,Fixe,09:00 - 12:00,09:00 - 12:00,09:00 - 12:00,09:00 - 12:00,09:00 - 12:00
2,76,49.00,1.00,Fixe,10:00 - 12:00,10:00 - 12:00,10:00 - 12:00,10:00 - 12:00,10:00 - 12:00
3,76,49.43,1.08,Fixe,08:00 - 12:00,,,,
4,76,49.43,1.08,Fixe,12:00 - 09:00,,,,
"""


async def test_real_hours_replace_lent_ones_and_lent_ones_never_real_ones(
    three_communes: Database, tmp_path: Path
) -> None:
    counters = written(tmp_path, "h.csv", COUNTERS)
    silent = written(tmp_path, "d.json", services(SIP | {"plage_ouverture": [], "commentaire_plage_ouverture": ""}))
    speaking = written(tmp_path, "e.json", services(SIP))
    await imports.import_offices(three_communes, silent)
    lent = await imports.import_hours(three_communes, counters)
    assert told(lent) == [(5, "h_lundi: '12:00 - 09:00' ends before it begins")]
    assert await rows(three_communes, HOURS) == [("APPOINTMENT", "derived", [1, 2, 3, 4, 5], 540, 720)]
    await imports.import_offices(three_communes, speaking)
    real = [("APPOINTMENT", "directory", [1, 2], 495, 720), ("APPOINTMENT", "directory", [1], 810, 975)]
    assert await rows(three_communes, HOURS) == real
    again = await imports.import_hours(three_communes, counters)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 0)
    assert await rows(three_communes, HOURS) == real
    await change(three_communes, "update opening set source = 'office'")
    await imports.import_offices(three_communes, written(tmp_path, "f.json", services(SIP | {"plage_ouverture": []})))
    assert [hours[1] for hours in await rows(three_communes, HOURS)] == ["office", "office"]


async def test_walk_in_hours_alone_leave_the_lent_hours_of_appointments(
    three_communes: Database, tmp_path: Path
) -> None:
    counters = written(tmp_path, "h.csv", COUNTERS)
    rouen = REUNION | {
        "current_code": "76540",
        "code_postal": "76000",
        "geocodage": "49.44, 1.09",
        "accueil_sur_rdv": "",
    }
    file = written(tmp_path, "dgfip.csv", open_data(";", rouen))
    await imports.import_offices(three_communes, file)
    lent = await imports.import_hours(three_communes, counters)
    assert (lent.inserted, lent.updated, lent.unchanged) == (0, 1, 0)
    both = [("APPOINTMENT", "derived", [1, 2, 3, 4, 5], 540, 720), ("WALK_IN", "directory", [1, 2, 4, 5], 510, 720)]
    assert await rows(three_communes, HOURS) == both
    version = await one(three_communes, "select version from office")
    await imports.import_offices(three_communes, file)
    await imports.import_hours(three_communes, counters)
    assert await rows(three_communes, HOURS) == both
    assert await one(three_communes, "select version from office") == version
