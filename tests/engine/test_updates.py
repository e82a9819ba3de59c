from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rdv.engine.document import parse_instance
from rdv.engine.slots import Office
from rdv.engine.values import Answer, Instance
from tests.engine.random_instances import documents


def office_of(instance: Instance, before: Office | None = None) -> Office:
    days = [day for query in instance.queries for day in (query.from_date, query.to_date)]
    return Office(instance, min(days), max(days), before=before)


def answers(office: Office, instance: Instance) -> list[Answer]:
    return [office.answer(query, explain=True) for query in instance.queries]


@given(documents(agents=False) | documents(agents=True), st.data())
def test_what_is_taken_over_from_a_moment_ago_changes_no_answer(document: dict[str, Any], data: st.DataObject) -> None:
    instance = parse_instance(document)
    if not instance.queries:
        return
    office = office_of(instance)
    for _ in range(2):
        answers(office, instance)
        now = (
            data.draw(st.lists(st.sampled_from(instance.appointments), unique_by=lambda a: a.id))
            if (instance.appointments)
            else []
        )
        instance = replace(instance, appointments=tuple(now))
        office = office_of(instance, before=office)
        fresh = office_of(instance)
        assert answers(office, instance) == answers(fresh, instance)
        assert office.result() == fresh.result()
