"""Templates and single days: what they make of an office's hours."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from rdv.engine.calendar import calendar_of, merged
from rdv.models.database import Database
from rdv.models.nation import NationCache
from rdv.models.offices import Counter
from rdv.models.planning import Opening
from rdv.models.situation import load_situations
from tests.api.conftest import Api
from tests.api.staff import change
from tests.api.steps import booked, search
from tests.api.test_changes import rows
from tests.places import NOW, Place, add, add_office

FIRST, LAST = date(2027, 3, 1), date(2027, 7, 31)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
NAMES = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
HOLIDAYS = {date(2027, month, day) for month, day in ((3, 29), (5, 1), (5, 6), (5, 8), (5, 17), (7, 14))}
Ranges = list[tuple[int, int]]


async def hours(database: Database, place: Place, counter: int = 0) -> dict[date, Ranges]:
    """Return what a counter's calendar says, in minutes of each day."""
    async with database.reading() as connection:
        nation = await NationCache().current(connection)
        found = await load_situations(connection, nation, [place.office], first=FIRST, last=LAST, now=NOW)
    instance = found[place.office].instance
    calendar = calendar_of(instance, next(c for c in instance.counters if c.id == str(place.counters[counter])))
    return {day: merged(calendar.ranges(day.toordinal())) for day in DAYS}


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def of(weekday: str | None, start: str, end: str, **more: Any) -> dict[str, Any]:
    return {"startTime": start, "endTime": end, **({"weekday": weekday} if weekday else {}), **more}


async def made(api: Api, place: Place, kind: str, ranges: Sequence[dict[str, Any]]) -> str:
    done = await change(api, place, "create_template", kind=kind, name="T", ranges=list(ranges))
    return str(done["madeIds"][0])


async def applied(api: Api, place: Place, template: str, first: str, **more: Any) -> dict[str, Any]:
    return await change(api, place, "apply_template", templateId=template, fromDate=first, **more)


async def test_a_week_template_holds_between_its_dates_and_what_was_there_before_goes_on_after(
    api: Api, database: Database
) -> None:
    place = await add_office(database)
    before = await hours(database, place)
    template = await made(api, place, "WEEK", [of("MONDAY", "08:00", "10:00"), of("MONDAY", "14:00", "16:00")])
    await applied(api, place, template, "2027-05-03", untilDate="2027-05-16")
    now = await hours(database, place)
    assert now[date(2027, 5, 3)] == now[date(2027, 5, 10)] == [(480, 600), (840, 960)]
    assert now[date(2027, 5, 4)] == []
    outside = [day for day in DAYS if not date(2027, 5, 3) <= day <= date(2027, 5, 16)]
    assert all(now[day] == before[day] for day in outside)


async def test_usagers_are_offered_what_the_template_says(api: Api, database: Database) -> None:
    place = await add_office(database, max_lead_days=90)
    template = await made(api, place, "WEEK", [of("MONDAY", "14:00", "15:00")])
    await applied(api, place, template, "2027-05-03")
    found = await search(api, place, **{"from": "2027-05-03", "to": "2027-05-09"})
    assert [day["starts"] for day in found["days"]] == [
        ["2027-05-03T14:00:00+02:00", "2027-05-03T14:15:00+02:00", "2027-05-03T14:30:00+02:00"]
    ]


async def test_a_day_template_is_applied_to_weekdays(api: Api, database: Database) -> None:
    place = await add_office(database)
    template = await made(api, place, "DAY", [of(None, "08:00", "09:00")])
    await applied(api, place, template, "2027-05-01", weekdays=["TUESDAY", "SATURDAY"])
    now = await hours(database, place)
    open_days = {day.isoweekday() for day in DAYS if day >= date(2027, 5, 1) and now[day]}
    assert open_days == {2, 6}


async def test_a_month_template_names_the_nth_weekday_of_each_month(api: Api, database: Database) -> None:
    place = await add_office(database)
    template = await made(
        api, place, "MONTH", [of("MONDAY", "08:00", "09:00", nth=1), of("FRIDAY", "08:00", "09:00", nth=-1)]
    )
    await applied(api, place, template, "2027-04-01")
    now = await hours(database, place)
    assert [day for day in DAYS if day >= date(2027, 4, 1) and now[day]] == [
        date(2027, 4, 5), date(2027, 4, 30), date(2027, 5, 3), date(2027, 5, 28), date(2027, 6, 7), date(2027, 6, 25),
        date(2027, 7, 5), date(2027, 7, 30),
    ]  # fmt: skip


async def test_a_counter_with_a_template_has_the_offices_hours_before_and_after_it(
    api: Api, database: Database
) -> None:
    place = await add_office(database, counters=2)
    before = await hours(database, place)
    template = await made(api, place, "WEEK", [of("MONDAY", "08:00", "10:00")])
    await applied(api, place, template, "2027-05-03", untilDate="2027-05-16", counterId=place.counters[1], everyWeeks=2)
    now = await hours(database, place, 1)
    assert (now[date(2027, 5, 3)], now[date(2027, 5, 10)]) == ([(480, 600)], [])
    assert all(now[day] == before[day] for day in DAYS if not date(2027, 5, 3) <= day <= date(2027, 5, 16))
    assert await hours(database, place, 0) == before
    await change(api, place, "set_exception", onDate="2027-06-01")
    assert (await hours(database, place, 1))[date(2027, 6, 1)] == [], "the office's single days hold for it as well"


