"""What one request and one caller may ask for, how long it may take, and what answers say about themselves."""

import asyncio
import re
from typing import Any

import psycopg
import pytest

from rdv.errors import BadSetting
from rdv.integrations.viewer import Viewer, ViewerKind
from rdv.models.database import Database
from rdv.web.rates import Rates, caller_by, rate_from
from tests.api.conftest import KnownViewers
from tests.places import Place, add_office
from tests.web.conftest import Opening

TYPENAME = {"query": "{ __typename }"}


async def test_an_answer_says_what_it_was_estimated_to_cost(opened: Opening) -> None:
    answer = (await (await opened()).post("/graphql", json=TYPENAME)).json()
    assert answer["extensions"]["cost"] == {"estimated": 1, "limit": 50_000}


@pytest.mark.parametrize(
    ("settings", "query", "what"),
    [
        ({"max_cost": 1_000}, "{ reasons { children { children { children { id } } } } }", "estimated cost"),
        ({"max_depth": 5}, "{ reasons { parent { parent { parent { parent { id } } } } } }", "depth"),
        ({"max_aliases": 1}, "{ a: __typename b: __typename }", "number of aliases"),
        ({}, "{" + "viewer { kind } " * 200 + "}", "number of repeated selections"),
    ],
)
async def test_an_operation_that_asks_for_too_much_is_refused_with_the_figure(
    opened: Opening, settings: dict[str, int], query: str, what: str
) -> None:
    refused = await (await opened(**settings)).post("/graphql", json={"query": query})
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["extensions"]["code"]) == (400, "TOO_COSTLY")
    figures = re.search(rf"its {what} is at least (\d+), the limit (\d+)", error["message"])
    assert figures
    assert int(figures[1]) > int(figures[2])


async def test_a_batch_is_answered_in_its_order_and_what_fails_in_it_fails_alone(opened: Opening) -> None:
    batch = [
        {"query": one} for one in ("{ viewer { kind } }", "{", "subscription { a }", "{ nothing }", "{ __typename }")
    ]
    answers = (await (await opened()).post("/graphql", json=batch)).json()
    assert [list(one) for one in answers][1:3] == [["errors"], ["errors"]]
    assert [one.get("data") for one in answers] == [
        {"viewer": {"kind": "ANONYMOUS"}},
        None,
        None,
        None,
        {"__typename": "Query"},
    ]


async def test_the_operations_of_a_batch_share_what_one_may_cost(opened: Opening) -> None:
    batch = [{"query": "{ reasons { id } }"}] * 3
    answers = (await (await opened(max_cost=1_100)).post("/graphql", json=batch)).json()
    assert ["data" in one for one in answers] == [True, True, False]
    assert answers[2]["errors"][0]["extensions"]["code"] == "TOO_COSTLY"


@pytest.mark.parametrize(
    ("settings", "body", "status", "message"),
    [
        ({"max_batch": 0}, [TYPENAME], 400, "Batches are not taken: send each operation by itself."),
        ({"max_batch": 2}, [TYPENAME] * 3, 400, "A batch has 1 to 2 operations."),
        ({"max_body_bytes": 1_000}, {"query": "{ __typename }" + " " * 1_000}, 413, "larger than 1000 bytes"),
        ({"max_tokens": 100}, {"query": "{ " + "a " * 100 + "}"}, 200, "more than 100 tokens"),
    ],
)
async def test_settings_say_how_much_one_request_may_bring(
    opened: Opening, settings: dict[str, int], body: Any, status: int, message: str
) -> None:
    refused = await (await opened(**settings)).post("/graphql", json=body)
    assert (refused.status_code, message in refused.json()["errors"][0]["message"]) == (status, True), refused.text


ASKED = "earliestSlots(input: {reasonId: $reason, first: FIRST}) { office { name } }"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (f"query($reason: ID!) {{ {ASKED} }}", {}),
        (f"query($reason: ID!, $first: Int) {{ {ASKED.replace('FIRST', '$first')} }}", {"first": 0}),
        ("query($input: EarliestSlotsInput!) { earliestSlots(input: $input) { office { name } } }", {"input": 0}),
    ],
)
async def test_how_much_of_a_list_is_wanted_decides_what_it_costs(
    opened: Opening, query: str, variables: dict[str, int]
) -> None:
    client = await opened()
    costs = []
    for first in (2, 20):
        given: dict[str, Any] = {"reason": "1"} | dict.fromkeys(variables, first)
        if "input" in given:
            given["input"] = {"reasonId": "1", "first": first}
        body = {"query": query.replace("FIRST", str(first)), "variables": given}
        costs.append((await client.post("/graphql", json=body)).json()["extensions"]["cost"]["estimated"])
    assert costs[1] - costs[0] == 18 * 2  # an office and its name, 18 times more


