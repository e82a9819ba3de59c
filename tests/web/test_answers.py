"""Answers that were kept are sent again as long as they hold, and to nobody who may not have them."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models.database import Database
from rdv.models.nation import Nation, NationCache
from rdv.models.versions import VERSIONS
from tests.api.conftest import Api, opened
from tests.api.query_cases.delegation import accepted
from tests.api.steps import booked, hold
from tests.api.test_statements import statements
from tests.places import Place, add_office
from tests.web.conftest import Opening

SLOTS = """query($office: ID!, $reason: ID!, $to: Date! = "2027-03-03") {
  slots(input: {officeId: $office, reasonId: $reason, from: "2027-03-03", to: $to}) {
    version count days { date slots { start remaining } } why { detail }
  }
}"""
START = "2027-03-03T09:00:00+01:00"
USAGERS = {one: Viewer(kind=ViewerKind.USAGER, subject=one, name=f"{one} Exemple") for one in ("camille", "sacha")}


@pytest.fixture
async def place(database: Database) -> Place:
    return await add_office(database, counters=2)


def wanted(place: Place) -> dict[str, Any]:
    return {"office": place.office, "reason": place.reasons["declare"]}


async def sent_again(api: Api) -> int:
    """Return how many answers that were kept have been sent."""
    page = (await api.client.get("/metrics")).text
    (line,) = (line for line in page.splitlines() if line.startswith("rdv_answers_sent_again_total "))
    return int(float(line.split()[1]))


@pytest.fixture
async def api(database_url: str) -> Any:
    async with opened(database_url, metrics=True) as running:
        running.viewers.known |= USAGERS
        yield running


async def test_the_same_question_is_answered_again_as_before(api: Api, place: Place) -> None:
    first, again = [await api.answer(SLOTS, wanted(place)) for _ in range(2)]
    assert first == again
    assert await sent_again(api) == 1


async def test_a_booking_changes_the_next_answer(api: Api, place: Place) -> None:
    before = (await api.data(SLOTS, wanted(place)))["slots"]
    await booked(api, place, START)
    after = (await api.data(SLOTS, wanted(place)))["slots"]
    assert after["version"] != before["version"]
    remaining = [one["days"][0]["slots"][0]["remaining"] for one in (before, after)]
    assert remaining[1] == remaining[0] - 1
    assert await sent_again(api) == 0


async def test_a_hold_that_expires_changes_the_next_answer(api: Api, place: Place) -> None:
    await hold(api, place, START)
    held = (await api.data(SLOTS, wanted(place)))["slots"]
    api.clock.forward(minutes=11)
    assert (await api.data(SLOTS, wanted(place)))["slots"]["days"] != held["days"]


async def test_time_that_passes_changes_what_may_still_be_booked(api: Api, place: Place) -> None:
    today = wanted(place) | {"to": "2027-03-04"}
    before = (await api.data(SLOTS, today))["slots"]
    api.clock.forward(days=2, hours=2)
    assert (await api.data(SLOTS, today))["slots"]["count"] < before["count"]


async def test_what_is_asked_of_days_to_come_is_sent_again_however_late_it_has_become(api: Api, place: Place) -> None:
    await api.data(SLOTS, wanted(place))
    for _ in range(3):
        api.clock.forward(minutes=17, seconds=5)
        await api.data(SLOTS, wanted(place))
    assert await sent_again(api) == 3


async def test_what_is_asked_of_today_is_worked_out_again_when_a_start_has_passed(api: Api, place: Place) -> None:
    api.clock.forward(days=2, hours=1, minutes=30)  # half past nine
    found = []
    for minutes in (0, 1, 3, 11):
        api.clock.forward(minutes=minutes)
        found.append((await api.data(SLOTS, wanted(place)))["slots"]["count"])
    assert [found[0] - count for count in found] == [0, 1, 1, 1]
    assert await sent_again(api) == 1


async def test_a_clock_that_is_set_back_makes_room_again(api: Api, place: Place) -> None:
    counts = []
    for hours in (50, -1):  # ten o'clock, then nine
        api.clock.forward(hours=hours)
        counts.append((await api.data(SLOTS, wanted(place)))["slots"]["count"])
    assert counts[0] == counts[1] - 4


async def test_a_hold_that_was_over_is_not_when_the_clock_is_set_back(api: Api, place: Place) -> None:
    remaining = []
    await hold(api, place, START)
    for minutes in (11, -5):
        api.clock.forward(minutes=minutes)
        found = (await api.data(SLOTS, wanted(place)))["slots"]
        remaining.append(found["days"][0]["slots"][0]["remaining"])
    assert remaining == [2, 1]


async def test_a_day_comes_within_reach_when_the_day_before_begins(api: Api, database: Database, place: Place) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("update office set max_lead_days = 1"))
    api.clock.forward(hours=15, minutes=59)  # a minute before midnight
    counts = []
    for minutes in (0, 2):
        api.clock.forward(minutes=minutes)
        counts.append((await api.data(SLOTS, wanted(place)))["slots"]["count"])
    assert counts == [0, 11]


async def test_what_others_receive_for_an_office_is_sent_again_within_the_minute_only(
    api: Api, database: Database, place: Place
) -> None:
    """They may want to know earlier: the office's own starts are the same at 9:44."""
    other, _ = await accepted(api, place)
    async with database.transaction() as connection:
        lead = text("update office set min_lead_minutes = 2 where id = :other")
        await connection.execute(lead, {"other": other.office})
    document = SLOTS.replace("version", "elsewhere { count }")
    api.clock.forward(days=2, hours=1, minutes=42)
    found = []
    for seconds in (10, 20, 90):
        api.clock.forward(seconds=seconds)
        found.append((await api.data(document, wanted(place)))["slots"]["elsewhere"][0]["count"])
    assert found[0] == found[1] == found[2] + 1
    assert await sent_again(api) == 1


