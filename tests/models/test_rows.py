"""What the database itself guarantees: instants, versions by trigger, no double booking, holidays."""

from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.errors import CheckViolation, ExclusionViolation
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from rdv.models.appointments import Appointment
from rdv.models.database import Database
from rdv.models.holidays import Holidays
from tests.places import NOW, Place, add, add_office


def appointment(place: Place, **columns: Any) -> Appointment:
    given = {
        "office_id": place.office,
        "reference": "K7M29XTQB4ZD",
        "status": "BOOKED",
        "reason_id": place.reasons["declare"],
        "day": date(2027, 3, 1),
        "starts_at": NOW,
        "ends_at": NOW + timedelta(minutes=30),
        "occupied_until": NOW + timedelta(minutes=35),
        "channel": "INTERNET",
        "modality": "IN_PERSON",
        "counter_id": place.counters[0],
        "created_at": NOW,
    }
    return Appointment(**given | columns)


async def test_a_naive_datetime_cannot_get_in(database: Database) -> None:
    place = await add_office(database)
    naive = datetime(2027, 3, 1, 9)  # noqa: DTZ001 - the one that must not get in
    for column in ("starts_at", "ends_at", "occupied_until", "created_at", "expires_at"):
        with pytest.raises(StatementError, match="an instant needs a time zone"):
            await add(database, appointment(place, **{column: naive}))


async def test_every_column_for_instants_is_one_that_refuses_naive_ones(database: Database) -> None:
    async with database.reading() as connection:
        found = await connection.execute(
            text(
                "select count(*) from information_schema.columns where table_schema = 'public' and "
                "data_type = 'timestamp without time zone'"
            )
        )
        assert found.scalar_one() == 0


@pytest.fixture
async def place(database: Database) -> Place:
    return await add_office(database, counters=2, agents=2)


CHANGES = {
    "counter": "update counter set label = 'A' where id = {counter}",
    "agent": "update agent set display_name = 'A' where id = {agent}",
    "opening": "insert into opening (office_id, layer, source, weekdays, every_weeks, start_minute, end_minute) "
    "values ({office}, 'APPOINTMENT', 'office', '{{6}}', 1, 0, 60)",
    "opening deleted": "delete from opening",
    "day_exception": "insert into day_exception (office_id, on_date) values ({office}, '2027-03-01')",
    "closure": "insert into closure (office_id, from_date, from_minute, to_date, to_minute) "
    "values ({office}, '2027-03-01', 0, '2027-03-02', 0)",
    "office_reason": "insert into office_reason (office_id, reason_id, served) values ({office}, {reason}, false)",
    "office": "update office set step_minutes = 20 where id = {office}",
    "site": "update site set postcode = '75003'",
}


async def versions(database: Database, place: Place) -> tuple[int, int, int]:
    async with database.reading() as connection:
        row = (
            await connection.execute(
                text("""select o.version, (select version from national_version),
                        (select coalesce(sum(version), 0)::bigint from office_day where office_id = o.id)
                        from office o where id = :office"""),
                {"office": place.office},
            )
        ).one()
    return row[0], row[1], row[2]


async def change(database: Database, place: Place, statement: str) -> None:
    filled = statement.format(
        office=place.office, counter=place.counters[0], agent=place.agents[0], reason=place.reasons["declare"]
    )
    async with database.transaction() as connection:
        await connection.exec_driver_sql(filled)


async def test_an_offices_version_grows_with_every_part_of_it(database: Database, place: Place) -> None:
    grown = []
    for what, statement in CHANGES.items():
        before = await versions(database, place)
        await change(database, place, statement)
        after = await versions(database, place)
        if after[0] > before[0] and after[1:] == before[1:]:
            grown.append(what)
    assert grown == list(CHANGES)


NATIONAL = {
    "reason": "update reason set duration_minutes = 20 where id = {reason}",
    "holiday": "insert into holiday (territory, on_date, closed) values ('75', '2027-03-01', true)",
}


async def test_the_nations_version_grows_with_what_holds_for_all(database: Database, place: Place) -> None:
    for statement in NATIONAL.values():
        before = await versions(database, place)
        await change(database, place, statement)
        after = await versions(database, place)
        assert (after[1] > before[1], after[0], after[2]) == (True, before[0], before[2])


STEPS = [
    "update appointment set status = 'CANCELLED'",
    "update appointment set counter_id = counter_id",
    "insert into appointment_agent (office_id, appointment_id, agent_id) select {office}, id, {agent} from appointment",
    "delete from appointment_agent",
    "delete from appointment",
]


async def test_a_days_version_grows_with_every_change_of_its_appointments(database: Database, place: Place) -> None:
    seen = [await versions(database, place)]
    await add(database, appointment(place))
    seen.append(await versions(database, place))
    for step in STEPS:
        await change(database, place, step)
        seen.append(await versions(database, place))
    days = [one[2] for one in seen]
    assert days == sorted(set(days))
    assert {one[:2] for one in seen} == {seen[0][:2]}


