"""An office's own parameters, as usagers feel them."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from rdv.models.database import Database
from rdv.models.planning import Closure
from tests.api.conftest import Api
from tests.api.staff import change, head_of
from tests.api.steps import booked, cancel, confirm, hold, move, search
from tests.api.test_changes import rows
from tests.places import Place, add, add_office

WEDNESDAY = {"from": "2027-03-03", "to": "2027-03-03"}
TEN = "2027-03-03T10:00:00+01:00"


EXPLAINED = """query($input: SlotsInput!) {
  slots(input: $input) { count days { slots { start remaining } } why { code starts detail } }
}"""


async def explained(api: Api, place: Place, reason: str = "declare") -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons[reason]} | WEDNESDAY
    return dict((await api.data(EXPLAINED, {"input": wanted}))["slots"])


async def last_day(api: Api, place: Place) -> str | None:
    days = (await search(api, place, **{"from": "2027-03-01", "to": "2027-04-15"}))["days"]
    return days[-1]["date"] if days else None


async def test_another_day_opens_at_the_offices_own_time(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "set_parameters", maxLeadDays=3, openTime="09:30")
    assert await last_day(api, place) == "2027-03-03", "08:00: Thursday has not opened yet"
    api.clock.forward(minutes=89)
    assert await last_day(api, place) == "2027-03-03"
    api.clock.forward(minutes=1)
    assert await last_day(api, place) == "2027-03-04"
    api.clock.now = datetime(2027, 3, 2, 0, 30, tzinfo=UTC)
    assert await last_day(api, place) == "2027-03-04", "midnight opens nothing"


async def test_a_day_that_has_not_opened_cannot_be_booked_either(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "set_parameters", maxLeadDays=2, openTime="09:30")
    assert (await hold(api, place, TEN))["__typename"] == "InvalidInput"
    api.clock.forward(minutes=90)
    assert (await hold(api, place, TEN))["__typename"] == "Hold"


async def test_the_horizon_may_count_open_days_only(api: Api, database: Database) -> None:
    place = await add_office(database)
    await add(
        database,
        Closure(
            office_id=place.office,
            from_date=date(2027, 3, 3),
            from_minute=0,
            to_date=date(2027, 3, 4),
            to_minute=1440,
        ),
    )
    await change(api, place, "set_parameters", maxLeadDays=5, leadInOpenDays=True)
    # Tuesday, Friday, Monday, Tuesday, Wednesday: Wednesday and Thursday are closed, and the weekend.
    assert await last_day(api, place) == "2027-03-10"
    assert (await hold(api, place, "2027-03-10T10:00:00+01:00"))["__typename"] == "Hold"
    refused = await hold(api, place, "2027-03-11T10:00:00+01:00")
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "start")


async def test_open_days_are_counted_from_today_however_far_one_looks(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "set_parameters", maxLeadDays=100, leadInOpenDays=True)
    far = (await search(api, place, **{"from": "2027-07-01", "to": "2027-08-20"}))["days"]
    # Weekdays but Easter Monday, Ascension, Whit Monday and 14 July: twenty weeks and four days.
    assert far[-1]["date"] == "2027-07-23"


async def test_days_may_open_by_publication_only(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "set_parameters", autoOpen=False)
    assert await last_day(api, place) is None
    (why,) = {w["detail"] for w in (await explained(api, place))["why"] if w["code"] == "HORIZON"}
    assert why.endswith("pas encore publié")
    await change(api, place, "set_parameters", publishedUntil="2027-03-10")
    assert await last_day(api, place) == "2027-03-10"
    await change(api, place, "set_parameters", maxLeadDays=2)
    assert await last_day(api, place) == "2027-03-03", "the horizon holds as well"


async def test_a_day_opens_by_the_clock_of_an_office_overseas(api: Api, database: Database) -> None:
    place = await add_office(database, time_zone="Pacific/Noumea", hours=(8 * 60, 11 * 60))
    # 08:00 in Paris is 18:00 on the same Monday in Nouméa.
    await change(api, place, "set_parameters", maxLeadDays=2, openTime="19:00")
    assert await last_day(api, place) == "2027-03-02"
    api.clock.forward(hours=1)
    assert await last_day(api, place) == "2027-03-03"


async def test_a_cancelled_time_is_not_offered_again_at_once(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "set_parameters", resaleDelayMinutes=30)
    await cancel(api, await booked(api, place, TEN))

    async def offered() -> bool:
        (day,) = (await search(api, place, **WEDNESDAY))["days"]
        return TEN in day["starts"]

    assert not await offered()
    assert (await hold(api, place, TEN))["__typename"] == "SlotTaken"
    api.clock.forward(minutes=30)
    assert await offered()
    assert (await hold(api, place, TEN))["__typename"] == "Hold"


async def test_a_usager_has_no_more_appointments_in_a_period_than_the_office_allows(
    api: Api, database: Database
) -> None:
    place = await add_office(database)
    await change(api, place, "set_parameters", mostPerUsagerInPeriod=1, usagerPeriodDays=7)
    keys = await booked(api, place, TEN)
    near = (await hold(api, place, "2027-03-09T10:00:00+01:00"))["token"]
    refused = await confirm(api, near)
    assert (refused["__typename"], refused["limit"]) == ("TooManyAppointments", 1)
    far = (await hold(api, place, "2027-03-10T10:00:00+01:00"))["token"]
    assert (await confirm(api, far))["__typename"] == "AppointmentConfirmed"
    await cancel(api, keys)
    assert (await hold(api, place, "2027-03-02T10:00:00+01:00"))["__typename"] == "Hold"


async def test_a_reasons_quota_ends_its_day_for_everything_under_it(api: Api, database: Database) -> None:
    place = await add_office(database, counters=3)
    await change(api, place, "set_reason_quota", reasonId=place.reasons["income"], mostADay=2)
    found = await explained(api, place)
    assert {one["remaining"] for one in found["days"][0]["slots"]} == {2}, "three counters, but two appointments"
    await booked(api, place, TEN)
    await hold(api, place, TEN, "correct")
    for reason in ("declare", "correct"):
        left = await explained(api, place, reason)
        assert left["count"] == 0
        quota = next(one for one in left["why"] if one["code"] == "QUOTA")
        assert quota["starts"] + sum(one["starts"] for one in left["why"] if one["code"] != "QUOTA") == 12
        assert "quota" in quota["detail"]
    assert (await search(api, place, "survey", **WEDNESDAY))["count"] > 0
    refused = await hold(api, place, "2027-03-03T11:00:00+01:00")
    assert refused["__typename"] == "SlotTaken"
    assert all(not one["start"].startswith("2027-03-03") for one in refused["alternatives"])
    thursday = await search(api, place, **{"from": "2027-03-04", "to": "2027-03-04"})
    assert thursday["count"] == 11


async def test_moving_within_a_day_whose_quota_is_used_up_is_possible(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "set_reason_quota", reasonId=place.reasons["declare"], mostADay=1)
    keys = await booked(api, place, TEN)
    assert (await move(api, keys, "2027-03-03T11:00:00+01:00"))["__typename"] == "AppointmentConfirmed"


async def test_a_quota_is_never_exceeded_by_bookings_at_the_same_moment(api: Api, database: Database) -> None:
    place = await add_office(database, counters=5)
    await change(api, place, "set_reason_quota", reasonId=place.reasons["declare"], mostADay=3)
    starts = [f"2027-03-03T{hour:02}:00:00+01:00" for hour in (9, 10, 11)] * 3
    answers = await asyncio.gather(*(hold(api, place, start) for start in starts))
    assert sorted(one["__typename"] for one in answers) == ["Hold"] * 3 + ["SlotTaken"] * 6


async def test_earliest_slots_pass_over_a_day_whose_quota_is_used_up(api: Api, database: Database) -> None:
    place = await add_office(database)
    await change(api, place, "set_reason_quota", reasonId=place.reasons["declare"], mostADay=1)
    await booked(api, place, "2027-03-01T10:00:00+01:00")
    wanted = {"reasonId": place.reasons["declare"], "officeIds": [place.office]}
    (found,) = (await api.data("earliest_slots", {"input": wanted}))["earliestSlots"]
    assert found["slot"]["start"] == "2027-03-02T09:00:00+01:00"


async def test_time_kept_for_a_channel_is_not_offered_to_the_others(api: Api, database: Database) -> None:
    place = await add_office(database)  # three hours a day: six visits of half an hour
    await change(api, place, "set_channel_share", channel="OFFICE", percent=50)
    for start in ("09:00", "09:30", "10:00"):
        await hold(api, place, f"2027-03-03T{start}:00+01:00")
    left = await explained(api, place)
    assert left["count"] == 0
    assert "KEPT" in {one["code"] for one in left["why"]}
    assert (await hold(api, place, "2027-03-03T11:00:00+01:00"))["__typename"] == "SlotTaken"
    head = head_of(api, place)
    assert (await search(api, place, who=head, **WEDNESDAY))["count"] > 0
    assert (await hold(api, place, "2027-03-03T11:00:00+01:00", who=head))["__typename"] == "Hold"


async def test_what_is_left_out_stays_as_it_is(api: Api, database: Database) -> None:
    place = await add_office(database)
    before = (await change(api, place, "set_parameters"))["office"]["parameters"]
    after = (await change(api, place, "set_parameters", holdSeconds=300))["office"]["parameters"]
    assert after == before | {"holdSeconds": 300}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"stepMinutes": -1}, "stepMinutes"),
        ({"stepMinutes": 1441}, "stepMinutes"),
        ({"minLeadMinutes": -1}, "minLeadMinutes"),
        ({"maxLeadDays": -2}, "maxLeadDays"),
        ({"openTime": "24:00"}, "openTime"),
        ({"holdSeconds": 0}, "holdSeconds"),
        ({"resaleDelayMinutes": 10_081}, "resaleDelayMinutes"),
        ({"freezeDaysBefore": 31}, "freezeDaysBefore"),
        ({"maxAppointmentsPerUsager": 0}, "maxAppointmentsPerUsager"),
        ({"publishedUntil": "9999-01-01"}, "publishedUntil"),
    ],
)
async def test_a_parameter_out_of_bounds_is_named_and_changes_nothing(
    api: Api, database: Database, given: dict[str, Any], field: str
) -> None:
    place = await add_office(database)
    before = await rows(database)
    refused = await change(api, place, "set_parameters", **given)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
    assert await rows(database) == before


@pytest.mark.parametrize(
    ("document", "given", "field"),
    [
        ("set_reason_quota", {"reasonId": "987654", "mostADay": 1}, "reasonId"),
        ("set_reason_quota", {"mostADay": -1}, "mostADay"),
        ("set_channel_share", {"channel": "OFFICE", "percent": 0}, "percent"),
        ("set_channel_share", {"channel": "OFFICE", "percent": 61}, "percent"),
    ],
)
async def test_quotas_that_make_no_sense_are_named(
    api: Api, database: Database, document: str, given: dict[str, Any], field: str
) -> None:
    place = await add_office(database)
    await change(api, place, "set_channel_share", channel="INTERNET", percent=40)
    if document == "set_reason_quota":
        given = {"reasonId": place.reasons["declare"]} | given
    refused = await change(api, place, document, **given)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