EARLIEST = "query({0}) {{ earliestSlots(input: {1}) {{ office {{ name }} }} }}"
ENTITIES = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Office { name code } } }"


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        (EARLIEST.format("$n: Int", "{reasonId: 1, first: $n}"), {"n": 100}, 2_202),
        (EARLIEST.format("$n: Int", "{reasonId: 1, first: $n}"), {"n": 100.0}, 2_202),
        (EARLIEST.format("$n: Int = 100", "{reasonId: 1, first: $n}"), {}, 2_202),
        (EARLIEST.format("$i: EarliestSlotsInput! = {reasonId: 1, first: 100}", "$i"), {}, 2_202),
        (ENTITIES, {"r": [{"__typename": "Office", "id": "1"}] * 100}, 703),
        ("{ planningPreview(input: {officeId: 1, changes: [], from: null, to: null}) { version } }", {}, 2_002),
        ("query($id: ID!) { office(id: $id) { reasons { id } } }", {"id": 3500}, 553),
        ("query($id: ID!) { office(id: $id) { reasons { id } } }", {"id": 1}, 553),
        (EARLIEST.format("$o: [ID!]", "{reasonId: 1, officeIds: $o, first: 1}"), {"o": [1] * 100}, 7_004),
        (EARLIEST.format("$o: ID!", f"{{reasonId: 1, officeIds: [{'$o,' * 100}], first: 1}}"), {"o": 1}, 7_004),
        (
            EARLIEST.format("$i: EarliestSlotsInput!", "$i"),
            {"i": {"reasonId": 1, "officeIds": [1] * 100, "first": 1}},
            7_004,
        ),
    ],
)
async def test_there_is_one_price_however_it_is_asked_for(
    opened: Opening, query: str, variables: dict[str, Any], cost: int
) -> None:
    answer = await (await opened()).post("/graphql", json={"query": query, "variables": variables})
    assert answer.json()["extensions"]["cost"]["estimated"] // 10 == cost // 10


LONG = {"flat": [1] * 50_000, "deep": [[[1] * 100] * 100] * 5, "wide": {f"field{at}": at for at in range(50_000)}}


@pytest.mark.parametrize("value", LONG.values(), ids=LONG)
async def test_variables_have_ten_times_as_many_values_as_documents_have_tokens(opened: Opening, value: Any) -> None:
    body = {"query": ENTITIES, "variables": {"r": value}}
    error = (await (await opened()).post("/graphql", json=body)).json()["errors"][0]
    assert "number of values in its variables is at least 50" in error["message"]
    assert error["extensions"]["code"] == "TOO_COSTLY"


DEMAND = "mutation($input: GeneratePlanningInput!) { generatePlanning(input: $input) { __typename } }"
ROWS = "mutation($rows: [DemandInput!]!) { generatePlanning(input: {officeId: 1, demand: $rows}) { __typename } }"


@pytest.mark.parametrize(("query", "rows"), [(DEMAND, "input"), (ROWS, "rows")])
async def test_a_table_of_thousands_of_rows_is_taken(opened: Opening, query: str, rows: str) -> None:
    table = [dict.fromkeys(("date", "start", "end", "reasonId", "minutes"), 1)] * 8_000
    given = {"officeId": 1, "demand": table} if rows == "input" else table
    answer = await (await opened()).post("/graphql", json={"query": query, "variables": {rows: given}})
    assert "TOO_COSTLY" not in answer.text
    assert answer.json()["errors"]  # the rows mean nothing, and that is what is said


async def test_one_request_takes_no_more_than_two_places(opened: Opening, database: Database) -> None:
    place = await add_office(database, counters=4)
    hold = "holdSlot(input: {officeId: %d, reasonId: %d, start: %s}) { __typename }"
    one = hold % (place.office, place.reasons["declare"], '"2027-03-03T09:00:00+01:00"')
    client = await opened()
    document = "mutation {{ {} }}".format
    refused = await client.post("/graphql", json={"query": document(" ".join(f"a{at}: {one}" for at in range(3)))})
    assert refused.json()["errors"][0]["extensions"]["code"] == "TOO_COSTLY"
    taken = await client.post("/graphql", json={"query": document(" ".join(f"a{at}: {one}" for at in range(2)))})
    assert [given["__typename"] for given in taken.json()["data"].values()] == ["Hold", "Hold"]