async def test_another_version_holds_where_it_is_applied_again_and_not_before(api: Api, database: Database) -> None:
    place = await add_office(database)
    template = await made(api, place, "WEEK", [of("MONDAY", "08:00", "10:00")])
    await applied(api, place, template, "2027-04-05")
    new = [of("MONDAY", "13:00", "15:00")]
    await change(api, place, "revise_template", templateId=template, ranges=new)
    assert (await hours(database, place))[date(2027, 5, 3)] == [(480, 600)]
    await change(api, place, "revise_template", templateId=template, ranges=new, reapplyFrom="2027-05-03")
    now = await hours(database, place)
    assert (now[date(2027, 4, 26)], now[date(2027, 5, 3)]) == ([(480, 600)], [(780, 900)])


async def test_a_template_that_ends_earlier_leaves_nothing_behind(api: Api, database: Database) -> None:
    place = await add_office(database)
    template = await made(api, place, "WEEK", [of("MONDAY", "08:00", "10:00")])
    (application,) = (await applied(api, place, template, "2027-04-05"))["madeIds"]
    await change(api, place, "end_template_application", applicationId=application, untilDate="2027-04-30")
    now = await hours(database, place)
    assert (now[date(2027, 4, 26)], now[date(2027, 5, 3)]) == ([(480, 600)], [])


async def test_one_day_is_edited_and_the_others_stay(api: Api, database: Database) -> None:
    place = await add_office(database)
    before = await hours(database, place)
    for ranges in ([of(None, "10:00", "11:00")], [of(None, "09:30", "10:00"), of(None, "14:00", "15:00")]):
        await change(api, place, "set_exception", onDate="2027-03-10", ranges=ranges)
    now = await hours(database, place)
    assert now.pop(date(2027, 3, 10)) == [(570, 600), (840, 900)]
    assert all(now[day] == before[day] for day in now)
    await change(api, place, "remove_exception", onDate="2027-03-10")
    assert await hours(database, place) == before


async def test_a_public_holiday_is_open_where_the_office_says_so(api: Api, database: Database) -> None:
    place = await add_office(database, max_lead_days=90)
    easter_monday = {"from": "2027-03-29", "to": "2027-03-29"}
    assert (await search(api, place, **easter_monday))["count"] == 0
    await change(api, place, "set_exception", onDate="2027-03-29", ranges=[of(None, "09:00", "10:00")])
    assert (await search(api, place, **easter_monday))["count"] == 3


async def test_hours_for_coming_without_an_appointment_offer_none_and_replace_none(
    api: Api, database: Database
) -> None:
    place = await add_office(database)
    before = await hours(database, place)
    template = await made(api, place, "WEEK", [of("MONDAY", "13:00", "17:00", layer="WALK_IN")])
    await applied(api, place, template, "2027-03-08")
    assert await hours(database, place) == before


async def test_a_template_that_would_take_somebodys_place_says_so_first(api: Api, database: Database) -> None:
    place = await add_office(database)
    await booked(api, place, "2027-03-10T10:00:00+01:00")
    template = await made(api, place, "WEEK", [of("MONDAY", "08:00", "10:00")])
    assert (await applied(api, place, template, "2027-03-08"))["__typename"] == "WouldStrand"


def expected(rules: Sequence[tuple[dict[str, Any], dict[str, Any]]], day: date) -> Ranges:
    """Say slowly what holds on a day: the last one applied there, or the office's mornings; nothing on holidays."""
    if day in HOLIDAYS:
        return []
    for template, application in reversed(rules):
        first, last = application["first"], application["last"]
        if day < first or (last and day > last):
            continue
        weeks = ((day - timedelta(days=day.weekday())) - (first - timedelta(days=first.weekday()))).days // 7
        if weeks % application["every"]:
            return []
        return merged(
            (start, end)
            for weekday, nth, start, end in template["ranges"]
            if (weekday or application["weekday"]) == day.isoweekday() and (nth is None or is_nth(day, nth))
        )
    return [(540, 720)] if day.isoweekday() <= 5 else []


def is_nth(day: date, nth: int) -> bool:
    same = [d for n in range(-31, 32) if (d := day + timedelta(days=7 * n)).month == day.month and d.year == day.year]
    return same.index(day) == (nth - 1 if nth > 0 else len(same) - 1)


