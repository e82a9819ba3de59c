"""Generated plannings: asked for, worked out by workers, previewed, made to hold, given up."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models import jobs
from rdv.models.database import Database
from tests.api.conftest import Api
from tests.api.staff import head_of
from tests.api.steps import booked, search
from tests.places import Place, add_office, add_specialists

DAY = "2027-03-08"
WEEK = {"from": DAY, "to": "2027-03-12"}
ROW = {"date": DAY, "startTime": "09:00", "reasonId": "4", "minutes": 1}
MORNING = ("09:00", "09:30", "10:00", "10:30", "11:00", "11:30")


def demand(place: Place, minutes: int = 30, at: tuple[str, ...] = MORNING, **more: Any) -> list[dict[str, Any]]:
    given = {"date": DAY, "reasonId": place.reasons["declare"], "minutes": minutes} | more
    return [given | {"startTime": start} for start in at]


async def ask(api: Api, place: Place, who: str | None = None, **more: Any) -> dict[str, Any]:
    wanted = {"officeId": place.office, "seconds": 5, "demand": demand(place)} | WEEK | more
    who = who or head_of(api, place)
    found: dict[str, Any] = (await api.data("generate_planning", {"input": wanted}, who=who))["generatePlanning"]
    return found


async def seen(api: Api, identity: str, **headers: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data("planning_draft", {"id": identity}, who="head", **headers))["planningDraft"]
    return found


async def generated(api: Api, place: Place, **more: Any) -> dict[str, Any]:
    made = await ask(api, place, **more)
    assert made["__typename"] == "PlanningDraft", made
    await api.work()
    return await seen(api, made["id"])


async def offered(api: Api, place: Place, day: str = DAY, reason: str = "declare") -> list[str]:
    found = await search(api, place, reason, **{"from": day, "to": day})
    return [start[11:16] for one in found["days"] for start in one["starts"]]


async def counted(database: Database, table: str) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(text(f"select count(*) from {table}"))).scalar_one())


async def test_a_planning_says_who_is_where_when_and_how_much_of_the_demand_it_serves(
    api: Api, database: Database
) -> None:
    place = await add_office(database, counters=2, agents=1, staffed=True)
    found = await generated(api, place, demand=demand(place, at=MORNING[2:]))
    assert (found["status"], found["progressPercent"], found["gap"]) == ("DONE", 100, 0)
    assert [(one["start"], one["end"], one["agent"]["displayName"]) for one in found["shifts"]] == [
        ("10:00", "12:00", "Agent 1")
    ]
    assert [(one["date"], one["start"], one["end"]) for one in found["openings"]] == [(DAY, "10:00", "12:00")]
    assert [(one["wantedMinutes"], one["servedMinutes"]) for one in found["demand"]] == [(120, 120)]
    assert found["conflicts"] == []


async def test_whoever_has_booked_is_planned_for_first(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    await booked(api, place, f"{DAY}T09:00:00+01:00")
    found = await generated(api, place, demand=demand(place, 60, at=MORNING[2:]), rules={"longestShiftMinutes": 120})
    assert [(one["start"], one["end"]) for one in found["openings"]] == [("09:00", "11:00")]


async def test_demand_is_forecast_from_past_appointments(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True, max_appointments_per_usager=10)
    past = api.clock.now
    api.clock.now = datetime.fromisoformat("2027-02-15T06:00:00+00:00")
    for day in ("2027-02-15", "2027-02-22"):
        await booked(api, place, f"{day}T10:00:00+01:00")
        await booked(api, place, f"{day}T11:30:00+01:00")
    api.clock.now = past
    found = await generated(api, place, demand=None)
    assert [(one["date"], one["start"], one["end"]) for one in found["openings"]] == [(DAY, "10:00", "12:00")]
    # Eight Mondays back, on which the office was open; the latest weigh more.
    (row,) = found["demand"]
    assert (row["reason"]["label"], row["wantedMinutes"], row["servedMinutes"]) == ("Déclarer", 20, 20)


async def test_a_rule_that_cannot_be_kept_is_said_in_words(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2, agents=1, staffed=True)
    least = [{"reasonId": place.reasons["land"], "agents": 2}]
    found = await generated(
        api, place, demand=demand(place), to=DAY, rules={"leastCounters": 2, "leastByReason": least}
    )
    assert found["status"] == "INFEASIBLE"
    said = {one["code"]: one["detail"] for one in found["conflicts"]}
    assert said["TOO_FEW_PRESENT"] == (
        "lundi 8 mars 2027, de 09:00 à 12:00 : guichets à ouvrir : 2 ; agents présents : 1."
    )
    english = await seen(api, found["id"], accept_language="en")
    assert {one["code"]: one["detail"] for one in english["conflicts"]}["TOO_FEW_PRESENT"] == (
        "Monday, March 8, 2027, 09:00 to 12:00: counters to be open: 2; agents who are there: 1."
    )
    assert {one["reason"]["label"] for one in english["conflicts"] if one["reason"]} == {"Survey"}


async def test_a_worker_stops_when_its_planning_is_given_up(api: Api, database: Database) -> None:
    place = await add_office(database, counters=15, staffed=True)
    await add_specialists(database, place)
    days = [date(2027, 3, 8) + timedelta(days=n) for n in range(12)]
    wanted = [
        one
        for number, name in enumerate(("declare", "correct", "survey"))
        for day in days
        for at, start in enumerate(MORNING)
        for one in demand(
            place, 37 * (at + number + day.day) % 170, (start,), date=f"{day}", reasonId=place.reasons[name]
        )
    ]
    rules = {"shortestShiftMinutes": 60}
    made = await ask(api, place, to="2027-03-19", demand=wanted, seconds=600, rules=rules)
    worker = asyncio.create_task(api.work())
    while (await seen(api, made["id"]))["status"] == "QUEUED":  # noqa: ASYNC110 - another process's word
        await asyncio.sleep(0.05)
    given_up = await api.data("cancel_generation", {"input": {"draftId": made["id"]}}, who="head")
    assert given_up["cancelGeneration"]["status"] == "CANCELLED"
    await worker
    assert (await seen(api, made["id"]))["shifts"] == []


async def test_a_job_whose_worker_died_is_done_by_another(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    made = await ask(api, place)
    died = (
        "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 hour')",
        "update procrastinate_jobs set status = 'doing', worker_id = (select max(id) from procrastinate_workers)",
        "update planning_draft set status = 'RUNNING'",
    )
    async with database.transaction() as connection:
        for statement in died:
            await connection.execute(text(statement))
    app = jobs.jobs_app(str(api.settings.database_url), {})
    async with app.open_async():
        assert await jobs.take_over_abandoned(app) == 1
    await api.work()
    assert (await seen(api, made["id"]))["status"] == "DONE"


async def test_a_planning_that_breaks_is_noted_and_does_not_hold_up_the_next(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    broken = await ask(api, place)
    async with database.transaction() as connection:
        await connection.execute(text("update planning_draft set rules = '{}'"))
    await api.work()
    assert (await seen(api, broken["id"]))["status"] == "FAILED"
    assert (await generated(api, place))["status"] == "DONE"


async def test_a_job_that_takes_its_workers_down_is_given_up(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    made = await ask(api, place)
    async with database.transaction() as connection:
        await connection.execute(text("update planning_draft set status = 'RUNNING', attempts = 5"))
    await api.work()
    found = await seen(api, made["id"])
    assert (found["status"], found["failure"]) == ("FAILED", "GIVEN_UP")


async def test_rules_that_allow_too_many_shifts_fail_with_a_word_and_not_with_a_worker(
    api: Api, database: Database
) -> None:
    place = await add_office(database, agents=3, staffed=True, hours=(480, 1140))
    fine = {"blockMinutes": 5, "shortestShiftMinutes": 5, "longestShiftMinutes": 1440, "breakMinutes": 0}
    found = await generated(api, place, demand=[], rules=fine)
    assert (found["status"], found["failure"], found["shifts"]) == ("FAILED", "TOO_FINE", [])


async def test_an_office_has_few_plannings_under_way(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    days = [{"from": f"2027-03-{day}", "to": f"2027-03-{day}", "demand": None} for day in range(10, 16)]
    asked = [await ask(api, place, **one) for one in days]
    assert [one["__typename"] for one in asked] == ["PlanningDraft"] * 5 + ["InvalidInput"]


async def test_a_list_of_plannings_is_read_without_what_is_large(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    await generated(api, place)
    document = "query($o: ID!) { planningDrafts(officeId: $o) { id shifts { start } demand { servedMinutes } } }"
    (found,) = (await api.data(document, {"o": place.office}, who="head"))["planningDrafts"]
    assert (found["shifts"], found["demand"]) == ([{"start": "09:00"}], [{"servedMinutes": 180}])


async def test_a_departement_that_is_none_is_refused(api: Api, database: Database) -> None:
    for wrong in ("75\u0000", "x", ""):
        wanted = {"departement": wrong, "seconds": 5} | WEEK
        answer = await api.data("generate_plannings", {"input": wanted})
        assert (answer["generatePlannings"]["__typename"], answer["generatePlannings"]["field"]) == (
            "InvalidInput",
            "departement",
        )


async def test_a_departement_is_shared_out_among_workers(api: Api, database: Database) -> None:
    first = await add_office(database, agents=1, staffed=True)
    second = await add_office(database, code="sip-75101-02", reasons=first.reasons, agents=1, staffed=True)
    await add_office(database, code="sip-75101-03", reasons=first.reasons)
    whole = Viewer(
        kind=ViewerKind.ADMINISTRATOR,
        subject="whole",
        profile=Profile.LOCAL,
        scope=Scope.DEPARTEMENT,
        offices=frozenset(),
        departement="75",
    )
    api.viewers.known["whole"] = whole
    wanted = {"departement": "75", "seconds": 5, "demand": demand(first)} | WEEK
    asked = (await api.data("generate_plannings", {"input": wanted}, who="whole"))["generatePlannings"]["drafts"]
    assert [one["office"]["id"] for one in asked] == [str(first.office), str(second.office)]
    await asyncio.gather(api.work(), api.work())
    for one in asked:
        found = await api.data("planning_draft", {"id": one["id"]}, who="whole")
        assert found["planningDraft"]["status"] == "DONE"
    alone = await api.data("generate_plannings", {"input": wanted}, who=head_of(api, first))
    assert alone["generatePlannings"]["__typename"] == "NotAllowed"
    assert await counted(database, "planning_draft") == 2, "all offices or none"


async def test_a_repeated_request_asks_once(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    first, second = [await ask(api, place, idempotencyKey="k-1") for _ in range(2)]
    assert first["id"] == second["id"]
    assert await counted(database, "procrastinate_jobs") == 1
    other = await ask(api, place, idempotencyKey="k-1", seconds=6)
    assert other["__typename"] == "IdempotencyConflict"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"from": "2027-02-28"}, "from"),
        ({"to": "2027-03-07"}, "to"),
        ({"to": "2027-07-08"}, "to"),
        ({"from": "9999-12-30", "to": "9999-12-31"}, "to"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": 601}, "seconds"),
        ({"rules": {"blockMinutes": 7}}, "rules.blockMinutes"),
        ({"rules": {"shortestShiftMinutes": 45}}, "rules.shortestShiftMinutes"),
        ({"rules": {"longestShiftMinutes": 60}}, "rules.longestShiftMinutes"),
        ({"rules": {"breakMinutes": -30}}, "rules.breakMinutes"),
        ({"rules": {"leastCounters": -1}}, "rules.leastCounters"),
        ({"rules": {"leastByReason": [{"reasonId": "999", "agents": 1}]}}, "rules.leastByReason.reasonId"),
        ({"demand": [ROW | {"date": "2027-03-01"}]}, "demand[0].date"),
        ({"demand": [ROW | {"startTime": "09:10"}]}, "demand[0].startTime"),
        ({"demand": [ROW | {"minutes": -1}]}, "demand[0].minutes"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    api: Api, database: Database, wrong: dict[str, Any], field: str
) -> None:
    place = await add_office(database, agents=1, staffed=True)
    refused = await ask(api, place, **wrong)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
    assert await counted(database, "planning_draft") == await counted(database, "procrastinate_jobs") == 0


async def test_an_office_without_agents_has_no_roster(api: Api, database: Database) -> None:
    place = await add_office(database)
    assert (await ask(api, place))["field"] == "officeId"


async def test_the_same_days_are_not_planned_twice_at_once(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    await ask(api, place)
    later = {"to": "2027-03-19", "demand": None}
    assert (await ask(api, place, **{"from": "2027-03-12"} | later))["field"] == "from"
    assert (await ask(api, place, **{"from": "2027-03-15"} | later))["status"] == "QUEUED"


async def test_nobody_is_planned_for_a_counter_that_takes_no_bookings(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2, agents=2, staffed=True)
    async with database.transaction() as connection:
        hidden = text("update counter set exposed = false where id = :id")
        await connection.execute(hidden, {"id": place.counters[0]})
    found = await generated(api, place, demand=demand(place))
    assert {one["counter"]["id"] for one in found["shifts"]} == {str(place.counters[1])}
