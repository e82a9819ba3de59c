"""A whole set of offices is changed together, or none of it."""

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from rdv.models import planning_reads
from rdv.models import rows as write
from rdv.models.database import Database
from rdv.models.planning import Holiday
from rdv.usecases import appointments
from tests.api.conftest import Api
from tests.api.query_cases.many_offices import national
from tests.api.staff import change, head_of
from tests.api.steps import booked, hold, move, search
from tests.api.test_changes import hold_over_beside_a_booking, rows
from tests.places import Place, add_office

TEN = "2027-03-03T10:00:00+01:00"
WEDNESDAY = {"from": "2027-03-03", "to": "2027-03-03"}
BACKWARDS = [{"addClosure": {"fromDate": "2027-03-03", "toDate": "2027-03-02"}}]
CLOSED = [{"addClosure": {"fromDate": "2027-03-03", "toDate": "2027-03-03"}}]


async def two_offices(database: Database, **columns: Any) -> tuple[Place, Place]:
    first = await add_office(database)
    return first, await add_office(database, code="sip-2", reasons=first.reasons, **columns)


async def closed(api: Api, *places: Place, who: str | None = None, **more: Any) -> dict[str, Any]:
    wanted = {"officeIds": [one.office for one in places], "changes": CLOSED} | more
    answer = await api.data("change_offices", {"input": wanted}, who=who or national(api))
    return dict(answer["changeOffices"])


async def count(api: Api, place: Place) -> int:
    return int((await search(api, place, **WEDNESDAY))["count"])


async def test_every_office_of_the_set_is_changed(api: Api, database: Database) -> None:
    places = await two_offices(database)
    done = await closed(api, *places)
    assert [one["office"]["id"] for one in done["changed"]] == [str(one.office) for one in places]
    assert [await count(api, one) for one in places] == [0, 0]


async def test_if_somebody_would_be_stranded_in_one_office_none_is_changed(api: Api, database: Database) -> None:
    places = await two_offices(database)
    keys = await booked(api, places[1], TEN)
    before = await rows(database)
    refused = await closed(api, *places)
    assert (refused["__typename"], [one["reference"] for one in refused["appointments"]]) == (
        "WouldStrand",
        [keys["reference"]],
    )
    assert await rows(database) == before
    done = await closed(api, *places, acceptStranded=True)
    assert [len(one["stranded"]) for one in done["changed"]] == [0, 1]
    assert done["changed"][1]["stranded"][0]["proposal"]["start"] == "2027-03-02T11:30:00+01:00"


async def test_somebody_elses_office_in_the_set_spoils_it_all(api: Api, database: Database) -> None:
    places = await two_offices(database)
    before = await rows(database)
    assert (await closed(api, *places, who=head_of(api, places[0])))["__typename"] == "NotAllowed"
    assert await rows(database) == before


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"officeIds": None}, "officeIds"),
        ({"departement": "75"}, "officeIds"),
        ({"officeIds": None, "departement": "seventy"}, "departement"),
        (
            {"changes": [{"addClosure": {"fromDate": "2027-03-03", "toDate": "2027-03-02"}}]},
            "changes[0].addClosure.toDate",
        ),
    ],
)
async def test_a_set_or_a_change_that_makes_no_sense_is_named(
    api: Api, database: Database, given: dict[str, Any], field: str
) -> None:
    places = await two_offices(database)
    refused = await closed(api, *places, **given)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)


async def holiday(api: Api, territory: str, who: str | None = None, **more: Any) -> dict[str, Any]:
    wanted = {"territory": territory, "date": "2027-03-03", "closed": True} | more
    answer = await api.data("set_holiday", {"input": wanted}, who=who or national(api))
    return dict(answer["setHoliday"])


async def test_a_holiday_closes_the_offices_of_its_territory_and_can_be_taken_back(
    api: Api, database: Database
) -> None:
    here, elsewhere = await two_offices(database, departement="974")
    await holiday(api, "974")
    assert [await count(api, one) for one in (here, elsewhere)] == [11, 0]
    await holiday(api, "974", closed=None)
    assert [await count(api, one) for one in (here, elsewhere)] == [11, 11]
    await holiday(api, "FR")
    await holiday(api, "974", closed=False)
    assert [await count(api, one) for one in (here, elsewhere)] == [0, 11]


