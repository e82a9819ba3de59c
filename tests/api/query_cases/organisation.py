"""The documents by which an office is organised."""

from typing import Any

from tests.api.conftest import Api
from tests.api.query_cases.journey import Case
from tests.api.staff import change
from tests.places import Place


async def create_counter(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "create_counter", label="Guichet 2", reasonIds=[place.reasons["land"]])


async def update_counter(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "update_counter", counterId=place.counters[0], label="Accueil")


async def retire_counter(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "retire_counter", counterId=place.counters[0])


async def add_closure(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "add_closure", fromDate="2027-03-04", toDate="2027-03-05", toTime="12:00")


async def remove_closure(api: Api, place: Place) -> dict[str, Any]:
    (made,) = (await add_closure(api, place))["madeIds"]
    return await change(api, place, "remove_closure", closureId=made)


async def publish_planning(api: Api, place: Place) -> dict[str, Any]:
    changes = [{"createCounter": {"label": "Guichet 2"}}, {"createCounter": {"label": "Guichet 3"}}]
    return await change(api, place, "publish_planning", changes=changes)


CASES: dict[str, tuple[Case, str, Any]] = {
    "add_closure": (add_closure, "revision", 1),
    "create_counter": (create_counter, "office.counters.1.label", "Guichet 2"),
    "publish_planning": (publish_planning, "office.counters.2.label", "Guichet 3"),
    "remove_closure": (remove_closure, "revision", 2),
    "retire_counter": (retire_counter, "office.counters", []),
    "update_counter": (update_counter, "office.counters.0.label", "Accueil"),
}
