"""`rdv bench seed`: exact counts, the same rows from the same seed, nobody stranded, and nobody's work touched."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from rdv.engine.referee import violations
from rdv.engine.values import Place
from rdv.errors import BadSetting
from rdv.models.database import Database
from rdv.models.holidays import Holidays
from rdv.models.nation import NationCache
from rdv.models.situation import load_situations
from rdv.usecases.bench import SeedWish, forget_load, refuse, seed, seeded
from rdv.usecases.bench_country import SIZES, offices
from rdv.usecases.bench_visits import DAYS, EMPTIEST, FULLEST, patterns, references, working_days
from tests.api.conftest import opened
from tests.bench.seeding import FIRST, SMALL, fill
from tests.conftest import cloned
from tests.country import settle_country
from tests.places import NOW

pytestmark = pytest.mark.anyio

TABLES = (
    *("reason", "commune", "site", "office", "competence", "counter", "agent", "opening", "reason_quota"),
    *("channel_share", "delegation", "usager", "appointment", "appointment_agent"),
)


async def rows(database: Database, statement: str) -> Sequence[Any]:
    async with database.reading() as connection:
        return (await connection.execute(text(statement))).all()


async def dump(database: Database) -> dict[str, Sequence[Any]]:
    return {table: await rows(database, f"select * from {table} order by 1, 2") for table in TABLES}


async def test_the_smallest_size_has_exactly_what_it_says(database: Database) -> None:
    told: list[tuple[str, int, int | None]] = []
    await seed(database, SeedWish(size=SIZES["S"], seed=1, first=FIRST), lambda *said: told.append(said))
    counts = {table: (await rows(database, f"select count(*) from {table}"))[0].count for table in TABLES}
    assert counts == {
        "reason": 15,
        "commune": 4,
        "site": 4,
        "office": 4,
        "competence": 4,
        "counter": 20,
        "agent": 2,
        "opening": 8,
        "reason_quota": 1,
        "channel_share": 1,
        "delegation": 1,
        "usager": counts["usager"],
        "appointment": 3000,
        "appointment_agent": 300,
    }
    assert 1500 <= counts["usager"] <= 1504
    assert told == [("Offices and counters", 0, None), ("Appointments", 3000, 3000), ("Statistics", 0, None)]


async def test_the_same_seed_and_day_write_the_same_rows_and_another_seed_others(
    database: Database, server: str, migrated_template: str
) -> None:
    await fill(database)
    first = await dump(database)
    for number, alike in ((1, True), (2, False)):
        with cloned(server, migrated_template) as url:
            other = Database(url)
            await fill(other, number=number)
            assert (await dump(other) == first) is alike
            await other.close()


async def test_a_database_with_work_is_refused_and_left_as_it_was(database: Database) -> None:
    await settle_country(database)
    before = await dump(database)
    said = r"^--database: holds work already, in office \(6\), reason \(7\), commune \(1\), site \(6\): benchmarks need"
    with pytest.raises(BadSetting, match=said):
        await refuse(database)
    with pytest.raises(BadSetting, match=said):
        await fill(database)
    assert await dump(database) == before
    with pytest.raises(BadSetting, match=r"^--database: has no data of a benchmark"):
        await forget_load(database)


async def test_a_seeded_database_is_not_seeded_again(database: Database) -> None:
    await fill(database)
    before = await dump(database)
    with pytest.raises(BadSetting, match=r"^--database: was seeded already \(size S, seed 1, from 2027-03-02\)"):
        await fill(database, number=2)
    assert await dump(database) == before


async def test_a_database_without_tables_may_be_seeded_after_a_migration(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    await refuse(database)
    assert await rows(database, "select 1 from pg_tables where schemaname = 'public'") == []
    await database.close()


async def test_everybody_sits_where_every_rule_allows_it(database: Database) -> None:
    await fill(database)
    ids = [row.id for row in await rows(database, "select id from office")]
    async with database.reading() as connection:
        nation = await NationCache().current(connection)
        last = FIRST + timedelta(days=40)
        found = await load_situations(connection, nation, ids, first=FIRST, last=last, now=NOW)
    seen = 0
    for situation in found.values():
        seats = {one.id: Place(one.counter or "", one.agents) for one in situation.instance.appointments}
        assert violations(situation.instance, seats) == []
        seen += len(seats)
    assert seen == SMALL.appointments
    kinds = [
        any(one.quotas.most_a_day for one in found.values()),
        any(one.quotas.kept_percent for one in found.values()),
        any(one.delegated for one in found.values()),
        any(one.instance.agents for one in found.values()),
        any(counter.reasons for one in found.values() for counter in one.instance.counters),
    ]
    assert all(kinds)


async def test_every_counters_day_is_booked_from_60_to_90_percent(database: Database) -> None:
    await fill(database)
    found = await rows(
        database,
        """select counter_id, day, extract(epoch from sum(ends_at - starts_at)) / 60 / 390 as booked
           from appointment group by counter_id, day""",
    )
    assert len(found) == SMALL.counters * DAYS
    assert all(0.6 <= row.booked <= 0.9 for row in found)


async def test_versions_and_ids_are_as_if_everything_had_been_booked(database: Database) -> None:
    await fill(database)
    days = "select count(*) from office_day where version = 1 + (office_id = 3)::int"  # who receives comes after
    booked = "select count(distinct (office_id, day)) from appointment"
    assert await rows(database, days) == await rows(database, booked)
    assert (await rows(database, "select nextval(pg_get_serial_sequence('appointment', 'id'))"))[0] == (1_801,)


async def test_the_api_finds_free_starts_and_books_them_which_is_forgotten_again(
    database: Database, database_url: str
) -> None:
    await fill(database)
    before = await dump(database)
    async with opened(database_url) as api:
        office = (await api.data("office", {"code": "bench-0001"}))["office"]
        reason = next(one for one in office["reasons"] if one["durationMinutes"] == 30)
        wanted = {"officeId": office["id"], "reasonId": reason["id"]}
        search = {"input": {**wanted, "from": str(FIRST), "to": str(FIRST + timedelta(days=13))}}
        slots = (await api.data("search_slots", search))["slots"]
        # Working days; on some no counter has half an hour left.
        assert {day["date"] for day in slots["days"]} <= {str(FIRST + timedelta(days=n)) for n in range(14)}
        start = slots["days"][0]["starts"][0]
        hold = (await api.data("hold_slot", {"input": {**wanted, "start": start}}))["holdSlot"]
        usager = {"firstName": "Camille", "lastName": "Exemple", "email": "camille@example.org"}
        confirmed = await api.data("confirm_appointment", {"input": {"holdToken": hold["token"], "usager": usager}})
        assert confirmed["confirmAppointment"]["__typename"] == "AppointmentConfirmed"
        await forget_load(database)
        assert {name: len(found) for name, found in (await dump(database)).items()} == {
            name: len(found) for name, found in before.items()
        }
        assert (await api.data("search_slots", search))["slots"]["days"] == slots["days"]


async def test_what_was_seeded_is_remembered(database: Database) -> None:
    await fill(database)
    found = await seeded(database)
    assert (found.size, found.seed, found.first, found.appointments) == ("S", 1, FIRST, 1_800)


def test_the_nation_has_the_offices_and_counters_of_the_country() -> None:
    found = list(offices(SIZES["national"], 1))
    counters = [one.counters for one in found]
    assert (len(found), sum(counters)) == (3_642, 20_000)
    assert (counters[0], counters[-1]) == (40, 1)
    assert counters == sorted(counters, reverse=True)
    assert len({one.commune["code"] for one in found}) == 3_642


def test_patterns_book_what_they_say_within_the_hours() -> None:
    found = patterns(Random(1), 7)  # noqa: S311 - no secret
    assert set(found) == {(number, quarters) for number in (7, 8) for quarters in range(EMPTIEST, FULLEST + 1)}
    for (number, quarters), some in found.items():
        for pattern in some:
            assert (len(pattern), sum(length for _, length in pattern)) == (number, 15 * quarters)
            assert all(start + length <= later for (start, length), (later, _) in pairwise(pattern))
            assert all((at >= 540 and at + n <= 720) or (at >= 780 and at + n <= 990) for at, n in pattern)


def test_references_are_all_different_and_look_like_drawn_ones() -> None:
    found = [one.decode() for one in references(10_000)]
    assert len(set(found)) == 10_000
    assert all(re.fullmatch(r"[2-9A-HJ-NP-Z]{12}", one) for one in found)


def test_holidays_are_no_working_days() -> None:
    first = date(2027, 5, 1)
    days = working_days(Holidays({}), "75", first)
    assert len(days) == 20
    assert {date(2027, 5, 1), date(2027, 5, 6), date(2027, 5, 8), date(2027, 5, 17)} & set(days) == set()
    assert days[0] == datetime(2027, 5, 3, tzinfo=UTC).date()
