"""Lists that lead to relations are read in a constant number of statements, whatever their length."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import AsyncCursor

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models.database import Database
from rdv.models.line import Line
from rdv.models.versions import VERSIONS
from tests.api.conftest import Api, opened
from tests.api.steps import confirm, hold
from tests.api.test_queries import CASES
from tests.conftest import cloned
from tests.places import add_commune, add_office


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile."""
    sent: list[str] = []
    execute = AsyncCursor.execute

    async def noted(cursor: Any, statement: Any, *given: Any, **options: Any) -> Any:
        sent.append(str(statement))
        return await execute(cursor, statement, *given, **options)

    def noted_stream(cursor: Any, query: Any, *given: Any, **more: Any) -> Any:
        sent.append(str(query))
        return stream(cursor, query, *given, **more)

    stream, ask = AsyncCursor.stream, Line.ask

    def noted_ask(*given: Any, **more: Any) -> None:
        sent.append(VERSIONS)
        ask(*given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncCursor, "execute", noted)  # under SQLAlchemy, and where there is none
        patch.setattr(AsyncCursor, "stream", noted_stream)
        patch.setattr(Line, "ask", noted_ask)  # where there is not even a cursor
        yield sent


async def count(server: str, template: str, name: str, size: int) -> int:
    """Return how many statements a document's case takes at an office with so many counters and agents."""
    with cloned(server, template) as url:
        database = Database(url)
        place = await add_office(database, counters=size)
        await add_commune(database, "75102", "Paris 2e arrondissement", ["75002"], place.office)
        # Of a pool of one: who held a connection and needed another would wait in vain.
        async with opened(url, pool_size=1) as api:
            with statements() as sent:
                await CASES[name][0](api, place)
        await database.close()
    return len(sent)


@pytest.mark.parametrize("name", sorted(CASES))
async def test_a_document_takes_no_more_statements_for_a_large_office_than_for_a_small_one(
    server: str, migrated_template: str, name: str
) -> None:
    small, large = [await count(server, migrated_template, name, size) for size in (1, 9)]
    assert large <= small, (small, large)


async def test_offices_with_counters_and_reasons_are_read_in_as_many_statements_however_many(
    api: Api, database: Database
) -> None:
    document = """query($reason: ID!) {
      earliestSlots(input: {reasonId: $reason, departement: "75", first: 60}) {
        office { counters { label reasons { label } } reasons { label parent { label } } parameters { stepMinutes } }
      }
    }"""
    place = await add_office(database)
    await api.data(document, {"reason": place.reasons["declare"]})  # the tree of reasons is read once a process
    counts = []
    for many in (2, 50):
        for number in range(many):
            await add_office(database, code=f"sip-75101-{many}-{number}", reasons=place.reasons, counters=3)
        with statements() as sent:
            found = await api.data(document, {"reason": place.reasons["declare"]})
        counts.append(len(sent))
        assert len(found["earliestSlots"]) > many
        assert sum("from appointment" in one for one in sent) == 1  # all offices' situations
    assert counts[0] == counts[1]


async def test_offices_counters_reasons_appointments_and_their_usagers_take_as_many_statements_however_many(
    api: Api, database: Database
) -> None:
    document = """query($offices: [ID!]!, $reason: ID!) {
      earliestSlots(input: {reasonId: $reason, officeIds: $offices, first: 60}) {
        office {
          counters { label reasons { label } }
          reasons { label }
          appointments(from: "2027-03-03", to: "2027-03-03") {
            totalCount
            edges { node { reason { label } counter { label } usager { appointments(first: 5) { totalCount } } } }
          }
        }
      }
    }"""
    first = await add_office(database)
    places = [await add_office(database, code=f"sip-75101-{n}", reasons=first.reasons, counters=2) for n in range(50)]
    national = Viewer(kind=ViewerKind.AGENT, subject="a", profile=Profile.NATIONAL, scope=Scope.NATIONAL)
    api.viewers.known["national"] = national
    for number, place in enumerate(places):
        for hour in ("09", "10"):
            usager = {"firstName": "Camille", "lastName": f"Exemple {number}", "email": f"c{number}{hour}@example.org"}
            held = await hold(api, place, f"2027-03-03T{hour}:00:00+01:00")
            await confirm(api, held["token"], usager=usager)
    counts = []
    for many in (2, 50):
        given = {"offices": [str(one.office) for one in places[:many]], "reason": first.reasons["declare"]}
        await api.data(document, given, who="national")  # what is kept by the process is there
        with statements() as sent:
            found = (await api.data(document, given, who="national"))["earliestSlots"]
        counts.append(len(sent))
        assert [one["office"]["appointments"]["totalCount"] for one in found] == [2] * many
        usagers = [edge["node"]["usager"] for one in found for edge in one["office"]["appointments"]["edges"]]
        assert [one["appointments"]["totalCount"] for one in usagers] == [1] * 2 * many
    assert counts[0] == counts[1]
