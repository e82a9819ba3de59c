"""An office that is open through the night: who stands over midnight binds two days to each other."""

from datetime import UTC, datetime, timedelta

from rdv.models.appointments import Appointment
from rdv.models.bookings import local_day
from rdv.models.database import Database
from rdv.models.offices import Counter
from rdv.models.planning import Opening
from tests.api.conftest import Api
from tests.api.steps import hold, search
from tests.places import NOW, add, add_office

EVENING = datetime(2027, 3, 3, 22, 0, tzinfo=UTC)  # 23:00 in Paris


async def test_a_chain_that_reaches_the_next_day_over_midnight_makes_room(api: Api, database: Database) -> None:
    place = await add_office(database, hours=(22 * 60, 24 * 60), step_minutes=5)
    await add(database, Opening(office_id=place.office, weekdays=[1, 2, 3, 4, 5], start_minute=0, end_minute=120))
    reasons = place.reasons
    first, second, third = await add(
        database,
        *(
            Counter(office_id=place.office, label="Guichet", reason_ids=[reasons[name] for name in names])
            for names in (("correct", "survey"), ("survey", "declare"), ("declare",))
        ),
    )
    async with database.transaction() as connection:
        await connection.exec_driver_sql("update counter set retired = true where id = %s", (place.counters[0],))

    def standing(reference: str, reason: str, counter: int, minute: int, lasts: int) -> Appointment:
        start = EVENING + timedelta(minutes=minute)
        end = start + timedelta(minutes=lasts)
        return Appointment(
            office_id=place.office,
            reference=reference,
            status="BOOKED",
            reason_id=reasons[reason],
            day=local_day(start, "Europe/Paris"),
            starts_at=start,
            ends_at=end,
            occupied_until=end,
            channel="INTERNET",
            modality="IN_PERSON",
            counter_id=counter,
            created_at=NOW,
        )

    over_midnight, tomorrow = await add(
        database, standing("A", "survey", first, 40, 45), standing("B", "declare", second, 75, 30)
    )
    at = "2027-03-03T23:30:00+01:00"
    offered = (await search(api, place, "correct", **{"from": "2027-03-03", "to": "2027-03-03"}))["days"]
    assert at in offered[0]["starts"]
    assert (await hold(api, place, at, "correct"))["__typename"] == "Hold"
    async with database.reading() as connection:
        rows = await connection.exec_driver_sql("select id, counter_id from appointment")
        seats = dict(map(tuple, rows))
    assert (seats.pop(over_midnight), seats.pop(tomorrow)) == (second, third)
    assert list(seats.values()) == [first]
