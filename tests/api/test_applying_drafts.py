"""A generated planning that is made to hold: what it leads to, what keeps it from it, and the way back."""

from rdv.models.database import Database
from tests.api.conftest import Api
from tests.api.staff import change, head_of, preview
from tests.api.test_changes import rows
from tests.api.test_generation import DAY, MORNING, ask, counted, demand, generated, offered, seen
from tests.places import add_office


async def test_nobody_outside_sees_a_planning_before_it_holds(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    before = await offered(api, place)
    found = await generated(api, place, demand=demand(place, at=MORNING[2:]))
    assert await offered(api, place) == before
    looked = await preview(api, place, [{"applyDraft": {"draftId": found["id"]}}], first=DAY, last="2027-03-12")
    days = {one["reason"]["id"]: one["days"] for one in looked["reasons"]}[str(place.reasons["declare"])]
    assert days[0] == {"date": DAY, "before": 11, "after": 7}
    assert await offered(api, place) == before
    applied = await change(api, place, "apply_draft", draftId=found["id"], version=looked["version"])
    assert applied["__typename"] == "PlanningChanged"
    assert await offered(api, place) == ["10:00", "10:15", "10:30", "10:45", "11:00", "11:15", "11:30"]
    assert await offered(api, place, "2027-03-09") == [], "nobody is expected that day"
    assert (await seen(api, found["id"]))["status"] == "PUBLISHED"


async def test_a_planning_is_refused_when_the_office_was_changed_after_its_preview(
    api: Api, database: Database
) -> None:
    place = await add_office(database, agents=1, staffed=True)
    found = await generated(api, place)
    looked = await preview(api, place, [{"applyDraft": {"draftId": found["id"]}}])
    await change(api, place, "create_counter", label="B")
    refused = await change(api, place, "apply_draft", draftId=found["id"], version=looked["version"])
    assert refused["__typename"] == "VersionConflict"
    assert await counted(database, "roster_shift") == 0


async def test_planning_again_starts_from_the_office_and_not_from_the_last_roster(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    late = await generated(api, place, demand=demand(place, at=MORNING[2:]))
    await change(api, place, "apply_draft", draftId=late["id"])
    early = await generated(api, place, demand=demand(place, at=MORNING[:4]))
    await change(api, place, "apply_draft", draftId=early["id"])
    assert await offered(api, place) == ["09:00", "09:15", "09:30", "09:45", "10:00", "10:15", "10:30"]


async def test_a_word_on_a_single_day_beats_its_roster_and_survives_it(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    found = await generated(api, place)
    await change(api, place, "apply_draft", draftId=found["id"])
    short = [{"startTime": "09:00", "endTime": "10:00"}]
    await change(api, place, "set_exception", onDate=DAY, counterId=place.counters[0], ranges=short)
    assert await offered(api, place) == ["09:00", "09:15", "09:30"]
    # Planned anew, the counter may only be open when the head said so.
    again = await generated(api, place, rules={"shortestShiftMinutes": 60})
    assert [(one["start"], one["end"]) for one in again["openings"]] == [("09:00", "10:00")]


async def test_a_planning_can_be_given_up_before_a_worker_takes_it(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    made = await ask(api, place)
    given_up = await api.data("cancel_generation", {"input": {"draftId": made["id"]}}, who="head")
    assert given_up["cancelGeneration"]["status"] == "CANCELLED"
    await api.work()
    assert (await seen(api, made["id"]))["status"] == "CANCELLED"
    twice = await api.data("cancel_generation", {"input": {"draftId": made["id"]}}, who="head")
    assert twice["cancelGeneration"]["field"] == "draftId"
    refused = await change(api, place, "apply_draft", draftId=made["id"])
    assert refused["field"] == "draftId"


async def test_a_weekly_maximum_counts_what_is_published_for_other_days_of_the_week(
    api: Api, database: Database
) -> None:
    place = await add_office(database, agents=1, staffed=True)
    await change(api, place, "update_agent", agentId=place.agents[0], displayName="A", mostMinutesAWeek=240)
    monday = await generated(api, place, to=DAY)
    await change(api, place, "apply_draft", draftId=monday["id"])
    tuesday = demand(place, date="2027-03-09")
    found = await generated(api, place, demand=tuesday, **{"from": "2027-03-09"}, rules={"shortestShiftMinutes": 30})
    assert [(one["start"], one["end"]) for one in monday["shifts"]] == [("09:00", "12:00")]
    assert [one["servedMinutes"] for one in found["demand"]] == [60]


async def test_a_planning_is_refused_where_hours_or_presence_were_changed_since(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    found = await generated(api, place)
    late = {"weekdays": ["MONDAY"], "startTime": "11:00", "endTime": "12:00"}
    await change(api, place, "set_agent_presence", agentId=place.agents[0], ranges=[late])
    before = await rows(database)
    refused = await change(api, place, "apply_draft", draftId=found["id"])
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "draftId")
    assert await rows(database) == before


async def test_drafts_are_for_those_who_plan_the_office(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    other = await add_office(database, code="sip-75101-02", reasons=place.reasons)
    made = await ask(api, place)
    stranger = head_of(api, other, "stranger")
    for document, given in (("planning_draft", {"id": made["id"]}), ("planning_drafts", {"officeId": place.office})):
        assert (await api.refusal(document, given, who=stranger))["code"] == "NOT_ALLOWED"
        assert (await api.refusal(document, given))["code"] == "NOT_ALLOWED"
    cancelled = await api.data("cancel_generation", {"input": {"draftId": made["id"]}}, who=stranger)
    assert cancelled["cancelGeneration"]["__typename"] == "NotAllowed"
    assert (await ask(api, place, who=stranger))["__typename"] == "NotAllowed"
    assert await api.data("planning_draft", {"id": "999"}, who="head") == {"planningDraft": None}
    theirs = await change(api, other, "apply_draft", draftId=made["id"], who="stranger")
    assert theirs["__typename"] == "NotFound"


async def test_a_planning_with_somebody_who_left_is_refused(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    found = await generated(api, place)
    await change(api, place, "retire_agent", agentId=place.agents[0])
    before = await rows(database)
    refused = await change(api, place, "apply_draft", draftId=found["id"])
    assert refused["field"] == "draftId"
    assert await rows(database) == before


async def test_going_back_takes_a_roster_away(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    before = await offered(api, place)
    found = await generated(api, place, demand=demand(place, at=MORNING[2:]))
    await change(api, place, "apply_draft", draftId=found["id"])
    await change(api, place, "restore_planning", revision=0)
    assert await offered(api, place) == before
    assert await counted(database, "roster_shift") == 0