async def test_an_appointment_that_changes_its_day_changes_both_days(database: Database, place: Place) -> None:
    await add(database, appointment(place))
    await change(database, place, "update appointment set day = '2027-03-02'")
    async with database.reading() as connection:
        rows = (await connection.execute(text("select day, version from office_day order by day"))).all()
    assert [tuple(row) for row in rows] == [(date(2027, 3, 1), 2), (date(2027, 3, 2), 1)]


BOOK = """
insert into appointment (office_id, reference, status, reason_id, day, starts_at, ends_at, occupied_until, channel,
                         modality, counter_id, pinned, created_at)
values (%(office)s, %(reference)s, %(status)s, %(reason)s, '2027-03-01', %(start)s, %(end)s, %(end)s, 'INTERNET',
        'IN_PERSON', %(counter)s, false, %(start)s) returning id
"""
SEAT = "insert into appointment_agent (office_id, appointment_id, agent_id) values (%s, %s, %s)"


def book(connection: psycopg.Connection[Any], place: Place, reference: str, minute: int, **more: Any) -> int:
    given = {
        "office": place.office,
        "reference": reference,
        "status": "BOOKED",
        "reason": place.reasons["declare"],
        "start": NOW + timedelta(minutes=minute),
        "end": NOW + timedelta(minutes=minute + 30),
        "counter": place.counters[0],
    }
    row = connection.execute(BOOK, given | more).fetchone()
    assert row is not None
    return int(row[0])


async def test_a_counter_cannot_be_booked_twice_whoever_writes(database_url: str, place: Place) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        book(connection, place, "A", 0)
        for status in ("HELD", "BOOKED", "ARRIVED", "IN_PROGRESS"):
            with pytest.raises(ExclusionViolation):
                book(connection, place, "B", 29, status=status)
        book(connection, place, "C", 30)
        book(connection, place, "D", 0, counter=place.counters[1])
        for n, status in enumerate(("CANCELLED", "DONE", "NO_SHOW")):
            book(connection, place, f"E{n}", 0, status=status)
        with pytest.raises(ExclusionViolation):
            connection.execute("update appointment set counter_id = %s where reference = 'A'", (place.counters[1],))
        with pytest.raises(ExclusionViolation):
            connection.execute("update appointment set status = 'BOOKED' where reference = 'E0'")
        with pytest.raises(CheckViolation):
            book(connection, place, "F", 90, end=NOW)


async def test_two_appointments_may_change_places_in_one_transaction(database_url: str, place: Place) -> None:
    with psycopg.connect(database_url) as connection:
        one, other = book(connection, place, "A", 0), book(connection, place, "B", 0, counter=place.counters[1])
        connection.commit()
        connection.execute("set constraints appointment_counter_once deferred")
        for who, counter in ((one, place.counters[1]), (other, place.counters[0])):
            connection.execute("update appointment set counter_id = %s where id = %s", (counter, who))
        connection.commit()
        connection.execute("set constraints appointment_counter_once deferred")
        connection.execute("update appointment set counter_id = %s", (place.counters[0],))
        with pytest.raises(ExclusionViolation):
            connection.commit()


async def test_an_agent_cannot_be_at_two_places_and_follows_the_appointment(database_url: str, place: Place) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        one = book(connection, place, "A", 0)
        other = book(connection, place, "B", 0, counter=place.counters[1])
        connection.execute(SEAT, (place.office, one, place.agents[0]))
        with pytest.raises(ExclusionViolation):
            connection.execute(SEAT, (place.office, other, place.agents[0]))
        connection.execute("update appointment set status = 'CANCELLED' where id = %s", (one,))
        connection.execute(SEAT, (place.office, other, place.agents[0]))
        with pytest.raises(ExclusionViolation):
            connection.execute("update appointment set status = 'BOOKED' where id = %s", (one,))


FIXED = [
    ("75", date(2027, 7, 14), True),
    ("75", date(2027, 3, 26), False),
    ("67", date(2027, 3, 26), True),  # Good Friday in Alsace and Moselle
    ("57", date(2027, 12, 26), True),
    ("68", date(2027, 12, 26), True),
    ("75", date(2027, 12, 26), False),
    ("974", date(2027, 12, 20), True),
    ("971", date(2027, 5, 27), True),
    ("972", date(2027, 5, 22), True),
    ("973", date(2027, 6, 10), True),
    ("976", date(2027, 4, 27), True),
    ("75", date(2027, 5, 27), False),
    ("988", date(2027, 9, 24), True),
    ("75", date(2027, 9, 24), False),
]


@pytest.mark.parametrize(("departement", "day", "closed"), FIXED)
def test_a_departement_has_its_own_holidays(departement: str, day: date, closed: bool) -> None:
    assert Holidays({}).on(departement, day, day) == (frozenset({day}) if closed else frozenset())


def test_the_administrations_word_beats_the_calendar_and_the_departements_the_nations() -> None:
    bastille, bridge = date(2027, 7, 14), date(2027, 5, 7)
    holidays = Holidays({("75", bastille): False, ("FR", bridge): True, ("69", bridge): False})
    assert holidays.on("75", bastille, bastille) == frozenset()
    assert holidays.on("69", bastille, bastille) == {bastille}
    assert holidays.on("75", bridge, bridge) == {bridge}
    assert holidays.on("69", bridge, bridge) == frozenset()
