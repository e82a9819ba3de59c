"""What nobody can ask for any more goes each night; what somebody may still ask for stays."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from rdv.app import open_services, work
from rdv.models import jobs, tidying
from rdv.models.database import Database
from rdv.models.holiday_changes import HolidayChange, HolidayJudged
from tests.api.conftest import Api
from tests.api.steps import booked, cancel, confirm, hold, search
from tests.places import add, add_office

TEN, ELEVEN, TOMORROW = (f"2027-03-{at}:00:00+01:00" for at in ("01T10", "01T11", "02T10"))
LEFT = "select (select count(*) from idempotency_key), (select array_agg(status order by status) from appointment)"

CHANGES = "select (select array_agg(on_date) from holiday_change), (select count(*) from holiday_judged)"


async def left(database: Database) -> tuple[int, list[str] | None]:
    async with database.reading() as connection:
        keys, statuses = (await connection.execute(text(LEFT))).one()
    return keys, statuses


async def test_keys_and_holds_of_a_month_ago_go_and_appointments_stay(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "BATCH", 1)  # several batches
    place = await add_office(database, counters=3)
    await hold(api, place, TOMORROW, idempotencyKey="tomorrow")
    swept = await hold(api, place, TEN, idempotencyKey="ten")
    await cancel(api, await booked(api, place, TEN))
    made = await confirm(api, (await hold(api, place, ELEVEN))["token"], idempotencyKey="eleven")
    api.clock.forward(minutes=30)
    await hold(api, place, TEN)  # frees the place of the one before
    assert swept["__typename"] == "Hold"
    assert await left(database) == (3, ["BOOKED", "CANCELLED", "CANCELLED", "HELD", "HELD"])
    api.clock.forward(days=29)
    assert await tidying.tidy(database, api.clock()) == 0
    api.clock.forward(days=3)
    assert await tidying.tidy(database, api.clock()) == 3 + 3
    assert await left(database) == (0, ["BOOKED", "CANCELLED"])
    seen = {"reference": made["appointment"]["reference"], "accessCode": made["accessCode"]}
    assert (await api.data("appointment", seen))["appointment"]["status"] == "BOOKED"


async def test_what_is_to_come_stays_however_long_ago_it_was_asked_for(api: Api, database: Database) -> None:
    place = await add_office(database, max_lead_days=90)
    far = {"from": "2027-05-03", "to": "2027-05-03"}
    wanted: dict[str, Any] = await search(api, place, **far)
    await hold(api, place, wanted["days"][0]["starts"][0], idempotencyKey="far")
    assert await tidying.tidy(database, api.clock() + timedelta(days=40)) == 1  # the key alone
    assert await left(database) == (0, ["HELD"])


async def test_a_holiday_that_a_worker_is_done_with_goes_and_one_that_it_is_not_stays(
    api: Api, database: Database
) -> None:
    place = await add_office(database)
    made: dict[str, Any] = {"made_at": api.clock(), "made_by_kind": "ADMINISTRATOR"}
    done, _ = await add(
        database,
        HolidayChange(territory="FR", on_date=date(2027, 3, 3), finished_at=api.clock(), **made),
        HolidayChange(territory="FR", on_date=date(2027, 3, 4), **made),
    )
    await add(database, HolidayJudged(holiday_change_id=done, office_id=place.office))
    assert await tidying.tidy(database, api.clock() + timedelta(days=30)) == 0
    assert await tidying.tidy(database, api.clock() + timedelta(days=31)) == 1
    async with database.reading() as connection:
        assert (await connection.execute(text(CHANGES))).one() == ([date(2027, 3, 4)], 0)


async def test_a_worker_does_it(api: Api, database: Database) -> None:
    place = await add_office(database)
    await hold(api, place, TEN, idempotencyKey="ten")
    api.clock.forward(days=40)
    services = open_services(api.settings, api.clock)
    async with database.transaction() as connection:
        await jobs.enqueue(connection, "tidy", timestamp=0)
    try:
        await work(api.settings, services, once=True)
    finally:
        await services.close()
    assert await left(database) == (0, None)
