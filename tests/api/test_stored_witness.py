"""What the database holds after each step of a day's business can be honoured as it stands."""

from random import Random
from typing import Any

import pytest

from rdv.engine.referee import violations
from rdv.engine.values import Appointment
from rdv.engine.values import Place as Seat
from rdv.models.database import Database
from rdv.models.nation import NationCache
from rdv.models.offices import Counter
from rdv.models.situation import load_situations
from tests.api.conftest import Api
from tests.api.steps import cancel, confirm, hold, move, search
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
        if confirmed:
            made = await confirm(self.api, held["token"])
            self.keys.append({"reference": made["appointment"]["reference"], "accessCode": made["accessCode"]})

    async def start(self, reason: str) -> str | None:
        days = (await search(self.api, self.place, reason, **{"from": DAY, "to": DAY}))["days"]
        starts = [start for day in days for start in day["starts"]]
        return self.random.choice(starts) if starts else None


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_booked_moved_and_cancelled_the_stored_seats_can_be_honoured(
    api: Api, database: Database, seed: int
) -> None:
    place = await add_office(database, agents=3, max_appointments_per_usager=100)
    for reasons in (["correct"], ["correct", "survey"]):
        nodes = [place.reasons[reason] for reason in reasons]
        place.counters += await add(database, Counter(office_id=place.office, label="Guichet", reason_ids=nodes))
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