@pytest.mark.parametrize("seed", range(4))
async def test_the_last_template_applied_decides_each_day(api: Api, database: Database, seed: int) -> None:
    place = await add_office(database)
    random = Random(seed)  # noqa: S311 - the test's own choices
    rules: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for _ in range(6):
        kind = random.choice(["DAY", "WEEK", "MONTH"])
        ranges = []
        for slot in range(random.randint(1, 4)):
            start = 480 + 120 * slot
            weekday = None if kind == "DAY" else random.randint(1, 7)
            nth = random.choice([1, 2, 3, 4, 5, -1]) if kind == "MONTH" else None
            ranges.append((weekday, nth, start, start + random.choice([30, 60, 120])))
        first = FIRST + timedelta(days=random.randint(1, 90))
        last = random.choice([None, first + timedelta(days=random.randint(6, 60))])
        every, weekday = random.choice([1, 1, 2, 3]), random.randint(1, 7)
        template = await made(
            api,
            place,
            kind,
            [of(w and NAMES[w - 1], clock(s), clock(e), **({"nth": n} if n else {})) for w, n, s, e in ranges],
        )
        more = {"weekdays": [NAMES[weekday - 1]]} if kind == "DAY" else {}
        done = await applied(
            api, place, template, first.isoformat(), untilDate=last and last.isoformat(), everyWeeks=every, **more
        )
        assert done["__typename"] == "PlanningChanged"
        rules.append(({"ranges": ranges}, {"first": first, "last": last, "every": every, "weekday": weekday}))
        now = await hours(database, place)
        assert {day: now[day] for day in DAYS} == {day: expected(rules, day) for day in DAYS}


WEEK = {"kind": "WEEK", "name": "T", "ranges": [of("MONDAY", "08:00", "10:00")]}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"ranges": []}, "ranges"),
        ({"name": " "}, "name"),
        ({"ranges": [of("MONDAY", "10:00", "09:00")]}, "ranges[0].endTime"),
        ({"ranges": [of("MONDAY", "10:00", "10:00")]}, "ranges[0].endTime"),
        ({"ranges": [of("MONDAY", "08:00", "10:00"), of("MONDAY", "09:59", "11:00")]}, "ranges[1]"),
        ({"ranges": [of(None, "08:00", "10:00")]}, "ranges[0].weekday"),
        ({"ranges": [of("MONDAY", "08:00", "10:00", nth=1)]}, "ranges[0].nth"),
        ({"kind": "DAY"}, "ranges[0].weekday"),
        ({"kind": "MONTH"}, "ranges[0].nth"),
        ({"kind": "MONTH", "ranges": [of("MONDAY", "08:00", "10:00", nth=6)]}, "ranges[0].nth"),
    ],
)
async def test_a_template_that_contradicts_itself_is_refused_by_its_field(
    api: Api, database: Database, given: dict[str, Any], field: str
) -> None:
    place = await add_office(database)
    before = await rows(database)
    refused = await change(api, place, "create_template", **WEEK | given)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
    assert await rows(database) == before


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"fromDate": "2027-05-05", "untilDate": "2027-05-04"}, "untilDate"),
        ({"fromDate": "2027-05-04", "untilDate": "2027-05-07"}, "fromDate"),  # no Monday
        ({"fromDate": "2027-03-01"}, "fromDate"),  # settled
        ({"everyWeeks": 0}, "everyWeeks"),
        ({"weekdays": ["MONDAY"]}, "weekdays"),
        ({"templateVersion": 2}, "templateVersion"),
        ({"fromDate": "9999-01-01"}, "fromDate"),
    ],
)
async def test_a_template_applied_wrongly_is_refused_by_its_field(
    api: Api, database: Database, given: dict[str, Any], field: str
) -> None:
    place = await add_office(database)
    template = await made(api, place, "WEEK", WEEK["ranges"])  # type: ignore[arg-type]  # a list of ranges
    before = await rows(database)
    refused = await change(api, place, "apply_template", **{"templateId": template, "fromDate": "2027-05-03"} | given)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
    assert await rows(database) == before


async def test_a_template_of_another_office_is_not_found(api: Api, database: Database) -> None:
    place = await add_office(database)
    other = await add_office(database, code="sip-2", reasons=place.reasons)
    template = await made(api, place, "WEEK", WEEK["ranges"])  # type: ignore[arg-type]  # a list of ranges
    refused = await applied(api, other, template, "2027-05-03")
    assert refused["__typename"] == "NotFound"


async def test_hours_of_a_counters_own_are_not_mixed_with_the_offices(api: Api, database: Database) -> None:
    place = await add_office(database)
    place.counters += await add(database, Counter(office_id=place.office, label="B"))
    own = Opening(office_id=place.office, counter_id=place.counters[1], weekdays=[2], start_minute=600, end_minute=660)
    await add(database, own)
    template = await made(api, place, "WEEK", [of("MONDAY", "08:00", "10:00")])
    await applied(api, place, template, "2027-05-03", untilDate="2027-05-16", counterId=place.counters[1])
    now = await hours(database, place, 1)
    assert {day.isoweekday() for day in DAYS if day < date(2027, 5, 3) and now[day]} == {2}
    assert now[date(2027, 5, 18)] == [(600, 660)]