@pytest.mark.parametrize("query", ["{ __schema { queryType { name } } }", "{ _service { sdl } }"])
async def test_the_schema_may_be_kept_from_telling_about_itself(opened: Opening, query: str) -> None:
    body = {"query": query}
    assert "data" in (await (await opened()).post("/graphql", json=body)).json()
    refused = (await (await opened(introspection=False)).post("/graphql", json=body)).json()
    assert "introspection" in refused["errors"][0]["message"].lower()


def hold_at(place: Place) -> dict[str, Any]:
    input_ = {"officeId": place.office, "reasonId": place.reasons["declare"], "start": "2027-03-03T09:00:00+01:00"}
    query = "mutation($input: HoldSlotInput!) { holdSlot(input: $input) { __typename } }"
    return {"query": query, "variables": {"input": input_}}


async def test_an_operation_that_takes_too_long_ends_and_so_does_its_statement(
    opened: Opening, database: Database, database_url: str
) -> None:
    place = await add_office(database)
    client = await opened(operation_seconds=1)
    hold = hold_at(place)
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("select 1 from office for update")
        late = await client.post("/graphql", json=hold)
        assert (late.status_code, late.json()["errors"][0]["extensions"]["code"]) == (503, "TIMEOUT")
        assert int(late.headers["retry-after"]) > 0
        waiting = (
            "select count(*) from pg_locks join pg_stat_activity using (pid) "
            "where not granted and datname = current_database()"
        )
        for _ in range(100):
            count = await (await other.execute(waiting)).fetchone()
            if count == (0,):
                break
            await asyncio.sleep(0.05)
        assert count == (0,)
    done = await client.post("/graphql", json=hold)
    assert done.json()["data"]["holdSlot"]["__typename"] == "Hold"


async def test_a_statement_that_takes_too_long_for_the_database_is_no_fault_of_ours(
    opened: Opening, database: Database, database_url: str
) -> None:
    place = await add_office(database)
    client = await opened(statement_timeout_ms=100)
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("select 1 from office for update")
        late = await client.post("/graphql", json=hold_at(place))
        assert (late.status_code, late.json()["errors"][0]["extensions"]["code"]) == (503, "TIMEOUT")
        assert int(late.headers["retry-after"]) > 0


