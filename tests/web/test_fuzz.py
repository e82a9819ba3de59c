"""Operations at random, by the schema: whatever valid or slightly invalid thing is asked, by whomever, no failure.

Ids, codes and references are often those of what is there, so that the operations reach what lies behind the first
check. 10,000 operations with RDV_TEST_PROFILE=nightly.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from graphql import (
    ArgumentNode,
    DocumentNode,
    GraphQLSchema,
    IntValueNode,
    ObjectFieldNode,
    StringValueNode,
    Visitor,
    build_schema,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import Mode, from_schema

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models.database import Database, with_name
from rdv.schema import printed
from tests.api.conftest import Api, opened
from tests.api.steps import booked
from tests.conftest import administer
from tests.places import NOW, Place, add_office

PROFILES = {"nightly": 10_000, "ci": 500}
OPERATIONS = int(os.environ.get("RDV_FUZZ", "0")) or PROFILES.get(os.environ.get("RDV_TEST_PROFILE", "dev"), 100)
SCHEMA: GraphQLSchema = build_schema(printed())
VIEWERS = {
    "usager": Viewer(kind=ViewerKind.USAGER, subject="usager", name="Camille"),
    "agent": Viewer(
        kind=ViewerKind.AGENT, subject="a", profile=Profile.LOCAL, scope=Scope.OWN, offices=frozenset({"here"})
    ),
    "administrator": Viewer(kind=ViewerKind.ADMINISTRATOR, subject="n", profile=Profile.NATIONAL, scope=Scope.NATIONAL),
    "device": Viewer(kind=ViewerKind.DEVICE, subject="d", scope=Scope.OWN, offices=frozenset({"here"})),
}

days = st.dates(date(2027, 2, 25), date(2027, 4, 10))
moments = st.builds(
    lambda minutes, offset: (NOW + timedelta(minutes=5 * minutes)).strftime("%Y-%m-%dT%H:%M:00") + offset,
    st.integers(-300, 3_000),
    st.sampled_from(["+01:00", "Z", "-10:00"]),
)


def value(text: str) -> StringValueNode:
    return StringValueNode(value=text)


times = st.integers(0, 24 * 12).map(lambda at: value(f"{at // 12:02}:{at % 12 * 5:02}"))
VALID = {
    "LocalTime": times,
    "Date": days.map(lambda day: value(day.isoformat())),
    "DateTime": moments.map(value),
    "JSON": st.text(max_size=30).map(value),
}
ANYTHING = {name: st.one_of(valid, st.text(max_size=30).map(value)) for name, valid in VALID.items()}


@dataclass
class There:
    """A running application with something in it."""

    api: Api
    portal: BlockingPortal
    known: dict[str, list[str]]

    def post(self, query: str, who: str | None) -> tuple[int, dict[str, Any]]:
        headers = {"authorization": f"Bearer {who}"} if who else {}

        async def sent() -> tuple[int, dict[str, Any]]:
            response = await self.api.client.post("/graphql", json={"query": query}, headers=headers)
            return response.status_code, response.json()

        return self.portal.call(sent)


@pytest.fixture(scope="module")
def there(server: str, migrated_template: str) -> Iterator[There]:
    name = f"rdv_fuzz_{os.getpid()}"
    administer(server, "create database {name} template {template}", name=name, template=migrated_template)
    address = with_name(server, name)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(opened(address)) as api:
        api.viewers.known = dict(VIEWERS)
        place, other, keys = portal.call(filled, address, api)
        known = {
            "officeId": [str(place.office)],
            "reasonId": [str(place.reasons[reason]) for reason in ("declare", "correct", "survey")],
            "id": [str(place.office), *map(str, place.counters), *map(str, place.agents)],
            "code": ["here"],
            "reference": [keys["reference"]],
            "accessCode": [keys["accessCode"]],
            "parentId": [str(place.reasons["income"])],
            "toOfficeId": [str(other.office)],
            "counterId": [str(one) for one in place.counters],
            "agentId": [str(one) for one in place.agents],
        }
        yield There(api, portal, known)
    administer(server, "drop database {name} with (force)", name=name)


async def filled(address: str, api: Api) -> tuple[Place, Place, dict[str, str]]:
    database = Database(address)
    place = await add_office(database, code="here", counters=2, agents=2)
    other = await add_office(database, code="there", reasons=place.reasons)
    await database.close()
    return place, other, await booked(api, place, "2027-03-02T10:00:00+01:00", who="usager")


class Known(Visitor):
    """Puts what is there in place of three of four ids."""

    def __init__(self, known: dict[str, list[str]]) -> None:
        super().__init__()
        self._known = known

    def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
        return self._replaced(node)

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> Any:
        return self._replaced(node)

    def _replaced(self, node: ArgumentNode | ObjectFieldNode) -> Any:
        known = self._known.get(node.name.value) or (self._known["id"] if node.name.value.endswith("Id") else None)
        if known is None or not isinstance(node.value, StringValueNode | IntValueNode):
            return None
        number = sum(node.value.value.encode())
        if number % 4 == 0:
            return None
        return type(node)(name=node.name, value=value(known[number % len(known)]))


def documents(mode: Mode) -> st.SearchStrategy[DocumentNode]:
    scalars = VALID if mode is Mode.POSITIVE else ANYTHING
    return from_schema(SCHEMA, custom_scalars=scalars, print_ast=lambda tree: tree, mode=mode)


# Where a field fails, graphql-core cancels tasks beside it; those that have not begun never await what they were given,
# which is what a cancelled operation should do. It closes none of it, so Python warns.
@pytest.mark.filterwarnings("ignore:coroutine '(Executor|GraphQLCoreConverter)[.].* was never awaited:RuntimeWarning")
@pytest.mark.parametrize("mode", [Mode.POSITIVE, Mode.NEGATIVE])
def test_no_operation_ends_in_a_failure(there: There, mode: Mode) -> None:
    codes: dict[str, int] = {}

    @settings(max_examples=OPERATIONS // 2, deadline=None, suppress_health_check=list(HealthCheck))
    @given(documents(mode), st.sampled_from([None, *VIEWERS]))
    def check(tree: DocumentNode, who: str | None) -> None:
        query = print_ast(visit(tree, Known(there.known)))
        query = query if len(query) < 50_000 else "{ __typename }"
        status, answer = there.post(query, who)
        assert status in (200, 400), (status, answer)
        for error in answer.get("errors", ()):
            code = error.get("extensions", {}).get("code", "")
            assert code != "INTERNAL", (error, query)
            codes[code] = codes.get(code, 0) + 1
        codes["data"] = codes.get("data", 0) + bool(answer.get("data"))

    check()
    if mode is Mode.POSITIVE:
        assert codes["data"] > OPERATIONS // 20, codes  # it is not all refused at the door
