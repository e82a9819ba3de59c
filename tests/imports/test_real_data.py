"""The package's own data: exact counts, and nothing changed by a second import."""

import pytest

from rdv.models.database import Database
from rdv.usecases.imports import import_everything
from tests.imports.conftest import Imported, change, one, rows

MISPLACED = {
    "sip-04173-01": "05", "tresorerie-04173-01": "06", "sie-13004-01": "30", "sip-13004-01": "30",
    "tresorerie-13004-02": "30", "tresorerie-2B009-01": "2A", "tresorerie-43080-01": "69", "tresorerie-47252-01": "32",
    "tresorerie-59036-01": "62", "tresorerie-70550-01": "25", "hypotheque-71076-01": "01", "tresorerie-90010-01": "88",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("communes", (35_014, 35_014, 0, 0)),
        ("offices", (3_642, 3_642, 0, 131)),
        ("competence", (34_927, 104_653, 0, 3)),
        ("shared postcodes", (84, 84, 0, 0)),
        ("reasons", (156, 156, 0, 0)),
        ("business", (16, 16, 0, 0)),
        ("hours", (2_845, 3_642, 58, 47)),
    ],
)
def test_rows_read_inserted_skipped_and_warned_of_are_these(
    imported: Imported, name: str, numbers: tuple[int, int, int, int]
) -> None:
    report = imported.reports[name]
    assert (report.read, report.inserted, len(report.faults), len(report.warnings)) == numbers
    assert (report.updated, report.unchanged) == (0, 0)


def test_coordinates_far_from_the_commune_are_told_with_the_departement_they_are_in(imported: Imported) -> None:
    doubts = [w.cause for w in imported.reports["offices"].warnings if "coordinates" in w.cause]
    elsewhere = {cause.split(":")[0]: cause.split(", in ")[1].split()[0] for cause in doubts if ", in " in cause}
    assert len(doubts) == 26
    assert elsewhere == MISPLACED


async def test_offices_at_one_address_share_a_site(real: Database) -> None:
    assert await one(real, "select count(*) from site") == 2_919
    shared = await rows(
        real,
        "select o.code from office o join office p using (site_id) where p.code = 'sip-75120-01' order by o.code",
    )
    land_registry = [(f"hypotheque-75120-{number:02}",) for number in range(1, 13)]
    assert shared == [*land_registry, ("sie-75120-01",), ("sip-75120-01",), ("sip-75120-02",)]


async def test_every_office_has_hours_on_some_weekday(real: Database) -> None:
    statement = "select count(distinct office_id) from opening where source = 'derived' and layer = 'APPOINTMENT'"
    assert await one(real, statement) == 3_642
    assert await one(real, "select count(*) from opening where source <> 'derived' or weekdays && '{6,7}'") == 0


async def test_the_marseille_office_closed_on_thursdays_has_no_thursday(real: Database) -> None:
    weekdays = "select unnest(weekdays) from opening join office o on o.id = office_id where o.code = 'sip-13208-01'"
    assert sorted({day for (day,) in await rows(real, weekdays)}) == [1, 2, 3, 5]


async def test_every_postcode_of_the_three_great_cities_leads_to_an_office_of_each_kind(real: Database) -> None:
    found = await rows(
        real,
        """
        select c.departement, count(distinct postcode), count(distinct postcode) filter (where exists (
            select from commune d join competence k on k.commune_code = d.code
            where postcode = any(d.postcodes) and d.code <> c.code and k.kind = any('{SIP,SIE,TRESORERIE}')
            having count(distinct k.kind) = 3))
        from commune c, unnest(c.postcodes) postcode where c.name in ('Paris', 'Lyon', 'Marseille')
        group by 1 order by 1
        """,
    )
    assert found == [("13", 16, 16), ("69", 9, 9), ("75", 21, 21)]


async def test_the_communes_without_a_competent_sip_are_overseas_where_the_directory_has_none(real: Database) -> None:
    statement = """
        select departement, count(*) from commune c where not exists (
            select from competence k where k.commune_code = c.code and k.kind = 'SIP')
        group by 1 order by 1
    """
    assert await rows(real, statement) == [
        ("975", 2),
        ("977", 1),
        ("978", 1),
        ("984", 5),
        ("986", 3),
        ("987", 48),
        ("988", 33),
        ("989", 1),
    ]


async def test_the_tree_of_reasons_has_three_levels_and_two_languages(real: Database) -> None:
    by_level = "select level, count(*), count(*) filter (where bookable) from reason where audience = 'INDIVIDUAL' "
    assert await rows(real, by_level + "group by 1 order by 1") == [(1, 5, 0), (2, 38, 0), (3, 113, 113)]
    assert await one(real, "select count(*) from reason where labels ?& '{fr,en}' and source = 'assumption'") == 172
    durations = await rows(real, "select distinct duration_minutes from reason where bookable order by 1")
    assert durations == [(15,), (20,), (30,), (45,)]


async def test_a_commune_is_searched_by_its_folded_name(real: Database) -> None:
    assert await one(real, "select search_name from commune where code = '94038'") == "l hay les roses"


async def test_a_second_import_changes_nothing_and_bumps_no_version(real_copy: Database) -> None:
    state = """
        select (select md5(string_agg(o::text, ',' order by id)) from office o),
               (select md5(string_agg(s::text, ',' order by id)) from site s),
               (select md5(string_agg(p::text, ',' order by id)) from opening p),
               (select md5(string_agg(r::text, ',' order by id)) from reason r),
               (select md5(string_agg(k::text, ',' order by commune_code, kind)) from competence k),
               (select md5(string_agg(c::text, ',' order by code)) from commune c),
               (select version from national_version)
    """
    before = await rows(real_copy, state)
    for report in await import_everything(real_copy):
        assert (report.inserted, report.updated) == (0, 0), report.name
    assert await rows(real_copy, state) == before


async def test_what_an_office_has_set_survives_a_second_import(real_copy: Database) -> None:
    office = "(select id from office where code = 'sip-75120-01')"
    await change(real_copy, f"update office set min_lead_minutes = 7, open_to_booking = true where id = {office}")
    await change(real_copy, f"delete from opening where office_id = {office}")
    await change(
        real_copy,
        "insert into opening (office_id, layer, source, weekdays, every_weeks, start_minute, end_minute) "
        f"values ({office}, 'APPOINTMENT', 'office', '{{2}}', 1, 600, 660)",
    )
    await change(real_copy, "update reason set duration_minutes = 50, source = 'dgfip' where code = 'don-manuel'")
    await change(real_copy, "update office set name = 'wrong' where code = 'sip-75120-02'")
    reports = await import_everything(real_copy)
    assert [report.updated for report in reports] == [0, 1, 0, 0, 0, 0, 0]
    kept = f"select min_lead_minutes, open_to_booking from office where id = {office}"
    assert await rows(real_copy, kept) == [(7, True)]
    hours = f"select source, weekdays, start_minute, end_minute from opening where office_id = {office}"
    assert await rows(real_copy, hours) == [("office", [2], 600, 660)]
    assert await one(real_copy, "select duration_minutes from reason where code = 'don-manuel'") == 50
    assert await one(real_copy, "select name from office where code = 'sip-75120-02'") != "wrong"