async def test_a_holiday_strands_nobody_silently(api: Api, database: Database) -> None:
    here, elsewhere = await two_offices(database, departement="974")
    keys = await booked(api, here, TEN)
    before = await rows(database)
    refused = await holiday(api, "FR")
    assert [one["reference"] for one in refused["appointments"]] == [keys["reference"]]
    assert await rows(database) == before
    assert await count(api, elsewhere) == 11
    done = await holiday(api, "FR", acceptStranded=True)
    assert [one["office"]["id"] for one in done["changed"]] == [str(here.office)]
    assert done["changed"][0]["stranded"][0]["proposal"] is not None
    assert await count(api, elsewhere) == 0


async def test_an_office_that_decided_for_itself_keeps_its_day(api: Api, database: Database) -> None:
    place = await add_office(database)
    hours = [{"startTime": "09:00", "endTime": "10:00"}]
    await change(api, place, "set_exception", onDate="2027-03-03", ranges=hours)
    await holiday(api, "FR")
    assert await count(api, place) == 3


@pytest.mark.parametrize(("territory", "field"), [("fr", "territory"), ("", "territory"), ("1234", "territory")])
async def test_a_territory_that_there_is_not_is_refused(
    api: Api, database: Database, territory: str, field: str
) -> None:
    refused = await holiday(api, territory)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)


async def test_only_national_administrators_set_holidays(api: Api, database: Database) -> None:
    place = await add_office(database)
    assert (await holiday(api, "FR", who=head_of(api, place)))["__typename"] == "NotAllowed"


def waiting_decisions(monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Let bookings wait once they are decided; return what tells that one is, and what lets it go on."""
    decided, go = asyncio.Event(), asyncio.Event()
    decide = appointments.decide

    async def slowly(*given: Any, **more: Any) -> Any:
        found = await decide(*given, **more)
        decided.set()
        await go.wait()
        return found

    monkeypatch.setattr(appointments, "decide", slowly)
    return decided, go


WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


async def somebody_waits(database: Database) -> bool:
    async with database.reading() as connection:
        return bool((await connection.execute(text(WAITING))).scalar_one())


async def test_who_waits_while_a_holiday_is_set_gets_no_slot_on_it(api: Api, database: Database) -> None:
    place = await add_office(database)
    await search(api, place, **WEDNESDAY)  # the nation without it is known
    async with database.transaction() as connection:  # what setHoliday does, at one's leisure
        await write.add(connection, Holiday(territory="FR", on_date=date(2027, 3, 3)))
        await planning_reads.lock_office(connection, place.office)
        holding = asyncio.create_task(hold(api, place, TEN))
        while not await somebody_waits(database):
            assert not holding.done()
            await asyncio.sleep(0.01)
    refused = await holding
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "start")


async def test_who_sits_beside_a_hold_that_is_over_may_move_there(api: Api, database: Database) -> None:
    place, counter = await hold_over_beside_a_booking(api, database)
    retired = [{"retireCounter": {"counterId": str(counter)}}]
    done = await closed(api, place, changes=retired)
    assert [len(one["stranded"]) for one in done["changed"]] == [0]


async def test_who_is_being_booked_while_a_holiday_is_set_is_named_too(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await add_office(database)
    keys = await booked(api, place, "2027-03-04T10:00:00+01:00")
    decided, go = waiting_decisions(monkeypatch)
    moving = asyncio.create_task(move(api, keys, TEN))
    await decided.wait()
    wanted = {"territory": "FR", "date": "2027-03-03", "closed": True}
    setting = asyncio.create_task(api.data("set_holiday", {"input": wanted}, who=national(api)))
    while not await somebody_waits(database):
        assert not setting.done()
        await asyncio.sleep(0.01)
    go.set()
    assert (await moving)["__typename"] == "AppointmentConfirmed"
    assert [len(one["stranded"]) for one in (await setting)["setHoliday"]["changed"]] == [1]


async def test_a_holiday_is_in_the_history_of_the_offices_it_concerns(api: Api, database: Database) -> None:
    place = await add_office(database)
    await booked(api, place, TEN)
    given = {"territory": "FR", "date": "2027-03-03", "closed": True, "acceptStranded": True}
    await api.data("set_holiday", {"input": given}, who=national(api))
    found = await api.data("planning_history", {"officeId": place.office}, who=head_of(api, place))
    first = found["planningHistory"][0]["changes"][0]
    assert first == {"code": "SET_HOLIDAY", "given": {"territory": "FR", "date": "2027-03-03", "closed": True}}
