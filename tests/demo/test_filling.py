import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest
from sqlalchemy import text

from rdv.engine import ticks
from rdv.engine.compile import Compiled
from rdv.errors import BadSetting
from rdv.models.database import Database
from rdv.models.demo import Filling
from rdv.models.nation import NationCache
from rdv.models.situation import Situation, load_situations
from rdv.usecases.demo import DemoWish, Prepared, is_loaded, prepare
from tests.country import settle_country

pytestmark = pytest.mark.anyio

NOW = datetime(2027, 3, 1, 7, 0, tzinfo=UTC)
TODAY = date(2027, 3, 1)
STAFFED_SEED = 6  # with it the office to try has agents
FILLED = ["sie-75101-01", "sip-75111-01", "sip-75112-01", "tresorerie-75101-01"]
DUMPED = {
    "office": "code, open_to_booking, step_minutes, min_lead_minutes, max_lead_days, staffed",
    "counter": "*",
    "agent": "*",
    "opening": "*",
    "day_exception": "*",
    "closure": "*",
    "usager": "*",
    "appointment": "*",
    "appointment_agent": "*",
}


def wish(
    *, now: datetime = NOW, departement: str = "75", fill: float = 0.6, seed: int = 1, reset: bool = False
) -> DemoWish:
    return DemoWish(departement=departement, fill=fill, seed=seed, now=now, reset=reset)


async def fill(database: Database, a_wish: DemoWish) -> Prepared:
    return await prepare(database, a_wish, lambda _done, _of: None)


async def rows(database: Database, statement: str) -> Sequence[Any]:
    async with database.reading() as connection:
        return (await connection.execute(text(statement))).all()


async def dump(database: Database) -> dict[str, Sequence[Any]]:
    return {
        table: await rows(database, f"select {columns} from {table} order by 1, 2") for table, columns in DUMPED.items()
    }


async def situations(database: Database, *, first: date = TODAY, days: int = 30) -> dict[str, Situation]:
    ids = [row.id for row in await rows(database, "select id from office order by id")]
    async with database.reading() as connection:
        nation = await NationCache().current(connection)
        found = await load_situations(connection, nation, ids, first=first, last=first + timedelta(days=days), now=NOW)
    return {situation.office.code: situation for situation in found.values()}


async def test_only_the_offices_that_receive_usagers_are_opened(country: Database) -> None:
    await fill(country, wish())
    opened = await rows(
        country,
        "select code, step_minutes, min_lead_minutes, max_lead_days from office where open_to_booking order by code",
    )
    assert [tuple(row) for row in opened] == [(code, 15, 120, 30) for code in FILLED]
    assert (
        await rows(country, "select 1 from counter c join office o on o.id = c.office_id where o.code like 'con%'")
        == []
    )


async def test_the_same_seed_and_clock_write_the_same_rows(country: Database, twin: Database) -> None:
    await fill(country, wish())
    await fill(twin, wish())
    assert await dump(country) == await dump(twin)


async def test_another_seed_writes_others(country: Database, twin: Database) -> None:
    await fill(country, wish(seed=1))
    await fill(twin, wish(seed=2))
    assert (await dump(country))["appointment"] != (await dump(twin))["appointment"]


async def test_every_appointment_sits_where_the_engine_allows_it(country: Database) -> None:
    await fill(country, wish())
    seen = 0
    for situation in (await situations(country)).values():
        compiled = Compiled(situation.instance, TODAY, TODAY + timedelta(days=30))
        for appointment, visit in zip(compiled.live.columns, compiled.visits(), strict=True):
            node = situation.reasons[int(appointment.reason)]
            assert visit.counter is not None
            assert visit.counters & compiled.exposed & 1 << visit.counter
            assert visit.served_by & ~visit.agents == 0
            assert visit.served_by.bit_count() == (node.agents_required if situation.office.staffed else 0)
            kind = compiled.kind(appointment.reason, appointment.channel, appointment.modality)
            assert dict(compiled.candidates(kind))[visit.counter] >> visit.start & 1
            assert (node.served, node.bookable) == (True, True)
            assert appointment.modality in node.modalities
            seen += 1
    assert seen == len(await rows(country, "select 1 from appointment"))


