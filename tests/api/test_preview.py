"""A preview shows what publishing would lead to, and changes nothing."""

from typing import Any

import pytest

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models.database import Database
from rdv.models.offices import Agent
from tests.api.conftest import Api
from tests.api.staff import change, head_of, preview
from tests.api.steps import booked, search
from tests.api.test_changes import rows
from tests.places import add, add_office

WEDNESDAY = {"from": "2027-03-03", "to": "2027-03-03"}
TEN = "2027-03-03T10:00:00+01:00"
CLOSED_ON_WEDNESDAY = {"addClosure": {"fromDate": "2027-03-03", "toDate": "2027-03-03"}}


def of_reason(found: dict[str, Any], label: str) -> dict[str, Any]:
    (one,) = (r for r in found["reasons"] if r["reason"]["label"] == label)
    return dict(one)


async def test_slots_are_counted_by_reason_and_day_before_and_after(api: Api, database: Database) -> None:
    place = await add_office(database)
    found = of_reason(await preview(api, place, [CLOSED_ON_WEDNESDAY]), "Déclarer")
    days = {one["date"]: (one["before"], one["after"]) for one in found["days"]}
    assert days == {f"2027-03-0{n}": (11, 0 if n == 3 else 11) for n in range(1, 6)}
    assert (found["slotsBefore"], found["slotsAfter"]) == (55, 44)
    assert [(one["date"], one["code"], one["detail"]) for one in found["why"]] == [
        ("2027-03-03", "CLOSURE", "12 créneaux retirés : fermé à ces heures (Guichet 1)")
    ]


async def test_quotas_and_what_is_kept_for_a_channel_are_previewed_too(api: Api, database: Database) -> None:
    place = await add_office(database)
    quota = {"setReasonQuota": {"reasonId": place.reasons["declare"], "mostADay": 0}}
    found = of_reason(await preview(api, place, [quota], first="2027-03-03", last="2027-03-03"), "Déclarer")
    assert (found["slotsBefore"], found["slotsAfter"]) == (11, 0)
    assert "QUOTA" in {one["code"] for one in found["why"]}
    share = {"setChannelShare": {"channel": "OFFICE", "percent": 100}}
    found = of_reason(await preview(api, place, [share], first="2027-03-03", last="2027-03-03"), "Déclarer")
    assert (found["slotsBefore"], found["slotsAfter"]) == (11, 0)


async def test_a_preview_changes_nothing(api: Api, database: Database) -> None:
    place = await add_office(database)
    await booked(api, place, TEN)
    before = await rows(database)
    await preview(api, place, [{"retireCounter": {"counterId": place.counters[0]}}, {"createCounter": {"label": "B"}}])
    assert await rows(database) == before
    assert (await search(api, place, **WEDNESDAY))["count"] > 0


async def test_what_is_published_is_what_was_previewed(api: Api, database: Database) -> None:
    place = await add_office(database)
    changes = [{"createCounter": {"label": "B"}}, CLOSED_ON_WEDNESDAY]
    foreseen = await preview(api, place, changes)
    done = await change(api, place, "publish_planning", changes=changes, version=foreseen["version"])
    assert done["__typename"] == "PlanningChanged"
    now = of_reason(await preview(api, place, []), "Déclarer")
    then = of_reason(foreseen, "Déclarer")
    assert [one["before"] for one in now["days"]] == [one["after"] for one in then["days"] if one["after"]]
    refused = await change(api, place, "publish_planning", changes=changes, version=foreseen["version"])
    assert refused["__typename"] == "VersionConflict"


async def test_who_would_lose_their_place_is_shown_with_the_nearest_other_starts(api: Api, database: Database) -> None:
    place = await add_office(database)
    keys = await booked(api, place, TEN)
    (lost,) = (await preview(api, place, [CLOSED_ON_WEDNESDAY]))["stranded"]
    assert lost["appointment"]["reference"] == keys["reference"]
    assert [one["start"] for one in lost["alternatives"]] == [
        "2027-03-02T11:00:00+01:00",
        "2027-03-02T11:15:00+01:00",
        "2027-03-02T11:30:00+01:00",
    ]


async def test_only_counters_that_change_are_shown_unless_all_are_asked_for(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2)
    closure = CLOSED_ON_WEDNESDAY["addClosure"] | {"counterIds": [place.counters[1]], "fromTime": "10:00"}
    (shown,) = (await preview(api, place, [{"addClosure": closure}]))["counters"]
    assert (shown["id"], shown["labelBefore"]) == (str(place.counters[1]), "Guichet 2")
    assert [one for one in shown["before"] if one["date"] == "2027-03-03"] == [
        {"date": "2027-03-03", "start": "09:00", "end": "12:00"}
    ]
    assert [one for one in shown["after"] if one["date"] == "2027-03-03"] == [
        {"date": "2027-03-03", "start": "09:00", "end": "10:00"}
    ]


async def test_days_beyond_the_booking_horizon_are_previewed_as_well(api: Api, database: Database) -> None:
    place = await add_office(database, max_lead_days=7)
    found = await preview(api, place, [], first="2027-09-01", last="2027-09-03")
    assert of_reason(found, "Déclarer")["slotsBefore"] == 33


async def test_the_loads_of_agents_follow_their_appointments(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2, agents=1)
    await booked(api, place, TEN)
    place.agents += await add(database, Agent(office_id=place.office, display_name="Agent 2"))
    loads = {one["agent"]["displayName"]: one for one in (await preview(api, place, []))["agents"]}
    assert (loads["Agent 1"]["servedMinutesBefore"], loads["Agent 1"]["presentMinutesBefore"]) == (30, 5 * 180)
    assert (loads["Agent 2"]["servedMinutesAfter"], loads["Agent 2"]["presentMinutesAfter"]) == (0, 5 * 180)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"first": "2027-03-05", "last": "2027-03-04"}, "to"),
        ({"first": "2027-02-28", "last": "2027-03-04"}, "from"),
        ({"first": "2027-03-01", "last": "2028-03-06"}, "to"),
        ({"first": "9999-12-30", "last": "9999-12-31"}, "from"),
        ({"first": "2027-03-01", "last": "4000-01-02"}, "to"),
        ({"changes": [{"createCounter": {"label": ""}}]}, "changes[0].createCounter.label"),
    ],
)
async def test_what_cannot_be_previewed_is_named(
    api: Api, database: Database, given: dict[str, Any], field: str
) -> None:
    place = await add_office(database)
    wanted = {
        "officeId": place.office,
        "changes": given.get("changes", []),
        "from": given.get("first", "2027-03-01"),
        "to": given.get("last", "2027-03-05"),
    }
    refused = await api.refusal("planning_preview", {"input": wanted}, who=head_of(api, place))
    assert (refused["code"], refused["field"]) == ("INVALID_INPUT", field)


async def test_agents_and_usagers_see_no_preview(api: Api, database: Database) -> None:
    place = await add_office(database)
    wanted = {"officeId": place.office, "changes": [], "from": "2027-03-01", "to": "2027-03-05"}
    api.viewers.known["agent"] = Viewer(
        kind=ViewerKind.AGENT, subject="a", profile=Profile.LOCAL, scope=Scope.OWN, offices=frozenset({place.code})
    )
    for who in (None, "agent"):
        assert (await api.refusal("planning_preview", {"input": wanted}, who=who))["code"] == "NOT_ALLOWED"
