"""Reasons of one kind (as long, at the same counters) are worked out once, and answered each for itself."""

from typing import Any

import pytest

from rdv.engine import slots
from rdv.models.database import Database
from rdv.models.offices import Counter
from rdv.models.reasons import Reason
from tests.api.conftest import Api
from tests.api.staff import change
from tests.api.steps import search
from tests.places import Place, add, add_office

WEDNESDAY = {"from": "2027-03-03", "to": "2027-03-03"}


@pytest.fixture
async def place(database: Database) -> Place:
    """An office with another reason, `pay`, as long as `declare`."""
    place = await add_office(database)
    (place.reasons["pay"],) = await add(
        database,
        Reason(
            code="pay",
            labels={"fr": "Payer", "en": "Pay"},
            parent_id=place.reasons["income"],
            level=2,
            position=2,
            bookable=True,
            office_kinds=["SIP"],
            modalities=["IN_PERSON", "PHONE"],
        ),
    )
    return place


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The reasons the engine is asked about."""
    asked: list[str] = []
    answer = slots.Office.answer

    def noted(office: slots.Office, query: Any, **more: Any) -> Any:
        asked.append(query.reason)
        return answer(office, query, **more)

    monkeypatch.setattr(slots.Office, "answer", noted)
    return asked


async def both(api: Api, place: Place, **more: Any) -> list[dict[str, Any]]:
    return [await search(api, place, reason, **WEDNESDAY | more) for reason in ("declare", "pay")]


async def test_two_reasons_that_differ_in_name_only_are_worked_out_once(
    api: Api, place: Place, worked_out: list[str]
) -> None:
    declare, pay = await both(api, place)
    assert declare == pay
    assert worked_out == [str(place.reasons["declare"])]


async def test_other_days_and_ways_to_be_received_are_worked_out_for_themselves(
    api: Api, place: Place, worked_out: list[str]
) -> None:
    await both(api, place)
    await both(api, place, modality="PHONE")
    await both(api, place, to="2027-03-04")
    assert len(worked_out) == 3


async def test_a_counter_for_one_of_them_tells_them_apart(api: Api, database: Database, place: Place) -> None:
    await add(database, Counter(office_id=place.office, label="Guichet 2", reason_ids=[place.reasons["pay"]]))
    declare, pay = await both(api, place)
    assert (declare["first"]["remaining"], pay["first"]["remaining"]) == (1, 2)


async def test_so_does_a_quota(api: Api, place: Place) -> None:
    await change(api, place, "set_reason_quota", reasonId=place.reasons["declare"], mostADay=0)
    declare, pay = await both(api, place)
    assert declare["count"] == 0
    assert pay["count"] > 0


async def test_each_is_told_apart_where_it_is_asked_why(api: Api, place: Place, worked_out: list[str]) -> None:
    document = "query($input: SlotsInput!) { slots(input: $input) { count why { code } } }"
    for reason in ("declare", "pay"):
        wanted = {"officeId": place.office, "reasonId": place.reasons[reason]} | WEDNESDAY
        await api.data(document, {"input": wanted})
    assert len(worked_out) == 2
