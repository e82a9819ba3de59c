"""What a booking has made out of date is forgotten at once, not when the garbage collector comes by."""

import gc
from collections.abc import Iterator

import pytest

from rdv.models.database import Database
from rdv.usecases.agendas import Agenda
from tests.api.conftest import Api
from tests.places import add_office


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
async def test_an_offices_earlier_agendas_are_not_kept_by_answers_that_were_made_of_them(
    api: Api, database: Database
) -> None:
    place = await add_office(database, counters=2)
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"]}
    starts = [f"2027-03-{day:02}T10:00:00+01:00" for day in (3, 4, 5, 8)]
    for start in starts:
        days = {"from": "2027-03-01", "to": "2027-03-12"}
        found = await api.data("search_slots", {"input": wanted | days})
        assert start in str(found)
        assert (await api.data("hold_slot", {"input": wanted | {"start": start}}))["holdSlot"]["token"]
    kept = [one for one in gc.get_objects() if isinstance(one, Agenda) and one.situation.office.id == place.office]
    assert len(kept) == 1