async def test_a_database_that_goes_away_meanwhile_is_said_to_be_away(
    opened: Opening, database: Database, database_url: str
) -> None:
    place = await add_office(database)
    client = await opened()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
        async with other.transaction():
            await other.execute("select 1 from office for update")
            asking = asyncio.create_task(client.post("/graphql", json=hold_at(place)))
            end = (
                "select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid) "
                "where not granted and datname = current_database()"
            )
            while not await (await other.execute(end)).fetchall():  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.01)
        gone = await asking
    assert (gone.status_code, gone.json()["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
    assert int(gone.headers["retry-after"]) > 0
    done = await client.post("/graphql", json=hold_at(place))
    assert done.json()["data"]["holdSlot"]["__typename"] == "Hold"


async def test_a_batch_takes_no_longer_than_one_operation_may(
    opened: Opening, database: Database, database_url: str
) -> None:
    place = await add_office(database)
    client = await opened(operation_seconds=1)
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("select 1 from office for update")
        began = asyncio.get_running_loop().time()
        late = await client.post("/graphql", json=[hold_at(place)] * 2)
        assert asyncio.get_running_loop().time() - began < 1.9  # both together, where each may take one
    assert [one["errors"][0]["extensions"]["code"] for one in late.json()] == ["TIMEOUT", "TIMEOUT"]


async def test_callers_of_whom_nothing_was_heard_for_a_while_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    rates = Rates(rate_from("2/minute"))
    for caller in ("early", "early", "late"):
        now += 20
        assert await rates.wait(caller) == 0
    assert rates.known == 2
    now += 30  # the first two were more than a minute ago by then
    assert await rates.wait("early") == 0
    assert rates.known == 2
    now += 50
    assert await rates.wait("new") == 0
    assert rates.known == 2
    now += 20
    assert await rates.wait("new") == 0
    assert rates.known == 1


async def test_one_caller_sends_so_many_requests_and_others_are_not_held_up(opened: Opening) -> None:
    client = await opened(rate_limit="2/minute")
    statuses = [(await client.post("/graphql", json=TYPENAME)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = await client.post("/graphql", json=TYPENAME)
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
    invented = await client.post("/graphql", json=TYPENAME, headers={"authorization": "Bearer x"})
    assert invented.status_code == 429, "a token that proves nothing is counted with its address"
    assert (await client.get("/health/live")).status_code == 200


def test_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(BadSetting, match="RDV_RATE_LIMIT"):
        rate_from("many")


async def test_a_get_by_anybody_may_be_asked_whether_it_still_holds(opened: Opening, database: Database) -> None:
    client = await opened()
    first = await client.get("/graphql", params={"query": "{ reasons { id } }"})
    assert first.headers["cache-control"] == "no-cache"
    again = await client.get(
        "/graphql", params={"query": "{ reasons { id } }"}, headers={"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    await add_office(database)
    changed = await client.get(
        "/graphql", params={"query": "{ reasons { id } }"}, headers={"if-none-match": first.headers["etag"]}
    )
    assert changed.status_code == 200
    posted = await client.post("/graphql", json={"query": "{ reasons { id } }"})
    assert (posted.headers["cache-control"], "etag" in posted.headers) == ("no-store", False)


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ('{ appointment(reference: "ABCD", accessCode: "EFGH") { status } }', ""),
        ("query($i: SlotsInput!) { slots(input: $i) { count } }", '{"i": {"accessCode": "EFGH"}}'),
    ],
)
async def test_what_an_access_code_may_have_opened_is_stored_by_no_cache(
    opened: Opening, query: str, variables: str
) -> None:
    answer = await (await opened()).get("/graphql", params={"query": query, "variables": variables})
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)


async def test_a_trace_goes_on_and_names_what_went_wrong(opened: Opening) -> None:
    client = await opened()
    trace = "0af7651916cd43dd8448eb211c80319c"
    given = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answer = await client.post("/graphql", json=TYPENAME, headers=given)
    assert re.fullmatch(rf"00-{trace}-[0-9a-f]{{16}}-01", answer.headers["traceresponse"])
    for wrong in ("x", f"00-{'0' * 32}-b7ad6b7169203331-01", f"ff-{trace}-b7ad6b7169203331-01"):
        fresh = await client.post("/graphql", json=TYPENAME, headers={"traceparent": wrong})
        assert trace not in fresh.headers["traceresponse"]


async def test_scripts_of_other_sites_may_ask_only_where_it_is_set_so(opened: Opening) -> None:
    asked = {"origin": "https://portal.example", "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in (await (await opened()).options("/graphql", headers=asked)).headers
    allowed = await (await opened(cors_origins="https://portal.example")).options("/graphql", headers=asked)
    assert allowed.headers["access-control-allow-origin"] == "https://portal.example"


async def test_scripts_of_other_sites_may_read_that_they_have_to_wait_and_may_always_ask(opened: Opening) -> None:
    client = await opened(cors_origins="https://portal.example", rate_limit="1/minute")
    here = {"origin": "https://portal.example"}
    await client.post("/graphql", json=TYPENAME, headers=here)
    refused = await client.post("/graphql", json=TYPENAME, headers=here)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (429, here["origin"])
    preflight = await client.options("/graphql", headers=here | {"access-control-request-method": "POST"})
    assert preflight.status_code == 200


async def test_long_answers_are_compressed_where_that_is_understood(opened: Opening) -> None:
    client = await opened()
    query = {"query": "{ __schema { types { name description fields { name description } } } }"}
    plain = await client.post("/graphql", json=query, headers={"accept-encoding": "identity"})
    small = await client.post("/graphql", json=query, headers={"accept-encoding": "gzip"})
    assert ("content-encoding" not in plain.headers, small.headers["content-encoding"]) == (True, "gzip")
    assert small.json()["data"] == plain.json()["data"]


def test_a_caller_is_an_account_or_else_an_address() -> None:
    identity = KnownViewers()
    identity.known["good"] = Viewer(kind=ViewerKind.USAGER, subject="camille")
    scope = {"client": ("192.0.2.1", 1)}
    of = [
        caller_by(identity, header, scope)
        for header in (None, "Bearer junk", "Basic good", "Bearer good", "bearer  good")
    ]
    assert of == ["address 192.0.2.1"] * 3 + ["account camille"] * 2


@pytest.mark.parametrize(
    ("address", "counted_by"),
    [
        ("2001:db8:1:2:a:b:c:d", "address 2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "address 2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "address 192.0.2.1"),
        ("192.0.2.1", "address 192.0.2.1"),
        ("", "address ?"),
        ("what a proxy passed on", "address ?"),
    ],
)
def test_a_household_has_one_address_however_many_it_was_given(address: str, counted_by: str) -> None:
    assert caller_by(KnownViewers(), None, {"client": (address, 1)}) == counted_by