@pytest.mark.parametrize(("share", "booked"), [(0.0, 0.0), (0.3, 0.32), (0.6, 0.61), (0.9, 0.87), (1.0, 0.88)])
async def test_general_counters_are_booked_to_about_the_wanted_share(
    country: Database, share: float, booked: float
) -> None:
    await fill(country, wish(fill=share))
    situation = (await situations(country))["sip-75112-01"]
    compiled = Compiled(situation.instance, TODAY, TODAY + timedelta(days=30))
    begin, end = compiled.horizon.days(TODAY.toordinal(), TODAY.toordinal() + 30)
    room = (compiled.room(0) & ticks.interval(begin, end)).bit_count()
    visits = [visit for visit in compiled.visits() if visit.counter == 0]
    assert round(sum(visit.until - visit.start for visit in visits) / room, 2) == booked


async def test_usagers_and_references_are_of_nobody(country: Database) -> None:
    await fill(country, wish())
    found = await rows(country, "select * from appointment a join usager u on u.id = a.usager_id")
    assert len(found) == len(await rows(country, "select 1 from appointment"))
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\.\d+@example\.org", row.email) for row in found)
    assert all(re.fullmatch(r"\+3363998\d{4}", row.phone) for row in found)
    assert all(re.fullmatch(r"[2-9A-HJ-NP-Z]{12}", row.reference) for row in found)
    assert all("I" not in row.reference and "O" not in row.reference for row in found)
    assert {(row.status, row.access_code_hash, row.subject, row.pinned) for row in found} == {
        ("BOOKED", None, None, False)
    }
    assert all(row.created_at < min(NOW, row.starts_at) for row in found)


async def test_a_second_start_writes_nothing(country: Database) -> None:
    first = await fill(country, wish())
    before = await dump(country)
    assert await fill(country, wish(now=NOW + timedelta(days=7))) == first
    assert await dump(country) == before


async def test_other_parameters_are_reported_and_change_nothing(country: Database) -> None:
    first = await fill(country, wish())
    before = await dump(country)
    second = await fill(country, wish(fill=0.2, seed=9))
    assert (first.other, second.other) == (None, Filling(fill=0.6, seed=1))
    assert await dump(country) == before


async def test_a_reset_fills_with_the_new_parameters(country: Database) -> None:
    await fill(country, wish())
    again = await fill(country, wish(fill=0.0, reset=True))
    assert again.other is None
    assert await rows(country, "select 1 from appointment") == []
    assert await rows(country, "select 1 from usager") == []
    counted = await rows(country, "select count(*), count(distinct office_id) from counter where not retired")
    await fill(country, wish(fill=0.0, reset=True))
    assert await rows(country, "select count(*), count(distinct office_id) from counter") == counted


async def test_a_demo_of_last_week_is_topped_up_without_touching_what_is_there(country: Database) -> None:
    await fill(country, wish())
    before = {row.reference: tuple(row) for row in (await dump(country))["appointment"]}
    await fill(country, wish(now=NOW + timedelta(days=8)))
    after = {row.reference: tuple(row) for row in (await dump(country))["appointment"]}
    fresh = after.keys() - before.keys()
    assert {reference: after[reference] for reference in before} == before
    days = {row.day for row in (await dump(country))["appointment"] if row.reference in fresh}
    assert min(days) > TODAY + timedelta(days=30)
    assert max(days) <= TODAY + timedelta(days=38)


