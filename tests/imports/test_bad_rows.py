"""A faulty row is told with its line and cause and skipped; a faulty file is one line, and nothing is written."""

import gzip
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rdv.errors import BadFile
from rdv.models.database import Database
from rdv.usecases import imports
from rdv.usecases.imports import ImportReport
from tests.imports.conftest import one, rows

COMMUNES = """\
code,nom,type,departement,region,epci,population,codes_postaux,lat,lon
75056,Paris,commune-actuelle,75,11,,2103778,75001 75020,48.856804,2.351056
76540,Rouen,commune-actuelle,76,28,,114083,76000 76100,49.443,1.099
97411,Saint-Denis,commune-actuelle,974,04,,156000,97400,-20.879,55.448
"""
OFFICES = "id,kind,name,address,postcode,commune_insee_2026,departement,timezone,lat,lon,phone,email\n"
GOOD = "sip-75056-01,SIP,SIP de Paris,1 rue de la Paix,75001,75056,75,Europe/Paris,48.86,2.35,,"


def told(report: ImportReport) -> list[tuple[int, str]]:
    return [(fault.line, fault.cause) for fault in report.faults]


def warned(report: ImportReport) -> list[tuple[int, str]]:
    return [(fault.line, fault.cause) for fault in report.warnings]


@pytest.fixture
async def three_communes(database: Database, tmp_path: Path) -> Database:
    await imports.import_communes(database, written(tmp_path, "communes.csv", COMMUNES))
    return database


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        (",SIP,A,1 rue,75001,75056,75,Europe/Paris,,,,", "code: String should have at least 1 character"),
        ("a,SIP,,1 rue,75001,75056,75,Europe/Paris,,,,", "name: String should have at least 1 character"),
        ("a,SIX,A,1 rue,75001,75056,75,Europe/Paris,,,,", "kind: SIX is no kind of office"),
        ("a,SIP,A,1 rue,75001,75056,75,Europe/Pariis,,,,", "time_zone: Europe/Pariis is no time zone"),
        ("a,SIP,A,1 rue,75001,75056,75,../etc/passwd,,,,", "time_zone: ../etc/passwd is no time zone"),
        ("a,SIP,A,1 rue,7501,75056,75,Europe/Paris,,,,", "postcode: '7501' is not a postcode of 5 digits"),
        ("a,SIP,A,1 rue,75001,75999,75,Europe/Paris,,,,", "commune_code: 75999 is no known commune"),
        ("a,SIP,A,1 rue,75001,75056,76,Europe/Paris,,,,", "departement: 76, but the commune is in 75"),
        (
            "a,SIP,A,1 rue,75001,75056,75,Europe/Paris,north,2.35,,",
            "latitude: Input should be a valid number, unable to parse string as a number",
        ),
        (
            "a,SIP,A,1 rue,75001,75056,75,Europe/Paris,48,200,,",
            "longitude: Input should be less than or equal to 180",
        ),
        ("a,SIP,A,1 rue,75001,75056,75,Europe/Paris,nan,2,,", "latitude: Input should be a finite number"),
        ("a,SIP,A", "3 columns instead of 12"),
        ("a,SIP,A\x00,1 rue,75001,75056,75,Europe/Paris,,,,", "holds a NUL character"),
        (GOOD, "sip-75056-01 is in the file already"),
    ],
)
async def test_a_faulty_office_is_told_and_skipped(
    three_communes: Database, tmp_path: Path, row: str, cause: str
) -> None:
    report = await imports.import_offices(three_communes, written(tmp_path, "o.csv", f"{OFFICES}{GOOD}\n{row}\n"))
    assert told(report) == [(3, cause)]
    assert (report.read, report.inserted, report.unchanged) == (2, 1, 0)
    assert await rows(three_communes, "select code, name from office") == [("sip-75056-01", "SIP de Paris")]
    assert await one(three_communes, "select count(*) from site") == 1


async def test_a_row_after_a_quoted_line_break_is_told_with_the_line_it_begins_on(
    three_communes: Database, tmp_path: Path
) -> None:
    broken = GOOD.replace("1 rue de la Paix", '"1 rue\nde la Paix"')
    file = written(tmp_path, "o.csv", f"{OFFICES}{broken}\nx,SIP\n")
    assert told(await imports.import_offices(three_communes, file)) == [(4, "2 columns instead of 12")]


async def test_coordinates_outside_the_departement_are_a_warning_and_imported(
    three_communes: Database, tmp_path: Path
) -> None:
    file = written(tmp_path, "o.csv", OFFICES + GOOD.replace("48.86,2.35", "49.44,1.1"))
    report = await imports.import_offices(three_communes, file)
    cause = "sip-75056-01: coordinates 112 km from its commune, in 76 instead of 75"
    assert (report.inserted, told(report), warned(report)) == (1, [], [(2, cause)])
    assert await rows(three_communes, "select latitude, longitude from site") == [(49.44, 1.1)]


