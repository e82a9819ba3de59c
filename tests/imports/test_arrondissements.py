"""A city and its arrondissements stand for each other where a table of competence names only some of them."""

from rdv.integrations.directories.arrondissements import CITIES, remarks, spread_over_cities
from rdv.integrations.directories.competence import ImportedCompetence, parse_competence

EVERY = {code for city, parts in CITIES.items() for code in (city, *parts)}


def table(*lines: str) -> list[tuple[int, ImportedCompetence]]:
    return parse_competence("\n".join(("commune_code,kind,office_code", *lines)).encode()).rows


def spread(*lines: str, served: frozenset[tuple[str, str]] = frozenset()) -> dict[str, str]:
    added = spread_over_cities(table(*lines), EVERY, served)
    return {f"{row.commune_code} {row.kind}": row.office_code for _, row in added}


def test_the_arrondissements_are_twenty_nine_and_sixteen() -> None:
    assert {city: (len(parts), parts[0], parts[-1]) for city, parts in CITIES.items()} == {
        "75056": (20, "75101", "75120"),
        "69123": (9, "69381", "69389"),
        "13055": (16, "13201", "13216"),
    }


def test_a_table_with_the_city_only_serves_every_arrondissement() -> None:
    assert spread("75056,SIP,a") == {f"751{number:02} SIP": "a" for number in range(1, 21)}


def test_arrondissements_the_table_names_keep_their_own_office() -> None:
    added = spread("69123,SIP,a", "69383,SIP,b", "69123,SIE,c")
    assert "69383 SIP" not in added
    assert added["69382 SIP"] == "a"
    assert added["69383 SIE"] == "c"
    assert len(added) == 8 + 9


def test_a_table_with_arrondissements_only_serves_what_has_no_office_yet() -> None:
    added = spread("13203,SIP,b", "13202,SIP,a", served=frozenset({("13204", "SIP"), ("13055", "SIE")}))
    assert added["13055 SIP"] == "a"
    assert added["13216 SIP"] == "a"
    assert "13204 SIP" not in added
    assert len(added) == 1 + 16 - 3


def test_one_corrected_arrondissement_changes_no_other() -> None:
    served = frozenset((code, "SIP") for code in EVERY)
    assert spread("75112,SIP,a", served=served) == {}


def test_other_communes_and_unknown_arrondissements_get_nothing() -> None:
    assert spread("76540,SIP,a") == {}
    assert spread_over_cities(table("75056,SIP,a"), {"75056"}, set()) == []


def test_what_follows_is_told_once_with_the_line_it_follows() -> None:
    added = spread_over_cities(table("76540,SIP,x", "75056,SIP,a"), {"75056", "75101", "75102"}, set())
    assert list(remarks(added)) == [
        (3, "SIP: 75101, 75102 not in the file, a taken as for the rest of the city"),
    ]