async def test_languages_have_answers_of_their_own(api: Api, place: Place) -> None:
    sunday = wanted(place) | {"to": "2027-03-07"}
    details = {
        language: (await api.data(SLOTS, sunday, accept_language=language))["slots"]["why"] for language in ("fr", "en")
    }
    assert details["fr"] != details["en"]


async def test_usagers_share_an_answer_and_staff_of_the_office_have_their_own(api: Api, place: Place) -> None:
    agent = Viewer(
        kind=ViewerKind.AGENT, subject="a", profile=Profile.LOCAL, scope=Scope.OWN, offices=frozenset({place.code})
    )
    api.viewers.known["agent"] = agent
    for who in ("camille", "sacha", "agent"):
        await api.data(SLOTS, wanted(place), who=who)
    assert await sent_again(api) == 1


async def test_what_is_somebodys_own_is_never_answered_from_what_is_kept(api: Api, place: Place) -> None:
    keys = await booked(api, place, START, who="camille")
    mine = f'appointment(reference: "{keys["reference"]}") {{ reference }}'
    both = SLOTS.replace("slots(", f"{mine} slots(")
    spread = SLOTS.replace("slots(", "...Mine slots(") + f" fragment Mine on Query {{ {mine} }}"
    for document in (both, spread):
        found = [(await api.data(document, wanted(place), who=who))["appointment"] for who in USAGERS]
        assert found == [{"reference": keys["reference"]}, None]


async def test_a_token_that_is_no_longer_known_is_refused_although_the_answer_is_kept(api: Api, place: Place) -> None:
    await api.data(SLOTS, wanted(place), who="camille")
    del api.viewers.known["camille"]
    given = {"query": SLOTS, "variables": wanted(place)}
    refused = await api.client.post("/graphql", json=given, headers={"authorization": "Bearer camille"})
    assert refused.status_code == 401


async def test_each_answer_has_a_trace_of_its_own(api: Api, place: Place) -> None:
    given = {"query": SLOTS, "variables": wanted(place)}
    traces = [(await api.client.post("/graphql", json=given)).headers.get_list("traceresponse") for _ in range(3)]
    assert len({one for (one,) in traces}) == 3


async def test_answers_are_kept_compressed_and_plain_apart(api: Api, place: Place) -> None:
    given = {"query": SLOTS, "variables": wanted(place) | {"to": "2027-03-31"}}
    for coding in ("gzip", "identity", "gzip", "identity"):
        answer = await api.client.post("/graphql", json=given, headers={"accept-encoding": coding})
        assert answer.headers.get("content-encoding", "identity") == coding
        assert answer.json()["data"]["slots"]["count"]


async def test_slots_of_an_appointment_that_is_to_be_moved_are_worked_out_each_time(api: Api, place: Place) -> None:
    keys = await booked(api, place, START)
    moving = SLOTS.replace("from:", f'replacing: "{keys["reference"]}", accessCode: "{keys["accessCode"]}", from:')
    for _ in range(2):
        await api.data(moving, wanted(place))
    assert await sent_again(api) == 0


async def test_answers_to_heads_that_no_browser_sends_are_not_kept(api: Api, place: Place) -> None:
    body = {"query": SLOTS, "variables": wanted(place)}
    for headers, times in (([("accept", "*/*")] * 9, 0), ([("accept", "*/*")] * 4, 1)):
        for _ in range(2):
            await api.client.post("/graphql", json=body, headers=headers)
        assert await sent_again(api) == times


async def test_errors_are_not_kept(api: Api, place: Place) -> None:
    for _ in range(2):
        assert "errors" in await api.answer(SLOTS, wanted(place) | {"office": "987654"})
    assert await sent_again(api) == 0


async def test_nothing_is_kept_when_the_setting_says_so(opened: Opening, place: Place) -> None:
    client = await opened(answers_kept_mb=0, metrics=True)
    for _ in range(2):
        assert (await client.post("/graphql", json={"query": SLOTS, "variables": wanted(place)})).status_code == 200
    assert "rdv_answers_kept_total 0.0" in (await client.get("/metrics")).text


async def test_a_change_of_the_nation_between_two_reads_is_found_out_next_time(
    api: Api, database: Database, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = text("update reason set duration_minutes = 60 where code = 'declare'")
    at_least = NationCache.at_least

    async def overtaken(cache: NationCache, *given: Any) -> Nation:
        nation = await at_least(cache, *given)
        async with database.transaction() as connection:
            await connection.execute(longer)
        return nation

    with monkeypatch.context() as patch:
        patch.setattr(NationCache, "at_least", overtaken)
        before = (await api.data(SLOTS, wanted(place)))["slots"]
    assert (await api.data(SLOTS, wanted(place)))["slots"]["count"] < before["count"]


async def test_many_who_ask_at_once_after_a_change_have_the_office_read_once(api: Api, place: Place) -> None:
    await api.data(SLOTS, wanted(place))
    await booked(api, place, START)
    with statements() as sent:
        found = await asyncio.gather(*(api.data(SLOTS, wanted(place)) for _ in range(20)))
    assert len({one["slots"]["version"] for one in found}) == 1
    assert len([one for one in sent if "string_agg" in one]) == 1


async def test_a_search_after_a_booking_asks_for_the_version_once(api: Api, place: Place) -> None:
    await api.data(SLOTS, wanted(place))
    await booked(api, place, START)
    with statements() as sent:
        await api.data(SLOTS, wanted(place))
    assert sent.count(VERSIONS) == 1
    assert await sent_again(api) == 0
