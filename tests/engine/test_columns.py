from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rdv.engine.columns import Coded, Columns
from rdv.engine.document import parse_instance
from rdv.engine.slots import Office
from rdv.engine.values import Appointment, Instance
from tests.engine.random_instances import documents


def to_the_minute(appointment: Appointment) -> Appointment:
    start = appointment.start.astimezone(UTC)
    return replace(appointment, start=start.replace(second=0, microsecond=0))


def result_of(instance: Instance) -> object:
    return Office(instance, *period(instance)).result(explain=True)


def period(instance: Instance) -> Any:
    days = [day for query in instance.queries for day in (query.from_date, query.to_date)]
    return min(days), max(days)


@given(documents(agents=False) | documents(agents=True))
def test_columns_hold_the_appointments_they_were_made_of(document: dict[str, Any]) -> None:
    appointments = parse_instance(document).appointments
    columns = Columns.of(appointments)
    assert list(columns) == [to_the_minute(a) for a in appointments]
    assert columns[:] == list(columns)
    assert [columns.row_of(a.id) for a in appointments] == list(range(len(appointments)))
    assert columns.row_of("nobody") is None


@given(documents(agents=False) | documents(agents=True))
def test_those_that_take_room_are_the_same_by_columns_and_one_by_one(document: dict[str, Any]) -> None:
    instance = parse_instance(document)
    for later in (-120, 0, 1, 120):
        now = instance.now + timedelta(minutes=later)
        found = Columns.of(instance.appointments).taking_room(now)
        live = [a for a in instance.appointments if a.takes_room(now)]
        assert [a.id for a in found] == [a.id for a in live]
        holds = [a.expires_at for a in live if a.status == "HELD" and a.expires_at is not None]
        assert found.next_expiry() == min(holds, default=None)


@given(documents(agents=False) | documents(agents=True), st.data())
def test_rows_can_be_taken_in_any_order_from_what_was_joined(document: dict[str, Any], data: st.DataObject) -> None:
    appointments = [to_the_minute(a) for a in parse_instance(document).appointments]
    parted = data.draw(st.integers(0, len(appointments)))
    joined = Columns.of(appointments[:parted]).joined(Columns.of(appointments[parted:]))
    wanted = data.draw(st.permutations(range(len(appointments))))[: data.draw(st.integers(0, len(appointments)))]
    assert list(joined.only(np.array(wanted, np.intp))) == [appointments[row] for row in wanted]


@given(documents(agents=False) | documents(agents=True))
def test_numbers_as_ids_answer_as_texts_do(document: dict[str, Any]) -> None:
    instance = parse_instance(document)
    columns = Columns.of(instance.appointments)
    numbered = replace(columns, ids=np.array([int(a.id) for a in instance.appointments], np.int64))
    assert result_of(replace(instance, appointments=numbered)) == result_of(instance)


def test_numbers_are_coded_by_their_texts_and_negative_ones_are_nobody() -> None:
    coded = Coded.of_numbers(np.array([30, -1, 7, 30]))
    assert [coded.at(row) for row in range(4)] == ["30", None, "7", "30"]
    assert coded.translated({"7": 0, "8": 1}).tolist() == [-1, -1, 0, -1]
