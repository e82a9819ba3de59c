"""What only has other appointments is read by its changed days, and is then what reading all of it would give."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from rdv.models import packed, renewal
from rdv.models.appointments import Appointment, AppointmentAgent
from rdv.models.database import Database
from rdv.models.nation import NationCache
from rdv.models.renewal import renew_situations
from rdv.models.situation import Situation, directly, load_situations
from tests.places import NOW, Place, add, add_office

FIRST, LAST = date(2027, 3, 1), date(2027, 3, 12)
WORKDAYS = [FIRST + timedelta(days=later) for later in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)]
references = map(str, count())
Slot = tuple[int, date, int]

# The last one to another day, where nobody is about that time.
MOVE = """
update appointment
set day = :day, counter_id = :counter, starts_at = starts_at + (:day - day) * interval '1 day',
    ends_at = ends_at + (:day - day) * interval '1 day',
    occupied_until = occupied_until + (:day - day) * interval '1 day'
where id = (select max(id) from appointment) and not exists (
  select 1 from appointment b where b.counter_id = :counter and b.day = :day)
"""


class Scene:
    """An office, and how it is read."""

    def __init__(self, database: Database, place: Place) -> None:
        self.database, self.place = database, place
        self.now = NOW

    async def whole(self) -> Situation:
        async with self.database.reading() as connection:
            nation = await NationCache().current(connection)
            found = await load_situations(connection, nation, [self.place.office], first=FIRST, last=LAST, now=self.now)
        return found[self.place.office]

    async def renewed(self, before: Situation) -> Situation | None:
        async with self.database.reading() as connection:
            office = self.place.office
            found = await renew_situations(
                connection, {office: before}, first=FIRST, last=LAST, now=self.now, run=directly
            )
        return found.get(office)

    async def do(self, statement: str, **bound: Any) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(text(statement), bound)

    async def book(self, slot: Slot, minutes_ago: int, **columns: Any) -> int:
        counter, day, number = slot
        start = NOW + timedelta(days=(day - FIRST).days, hours=1, minutes=30 * number)
        given: dict[str, Any] = {
            "reference": next(references),
            "status": "BOOKED",
            "reason_id": self.place.reasons["declare"],
            "day": day,
            "starts_at": start,
            "ends_at": start + timedelta(minutes=30),
            "occupied_until": start + timedelta(minutes=30),
            "channel": "INTERNET",
            "modality": "IN_PERSON",
            "counter_id": self.place.counters[counter],
            # Days from each other, so that the order in which they were made is not that of the days.
            "created_at": NOW - timedelta(minutes=minutes_ago),
        }
        (made,) = await add(self.database, Appointment(office_id=self.place.office, **given | columns))
        return made


@pytest.fixture
async def scene(database: Database) -> Scene:
    return Scene(database, await add_office(database, counters=2, agents=2))


def shown(one: Situation) -> dict[str, Any]:
    columns = one.instance.appointments
    return {
        "appointments": list(columns),
        "listed": (list(one.listed.columns), one.listed.day.tolist(), one.listed.created.tolist()),
        "instance": replace(one.instance, appointments=()),
        "version": one.version,
        "until": one.until,
        "horizon": one.horizon,
    }


async def happens(scene: Scene, random: Random, slots: list[Slot]) -> None:
    """Let one thing happen that a day's version tells, or an hour pass."""
    what = random.choice(["book"] * 6 + ["hold", "cancel", "move", "pin", "strand", "delete", "serve", "wait"])
    some = "id in (select id from appointment where status <> 'CANCELLED' order by md5(reference) limit 1)"
    if what in ("book", "hold") and slots:
        hold = {"status": "HELD", "expires_at": scene.now + timedelta(minutes=random.choice([20, 90]))}
        await scene.book(slots.pop(), random.randrange(9_000), **(hold if what == "hold" else {}))
    elif what == "cancel":
        await scene.do(f"update appointment set status = 'CANCELLED' where {some}")
    elif what == "move" and slots:
        counter, day, _ = slots.pop()
        await scene.do(MOVE, day=day, counter=scene.place.counters[counter])
    elif what == "pin":
        await scene.do(f"update appointment set pinned = not pinned where {some}")
    elif what == "strand":
        await scene.do(f"update appointment set stranded_since = :now where {some}", now=scene.now)
    elif what == "delete":
        await scene.do("delete from appointment where id = (select min(id) from appointment)")
    elif what == "serve":
        agent = random.choice(scene.place.agents)
        await scene.do(
            "insert into appointment_agent (office_id, appointment_id, agent_id) select a.office_id, a.id, :agent "
            "from appointment a where not exists (select 1 from appointment_agent g join appointment b "
            "on b.id = g.appointment_id where b.starts_at = a.starts_at) order by id limit 1",
            agent=agent,
        )
    elif what == "wait":
        scene.now += timedelta(minutes=30)


@pytest.mark.parametrize("seed", range(4))
async def test_reading_the_changed_days_gives_what_reading_all_gives(scene: Scene, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - the test's own choices
    slots = [(counter, day, number) for counter in (0, 1) for day in WORKDAYS for number in range(4)]
    random.shuffle(slots)
    renewed = await scene.whole()
    for _ in range(25):
        for _ in range(random.randrange(3)):
            await happens(scene, random, slots)
        found = await scene.renewed(renewed)
        assert found is not None
        assert shown(found) == shown(await scene.whole())
        renewed = found
    assert len(renewed.instance.appointments) > 3, "it is about nobody"


async def test_only_days_that_changed_are_read_again(scene: Scene) -> None:
    for number, day in enumerate(WORKDAYS):
        await scene.book((0, day, 0), number)
    before = await scene.whole()
    await scene.book((1, WORKDAYS[3], 0), 1)
    read: list[Any] = []
    rows = renewal.packed_rows

    async def noted(*given: Any) -> Any:
        read.extend(found := await rows(*given))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(renewal, "packed_rows", noted)
        found = await scene.renewed(before)
    assert found is not None
    (row,) = read
    listed = packed.listed(row["appointments"], row["served_by"])
    assert (row["changed"], len(listed.columns)) == ([WORKDAYS[3]], 2)
    assert len(found.instance.appointments) == len(WORKDAYS) + 1


async def test_an_office_that_changed_otherwise_is_left_to_be_read_as_a_whole(scene: Scene) -> None:
    before = await scene.whole()
    await scene.do("update office set step_minutes = 60 where id = :id", id=scene.place.office)
    assert await scene.renewed(before) is None


async def test_so_is_one_under_another_nation(scene: Scene) -> None:
    before = await scene.whole()
    await scene.do("update reason set duration_minutes = 20 where code = 'declare'")
    assert await scene.renewed(before) is None


@pytest.mark.parametrize("unknown", ["reason", "counter", "agent"])
async def test_so_is_one_where_somebody_needs_what_was_in_nobodys_use(scene: Scene, unknown: str) -> None:
    retired = {"counter": scene.place.counters[1], "agent": scene.place.agents[1]}
    await scene.do("update counter set retired = true where id = :id", id=retired["counter"])
    await scene.do("update agent set retired = true where id = :id", id=retired["agent"])
    before = await scene.whole()
    node = {"reason_id": scene.place.reasons["income"]} if unknown == "reason" else {}
    made = await scene.book((int(unknown == "counter"), WORKDAYS[2], 0), 1, **node)
    if unknown == "agent":
        serving = AppointmentAgent(office_id=scene.place.office, appointment_id=made, agent_id=retired["agent"])
        serving.starts_at = serving.occupied_until = NOW  # the trigger writes the appointment's
        await add(scene.database, serving)
    assert await scene.renewed(before) is None
