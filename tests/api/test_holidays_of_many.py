"""A holiday that concerns many offices holds at once, and a worker goes on with them one by one."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text

from rdv.app import open_services
from rdv.errors import Busy, DatabaseUnavailable
from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models import jobs, planning_reads
from rdv.models.database import Database
from rdv.usecases import judging_holidays, public_holidays
from tests.api.conftest import Api
from tests.api.query_cases.many_offices import national
from tests.api.staff import change, head_of
from tests.api.steps import booked, move
from tests.api.test_changes import rows
from tests.api.test_many_offices import count, holiday, somebody_waits, two_offices, waiting_decisions
from tests.places import Place, add_office

TEN, THURSDAY = "2027-03-03T10:00:00+01:00", "2027-03-04T10:00:00+01:00"
GIVEN = {"territory": "FR", "date": "2027-03-03", "closed": True}
CHANGES = (
    "select territory, on_date, closed, made_by, made_by_kind, attempts, finished_at from holiday_change order by id"
)


@pytest.fixture(autouse=True)
def _many_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_holidays, "JUDGED_AT_ONCE", 1)


async def two_that_expect_somebody(api: Api, database: Database, **columns: Any) -> tuple[Place, Place]:
    places = await two_offices(database, **columns)
    for one in places:
        await booked(api, one, TEN)
    return places


async def found(database: Database, statement: str) -> list[Any]:
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def everything(database: Database) -> list[Any]:
    others = ("holiday", "holiday_change", "procrastinate_jobs", "national_version")
    return [await rows(database), *[await found(database, f"select * from {one}") for one in others]]


async def stranded(database: Database) -> list[int]:
    """Return the offices of those who lost their place."""
    return [
        one for (one,) in await found(database, "select office_id from appointment where stranded_since is not null")
    ]


async def told(api: Api, place: Place) -> list[tuple[str, dict[str, Any]]]:
    """Return who changed an office and what for, the latest first."""
    listed = await api.data("planning_history", {"officeId": place.office}, who=head_of(api, place))
    changes = [(one["madeBy"], one["changes"][0]) for one in listed["planningHistory"] if one["changes"]]
    assert {one["code"] for _, one in changes} <= {"SET_HOLIDAY"}
    return [(by, one["given"]) for by, one in changes]


async def test_a_holiday_of_many_offices_holds_at_once_and_a_worker_goes_on(api: Api, database: Database) -> None:
    places = await two_that_expect_somebody(api, database)
    done = await holiday(api, "FR", acceptStranded=True)
    assert (done["__typename"], done["changed"], done["later"]) == ("OfficesChanged", [], 2)
    assert [await count(api, one) for one in places] == [0, 0]
    assert (await stranded(database), [await told(api, one) for one in places]) == ([], [[], []])
    await api.work()
    assert sorted(await stranded(database)) == [one.office for one in places]
    assert [await told(api, one) for one in places] == [[("national", GIVEN)]] * 2
    kinds = "select distinct made_by_kind from office_revision where number > 0"
    assert await found(database, kinds) == [("ADMINISTRATOR",)]
    now = datetime(2027, 3, 1, 7, tzinfo=UTC)
    assert await found(database, CHANGES) == [
        ("FR", date(2027, 3, 3), True, "national", "ADMINISTRATOR", 1, now),
    ]
    assert await found(database, "select * from procrastinate_jobs") == []


async def test_other_times_are_held_for_whom_a_worker_finds_without_a_place(api: Api, database: Database) -> None:
    places = await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    await api.work()
    held = "select office_id from appointment where proposal_for is not null and status = 'HELD' order by 1"
    assert await found(database, held) == [(one.office,) for one in places]


async def test_few_offices_are_not_left_to_a_worker(api: Api, database: Database) -> None:
    here, elsewhere = await two_offices(database)
    await booked(api, here, TEN)
    done = await holiday(api, "FR", acceptStranded=True)
    assert ([one["office"]["id"] for one in done["changed"]], done["later"]) == ([str(here.office)], 0)
    assert await found(database, "select * from holiday_change") == []
    assert await count(api, elsewhere) == 0


async def test_who_would_lose_their_place_in_the_first_offices_is_named_and_nothing_remains(
    api: Api, database: Database
) -> None:
    places = await two_offices(database)
    keys = [await booked(api, one, TEN) for one in places]
    before = await everything(database)
    refused = await holiday(api, "FR")
    assert (refused["__typename"], refused["count"]) == ("WouldStrand", 1)
    assert [one["reference"] for one in refused["appointments"]] == [keys[0]["reference"]]
    assert (
        refused["message"] == "Rendez-vous qui perdraient leur place, rien que dans les 1 premiers services sur 2 : 1."
    )
    assert await everything(database) == before


async def test_many_offices_need_the_word_even_if_nobody_in_the_first_would_lose_their_place(
    api: Api, database: Database
) -> None:
    places = await two_that_expect_somebody(api, database)
    hours = [{"startTime": "09:00", "endTime": "12:00"}]
    await change(api, places[0], "set_exception", onDate="2027-03-03", ranges=hours)
    before = await everything(database)
    refused = await holiday(api, "FR")
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "acceptStranded")
    assert refused["message"].startswith("2 services attendent quelqu’un ce jour-là")
    assert await everything(database) == before


async def test_who_may_not_change_one_of_many_offices_says_nothing_of_the_day(api: Api, database: Database) -> None:
    await two_that_expect_somebody(api, database, departement="974")
    api.viewers.known["paris"] = Viewer(
        kind=ViewerKind.ADMINISTRATOR,
        subject="paris",
        profile=Profile.NATIONAL,
        scope=Scope.DEPARTEMENT,
        departement="75",
    )
    before = await everything(database)
    assert (await holiday(api, "FR", who="paris", acceptStranded=True))["__typename"] == "NotAllowed"
    assert await everything(database) == before


async def test_a_holiday_and_its_job_are_written_together_or_not_at_all(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_that_expect_somebody(api, database)
    enqueue = jobs.enqueue

    async def broken(*given: Any, **ids: int) -> None:
        await enqueue(*given, **ids)
        raise RuntimeError

    before = await everything(database)
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "enqueue", broken)
        wanted = {"input": GIVEN | {"acceptStranded": True}}
        assert (await api.refusal("set_holiday", wanted, who=national(api)))["code"] == "INTERNAL"
    assert await everything(database) == before
    await holiday(api, "FR", acceptStranded=True)
    assert await found(database, "select territory, on_date, closed from holiday") == [("FR", date(2027, 3, 3), True)]
    assert await found(database, "select task_name from procrastinate_jobs") == [("judge_holiday",)]


async def test_a_job_is_told_the_number_of_a_change_alone(api: Api, database: Database) -> None:
    await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    ((change_id,),) = await found(database, "select id from holiday_change")
    assert await found(database, "select args from procrastinate_jobs") == [({"holiday_change_id": change_id},)]


async def test_a_departement_of_many_offices_is_gone_on_with_alike(api: Api, database: Database) -> None:
    here, there = await two_that_expect_somebody(api, database, departement="974")
    third = await add_office(database, code="sip-3", reasons=here.reasons, departement="974")
    await booked(api, third, TEN)
    assert (await holiday(api, "974", acceptStranded=True))["later"] == 2
    await api.work()
    assert sorted(await stranded(database)) == [there.office, third.office]
    assert await told(api, there) == [("national", GIVEN | {"territory": "974"})]
    assert (await told(api, here), await count(api, here)) == ([], 8)


@pytest.mark.parametrize("closed", [None, False])
async def test_a_worker_gives_places_back_when_the_day_is_none_any_more(
    api: Api, database: Database, closed: bool | None
) -> None:
    places = await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    await api.work()
    assert len(await stranded(database)) == 2
    assert (await holiday(api, "FR", acceptStranded=True, closed=closed))["later"] == 2
    await api.work()
    assert await stranded(database) == []
    assert [await count(api, one) for one in places] == [8, 8]


async def test_of_two_words_on_a_day_the_last_one_holds_and_histories_tell_of_it_alone(
    api: Api, database: Database
) -> None:
    places = await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    await holiday(api, "FR", acceptStranded=True, closed=False)
    await api.work()
    assert await stranded(database) == []
    assert [await told(api, one) for one in places] == [[("national", GIVEN | {"closed": False})]] * 2


async def test_a_job_that_is_done_again_skips_the_offices_that_are_done(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    everywhere = judging_holidays.everywhere

    async def stopped(*given: Any) -> Any:
        if given[3] == [places[1].office]:
            raise asyncio.CancelledError
        return await everywhere(*given)

    services = open_services(api.settings, api.clock)
    ((change_id,),) = await found(database, "select id from holiday_change")
    with monkeypatch.context() as patched:
        patched.setattr(judging_holidays, "everywhere", stopped)
        with pytest.raises(asyncio.CancelledError):
            await judging_holidays.judge_holiday(services, change_id)
    await services.close()
    assert await stranded(database) == [places[0].office]
    await api.work()
    assert sorted(await stranded(database)) == [one.office for one in places]
    assert [await told(api, one) for one in places] == [[("national", GIVEN)]] * 2


async def test_two_workers_at_the_same_job_judge_each_office_once(api: Api, database: Database) -> None:
    places = await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    services = open_services(api.settings, api.clock)
    ((change_id,),) = await found(database, "select id from holiday_change")
    await asyncio.gather(*(judging_holidays.judge_holiday(services, change_id) for _ in range(2)))
    await services.close()
    assert [await told(api, one) for one in places] == [[("national", GIVEN)]] * 2


def failing(monkeypatch: pytest.MonkeyPatch, office: int, error: Exception, *, times: int) -> None:
    """Let an office fail some times."""
    everywhere, left = judging_holidays.everywhere, [error] * times

    async def sometimes(*given: Any) -> Any:
        if given[3] == [office] and left:
            raise left.pop()
        return await everywhere(*given)

    monkeypatch.setattr(judging_holidays, "everywhere", sometimes)


async def test_an_office_that_fails_keeps_the_others_from_nothing_and_is_named(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    places = await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    with monkeypatch.context() as patched:
        failing(patched, places[0].office, RuntimeError(), times=judging_holidays.ROUNDS)
        await api.work()
    assert await stranded(database) == [places[1].office]
    assert await found(database, "select status from procrastinate_jobs where task_name = 'judge_holiday'") == [
        ("failed",)
    ]
    assert await found(database, "select finished_at from holiday_change") == [(None,)]
    logged = [one.getMessage() for one in caplog.records if one.name == "rdv.holidays"]
    assert len(logged) == judging_holidays.ROUNDS
    assert all(one.endswith(f"is not judged at office {places[0].office}") for one in logged)
    await holiday(api, "FR", acceptStranded=True)
    await api.work()
    assert sorted(await stranded(database)) == [one.office for one in places], "saying it again makes up for it"


async def test_an_office_that_collides_is_tried_again_after_the_others(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    places = await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    failing(monkeypatch, places[0].office, Busy("x"), times=judging_holidays.ROUNDS - 1)
    await api.work()
    assert sorted(await stranded(database)) == [one.office for one in places]
    assert [one for one in caplog.records if one.name == "rdv.holidays"] == []


async def test_a_job_from_which_the_database_went_away_is_done_again(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    failing(monkeypatch, places[0].office, RuntimeError(), times=1)

    async def away(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(Database, "check", away)
    await api.work()
    assert sorted(await stranded(database)) == [one.office for one in places]
    assert await found(database, "select attempts from holiday_change") == [(2,)]


async def test_a_job_that_was_begun_too_often_is_given_up(api: Api, database: Database) -> None:
    await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    async with database.transaction() as connection:
        await connection.execute(text(f"update holiday_change set attempts = {judging_holidays.MOST_ATTEMPTS}"))
    await api.work()
    assert await found(database, "select status from procrastinate_jobs") == [("failed",)]
    assert await stranded(database) == []


async def test_a_worker_waits_for_who_was_being_booked_when_the_holiday_was_set(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = await two_that_expect_somebody(api, database)
    third = await add_office(database, code="sip-3", reasons=places[0].reasons)
    keys = await booked(api, third, THURSDAY)
    decided, go = waiting_decisions(monkeypatch)
    moving = asyncio.create_task(move(api, keys, TEN))
    await decided.wait()
    assert (await holiday(api, "FR", acceptStranded=True))["later"] == 2
    working = asyncio.create_task(api.work())
    while not await somebody_waits(database):
        assert not working.done()
        await asyncio.sleep(0.01)
    go.set()
    assert (await moving)["__typename"] == "AppointmentConfirmed"
    await working
    assert sorted(await stranded(database)) == [*[one.office for one in places], third.office]


async def test_waiting_for_bookings_is_tried_again_when_it_collides_with_them(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_that_expect_somebody(api, database)
    await holiday(api, "FR", acceptStranded=True)
    await_bookings, left = planning_reads.await_bookings, [Busy("x")]

    async def sometimes(*given: Any) -> None:
        if left:
            raise left.pop()
        await await_bookings(*given)

    monkeypatch.setattr(planning_reads, "await_bookings", sometimes)
    await api.work()
    assert len(await stranded(database)) == 2