async def test_an_office_that_moves_leaves_no_empty_site(three_communes: Database, tmp_path: Path) -> None:
    await imports.import_offices(three_communes, written(tmp_path, "o.csv", OFFICES + GOOD))
    moved = written(tmp_path, "o.csv", OFFICES + GOOD.replace("1 rue de la Paix", "2 place Vendôme"))
    report = await imports.import_offices(three_communes, moved)
    assert (report.inserted, report.updated) == (0, 1)
    assert await rows(three_communes, "select address_lines from site") == [(["2 place Vendôme"],)]


async def test_faulty_communes_are_told_and_skipped(database: Database, tmp_path: Path) -> None:
    more = "7505,X,,75,,,1,75001,,\n75057,,,75,,,1,75001,,\n75058,X,,75,,,-1,75001,,\n75059,X,,75,,,1,7500,,\n"
    report = await imports.import_communes(database, written(tmp_path, "c.csv", COMMUNES + more))
    assert told(report) == [
        (5, "code: '7505' is no code of a commune"),
        (6, "name: String should have at least 1 character"),
        (7, "population: Input should be greater than or equal to 0"),
        (8, "postcodes.0: '7500' is not a postcode of 5 digits"),
    ]
    assert await one(database, "select count(*) from commune") == 3


async def test_the_long_form_of_competence_skips_what_is_unknown(three_communes: Database, tmp_path: Path) -> None:
    await imports.import_offices(three_communes, written(tmp_path, "o.csv", OFFICES + GOOD))
    lines = (
        "commune_code,kind,office_code",
        "76540,SIP,sip-75056-01",
        "76541,SIP,sip-75056-01",
        "76540,SIE,sie-00000-01",
        "97411,SIE,sip-75056-01",
        "76540,SIP,sip-75056-01",
    )
    report = await imports.import_competence(three_communes, written(tmp_path, "k.csv", "\n".join(lines)))
    assert told(report) == [
        (3, "76541 is no known commune"),
        (4, "sie-00000-01 is no known office"),
        (5, "sip-75056-01 is a SIP, not a SIE"),
        (6, "76540 SIP is in the file already"),
    ]
    assert await rows(three_communes, "select commune_code, kind, distance_km from competence") == [
        ("76540", "SIP", None)
    ]


async def test_a_faulty_reason_is_skipped_with_its_subtree(database: Database, tmp_path: Path) -> None:
    leaf = {"code": "leaf", "label": "Feuille", "label_en": "Leaf"}
    tree = [
        {"code": "good", "label": "Bon", "label_en": "Good", "children": [leaf]},
        {"code": "b a d", "label": "Mal", "label_en": "Bad", "children": [leaf | {"code": "lost"}]},
        {"code": "slow", "label": "Lent", "label_en": "Slow", "duration_minutes": 1},
        {"code": "plain", "label": "Sans anglais"},
        "text",
    ]
    report = await imports.import_reasons(database, written(tmp_path, "r.json", json.dumps({"tree": tree})))
    assert told(report) == [
        (3, "code: String should match pattern '^[A-Za-z0-9_.:-]+$'"),
        (4, "slow: duration_minutes: Input should be greater than or equal to 5"),
        (6, "tree: entry 4 is no object"),
    ]
    assert warned(report) == [(5, "plain: no English label")]
    assert await rows(database, "select code, bookable from reason order by code") == [
        ("good", False),
        ("leaf", True),
        ("plain", True),
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "f: is empty"),
        (b"a,b\n1,2\n", "f: the header has no column"),
        (b"\xff\xfe\x00", "f: is not UTF-8 text (byte 1)"),
        (gzip.compress(b"code,nom", mtime=0)[:-4], "f: cannot be read: "),
        (b"\x1f\x8bnot gzip", "f: cannot be read: "),
    ],
)
@pytest.mark.parametrize(
    "step", [imports.import_communes, imports.import_offices, imports.import_competence, imports.import_hours]
)
async def test_a_file_that_cannot_be_read_is_one_line(
    database: Database,
    tmp_path: Path,
    step: Callable[[Database, Path], Awaitable[ImportReport]],
    content: bytes,
    line: str,
) -> None:
    with pytest.raises(BadFile) as raised:
        await step(database, written(tmp_path, "f", content))
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


async def test_a_file_that_is_not_there_is_one_line(database: Database, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"^none.csv: cannot be read: No such file or directory$"):
        await imports.import_communes(database, tmp_path / "none.csv")


@pytest.mark.parametrize("content", ["{", "[]", '{"tree": 1}', '{"tree": {}}'])
async def test_a_tree_that_is_none_is_one_line(database: Database, tmp_path: Path, content: str) -> None:
    with pytest.raises(BadFile, match=r"^r.json: "):
        await imports.import_reasons(database, written(tmp_path, "r.json", content))


async def test_a_broken_quote_halfway_writes_nothing(three_communes: Database, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"^o.csv: line 3: "):
        await imports.import_offices(three_communes, written(tmp_path, "o.csv", f'{OFFICES}{GOOD}\n"x"y,SIP\n'))
    assert await one(three_communes, "select count(*) from office") == 0