async def test_what_a_user_booked_meanwhile_is_kept_and_filled_around(country: Database) -> None:
    await fill(country, wish(fill=0.0))
    far = TODAY + timedelta(days=31)
    async with country.transaction() as connection:
        await connection.execute(
            text("""insert into appointment (office_id, reference, status, reason_id, day, starts_at, ends_at,
                        occupied_until, channel, modality, counter_id, pinned, created_at)
                    select o.id, 'MINE', 'BOOKED', r.id, :day, :start, :start + interval '15 minutes',
                           :start + interval '15 minutes', 'INTERNET', 'IN_PERSON', min(c.id), false, :now
                    from office o join counter c on c.office_id = o.id, reason r
                    where o.code = 'sip-75111-01' and r.code = 'taxes-pay-late' group by o.id, r.id"""),
            {"day": far, "start": datetime.combine(far, datetime.min.time(), UTC) + timedelta(hours=13), "now": NOW},
        )
    await country_fill_changes(country)
    await fill(country, wish(now=NOW + timedelta(days=8)))  # an overlap would violate the constraints
    assert len(await rows(country, "select 1 from appointment where reference = 'MINE'")) == 1
    assert len(await rows(country, "select 1 from appointment")) > 1


async def country_fill_changes(country: Database) -> None:
    """Let the top-up book everything that is free."""
    async with country.transaction() as connection:
        await connection.execute(text("update rdv_demo.filling set fill = 1"))


async def test_an_office_that_somebody_organised_is_left_alone(country: Database) -> None:
    async with country.transaction() as connection:
        await connection.execute(
            text("""insert into counter (office_id, label, exposed, retired)
                    select id, 'Le vrai guichet', true, false from office where code = 'sip-75111-01'""")
        )
    prepared = await fill(country, wish(reset=True))
    assert prepared.office.code == "sip-75112-01"
    found = await rows(
        country,
        """select o.open_to_booking, c.label from office o join counter c on c.office_id = o.id
           where o.code = 'sip-75111-01'""",
    )
    assert [tuple(row) for row in found] == [(False, "Le vrai guichet")]


async def test_a_departement_whose_offices_are_all_organised_is_refused(country: Database) -> None:
    async with country.transaction() as connection:
        await connection.execute(
            text("insert into counter (office_id, label, exposed, retired) select id, 'x', true, false from office")
        )
    with pytest.raises(
        BadSetting, match=r"^--departement: the offices of '75' are organised already, not by the demo$"
    ):
        await fill(country, wish())


async def test_an_unknown_departement_is_refused_with_those_that_are_known(country: Database) -> None:
    with pytest.raises(BadSetting, match=r"^--departement: there is no office in '99'; known are 75, 974$"):
        await fill(country, wish(departement="99"))
    assert await rows(country, "select 1 from counter") == []


async def test_the_office_to_try_is_a_sip_and_its_reason_is_free(country: Database) -> None:
    prepared = await fill(country, wish())
    assert (prepared.office.code, prepared.reason.code) == ("sip-75111-01", "taxes-pay-late")


async def test_when_all_is_booked_there_is_still_an_office_to_try(country: Database) -> None:
    prepared = await fill(country, wish(fill=1.0))
    assert prepared.office.kind == "SIP"


async def test_days_are_the_offices_own_overseas(country: Database) -> None:
    await fill(country, wish(departement="974"))
    zone = ZoneInfo("Indian/Reunion")
    found = await rows(country, "select day, starts_at from appointment")
    assert all(row.starts_at.astimezone(zone).date() == row.day for row in found)
    assert {row.starts_at.astimezone(zone).hour for row in found} <= set(range(8, 16))
    assert found


async def test_a_country_counts_as_loaded_once_everything_is_there(database: Database) -> None:
    assert not await is_loaded(database)
    await settle_country(database)
    assert await is_loaded(database)


async def test_progress_is_told_office_by_office(country: Database) -> None:
    told: list[tuple[int, int]] = []
    await prepare(country, wish(), lambda done, of: told.append((done, of)))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


async def test_two_demos_at_once_fill_once(country: Database) -> None:
    async with anyio.create_task_group() as both:
        both.start_soon(fill, country, wish())
        both.start_soon(fill, country, wish())
    assert [row.count for row in await rows(country, "select count(*) from rdv_demo.filling")] == [4]


async def test_the_local_agents_account_is_one_of_the_offices_agents(country: Database) -> None:
    prepared = await fill(country, wish(seed=STAFFED_SEED))
    await fill(country, wish(seed=STAFFED_SEED))  # named once, whoever starts again
    named = await rows(country, "select office_id, subject from agent where subject is not null")
    assert named == [(prepared.office.id, "demo-agent-local")]
