"""What the database holds after each step of a day's business can be honoured as it stands."""

from datetime import date
from random import Random
from typing import Any

import pytest

from rdv.engine.referee import violations
from rdv.engine.values import Appointment
from rdv.engine.values import Place as Seat
from rdv.models.agents import Agent
from rdv.models.database import Database
from rdv.models.nation import NationCache
from rdv.models.offices import Counter
from rdv.models.planning import Opening
from rdv.models.situation import load_situations
from tests.api.conftest import Api
from tests.api.steps import cancel, confirm, hold, move, search
from tests.models.test_renewal import Scene
from tests.places import Place, add, add_office

DAY = "2027-03-03"
STEPS = 40


async def stored(api: Api, database: Database, place: Place) -> list[Appointment]:
    """Return the appointments as they stand, once the referee has passed them."""
    now = api.clock()
    async with database.reading() as connection:
        nation = await NationCache().current(connection)
        found = await load_situations(
            connection, nation, [place.office], first=now.date(), last=now.date().replace(day=5), now=now
        )
    instance = found[place.office].instance
    seats = {a.id: Seat(a.counter or "", a.agents) for a in instance.appointments}
    assert violations(instance, seats) == []
    return list(instance.appointments)


class Business:
    """A seeded day: usagers hold, confirm, move and cancel at random, and some let their hold expire."""

    def __init__(self, api: Api, place: Place, seed: int) -> None:
        self.api = api
        self.place = place
        self.random = Random(seed)  # noqa: S311 - the test's own choices
        self.keys: list[dict[str, Any]] = []

    async def step(self) -> str:
        what = self.random.choice(["book", "book", "book", "let go", "move", "cancel", "wait"])
        if what in {"move", "cancel"} and not self.keys:
            what = "book"
        if what == "wait":
            self.api.clock.forward(minutes=self.random.choice([1, 11]))
        elif what == "cancel":
            await cancel(self.api, self.keys.pop(self.random.randrange(len(self.keys))))
        elif what == "move":
            keys = self.random.choice(self.keys)
            if start := await self.start("declare"):
                await move(self.api, keys, start)
        else:
            await self.book(confirmed=what == "book")
        return what

    async def book(self, *, confirmed: bool) -> None:
        reason = self.random.choice(["declare", "correct", "correct", "survey"])
        start = await self.start(reason)
        if start is None:
            return
        held = await hold(self.api, self.place, start, reason)
        assert held["__typename"] == "Hold", "nobody else is here: what is offered can be had"
        assert held["slot"]["remaining"] == await self.left(reason, start)
        if confirmed:
            made = await confirm(self.api, held["token"])
            self.keys.append({"reference": made["appointment"]["reference"], "accessCode": made["accessCode"]})

    async def left(self, reason: str, start: str) -> int:
        document = "query($input: SlotsInput!) { slots(input: $input) { days { slots { start remaining } } } }"
        wanted = {"officeId": self.place.office, "reasonId": self.place.reasons[reason], "from": DAY, "to": DAY}
        days = (await self.api.data(document, {"input": wanted}))["slots"]["days"]
        return sum(slot["remaining"] for day in days for slot in day["slots"] if slot["start"] == start)

    async def start(self, reason: str) -> str | None:
        days = (await search(self.api, self.place, reason, **{"from": DAY, "to": DAY}))["days"]
        starts = [start for day in days for start in day["starts"]]
        return self.random.choice(starts) if starts else None


async def office_of_specialists(database: Database) -> Place:
    place = await add_office(database, agents=3, max_appointments_per_usager=100)
    for reasons in (["correct"], ["correct", "survey"]):
        nodes = [place.reasons[reason] for reason in reasons]
        place.counters += await add(database, Counter(office_id=place.office, label="Guichet", reason_ids=nodes))
    return place


@pytest.mark.parametrize(("hours", "left"), [(0, 1), (36, 0)])
async def test_on_a_frozen_day_a_hold_may_take_the_place_of_two(
    api: Api, database: Database, hours: int, left: int
) -> None:
    place = await add_office(database, counters=2, staffed=True)
    declare, correct, survey = (place.reasons[reason] for reason in ("declare", "correct", "survey"))
    both, one = place.counters, place.counters[:1]
    await add(
        database,
        Agent(office_id=place.office, display_name="1", reason_ids=[declare], counter_ids=both),
        Agent(office_id=place.office, display_name="2", reason_ids=[declare, correct, survey], counter_ids=one),
    )
    business = Business(api, place, 0)
    start = f"{DAY}T10:00:00+01:00"
    assert await business.left("declare", start) == 2
    api.clock.forward(hours=hours)
    held = await hold(api, place, start)  # with whom can do least, at the only counter of the other
    assert (held["slot"]["remaining"], await business.left("declare", start)) == (left, left)


async def test_where_grids_differ_a_hold_may_leave_as_many_as_there_were(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2)
    for counter, begin in zip(place.counters, (9 * 60, 9 * 60 + 10), strict=True):
        hours = {"start_minute": begin, "end_minute": begin + 180, "weekdays": [1, 2, 3, 4, 5]}
        await add(database, Opening(office_id=place.office, counter_id=counter, **hours))
    business, start = Business(api, place, 0), f"{DAY}T10:00:00+01:00"
    for left in (1, 0):  # the first of them may move to the counter whose grid lacks the start
        held = await hold(api, place, start)
        assert (held["slot"]["remaining"], await business.left("declare", start)) == (left, left)


async def test_a_compact_office_may_not_offer_a_start_any_more_once_it_was_held(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2, slot_policy="COMPACT")
    scene = Scene(database, place)
    for counter, halves in enumerate([(0, 1, 3, 4, 5), (0, 5)]):  # ten is all that is free at the first
        for half in halves:
            await scene.book((counter, date.fromisoformat(DAY), half), 1, pinned=True)
    business, start = Business(api, place, 0), f"{DAY}T10:00:00+01:00"
    assert await business.left("declare", start) == 2
    held = await hold(api, place, start)
    assert (held["slot"]["remaining"], await business.left("declare", start)) == (0, 0)


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_booked_moved_and_cancelled_the_stored_seats_can_be_honoured(
    api: Api, database: Database, seed: int
) -> None:
    place = await office_of_specialists(database)
    business = Business(api, place, seed)
    moved = 0
    before: dict[str, Seat] = {}
    for _ in range(STEPS):
        await business.step()
        now = {a.id: Seat(a.counter or "", a.agents) for a in await stored(api, database, place)}
        moved += sum(before[name] != now[name] for name in before.keys() & now.keys())
        before = now
    assert len(before) > 5
    assert moved > 0, "somebody had to make room for somebody else"
