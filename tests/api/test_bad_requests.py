"""Whatever bytes arrive: an HTTP status, GraphQL errors that say why, and neither a 500 nor a stack trace."""

import logging
import time
from typing import Any

import httpx2
import orjson
import psycopg
import pytest

from rdv.models.database import Database
from tests.api.conftest import QUERIES, Api
from tests.places import add_office

JSON = {"content-type": "application/json"}
MAX_BODY = 1_000_000
VIEWER = "{ viewer { kind } }"
TWO = "query A { viewer { kind } } query B { viewer { kind modules } }"


async def post(api: Api, body: Any, **headers: str) -> httpx2.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    return await api.client.post("/graphql", content=content, headers=JSON | given)


def only(response: httpx2.Response) -> tuple[int, str]:
    """Return the status and the message of the only error; nothing else may be in the answer."""
    answer = response.json()
    assert set(answer) == {"errors"}
    (error,) = answer["errors"]
    assert "Traceback" not in response.text
    return response.status_code, error["message"]


FOLLOWED = "Subscriptions are followed by text/event-stream, or by graphql-transport-ws."
BODIES: list[tuple[bytes, str]] = [
    (b"", "This is not JSON."),
    (b"{", "This is not JSON."),
    (b"{'query': 1}", "This is not JSON."),
    (b"NaN", "This is not JSON."),
    (b'{"query": "\xff\xfe"}', "This is not JSON."),
    (b'{"query": "\\ud800"}', "This is not JSON."),
    (b'{"query": "{ viewer { kind } }"}\0', "This is not JSON."),
    (b"[" * 100_000, "This is not JSON."),
    (b'{"query": "{ viewer { kind } }", "variables": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "This is not JSON."),
    (b"null", "A request is a JSON object with a query."),
    (b"1", "A request is a JSON object with a query."),
    (b'"x"', "A request is a JSON object with a query."),
    (b"[]", "A batch has 1 to 10 operations."),
    (b"[" + b'{"query": "{ __typename }"},' * 10 + b"{}]", "A batch has 1 to 10 operations."),
    (b'[{"query": "{ viewer { kind } }"}, 1]', "A request is a JSON object with a query."),
    (b"{}", "The query is missing."),
    (b'{"query": null}', "The query is missing."),
    (b'{"query": 1}', "The query is missing."),
    (b'{"query": " "}', "The query is missing."),
    (b'{"query": "{ viewer { kind } }", "variables": []}', "The variables are not an object."),
    (b'{"query": "{ viewer { kind } }", "variables": "x"}', "The variables are not an object."),
    (b'{"query": "{ viewer { kind } }", "operationName": 1}', "The operationName is not a string."),
    (b'{"query": "{ viewer { kind } }", "extensions": [1]}', "The extensions are not an object."),
    (b'{"query": "fragment F on Query { __typename }"}', "The document has no operation that can be run."),
    (b'{"query": "type Query { a: Int }"}', "The document has no operation that can be run."),
    (b'{"query": "subscription { viewer }"}', FOLLOWED),
    (b'{"query": "{ viewer"}', "Syntax Error: Expected Name, found <EOF>."),
    (b'{"query": "\\u0000"}', "Syntax Error: Unexpected character: U+0000."),
]


async def test_bodies_that_are_no_request(api: Api) -> None:
    answers = [(body, only(await post(api, body))) for body, _ in BODIES]
    # What is JSON and only no document is an answer to who takes plain JSON; all else is a fault of the request.
    statuses = {message: 200 if message.startswith("Syntax Error") else 400 for _, message in BODIES}
    statuses[FOLLOWED] = 406
    assert answers == [(body, (statuses[message], message)) for body, message in BODIES]


async def test_a_document_with_several_operations_needs_the_name_of_one_that_it_has(api: Api) -> None:
    several = "The document has several operations: name the one to be run in operationName."
    assert only(await post(api, {"query": TWO})) == (400, several)
    assert only(await post(api, {"query": TWO, "operationName": ""})) == (400, several)
    unknown = {"query": TWO, "operationName": "C"}
    assert only(await post(api, unknown)) == (400, "The document has no operation of that name.")
    chosen = (await post(api, {"query": TWO, "operationName": "B"})).json()
    assert chosen["data"] == {"viewer": {"kind": "ANONYMOUS", "modules": []}}


async def test_only_queries_may_be_sent_by_get(api: Api) -> None:
    found = await api.client.get("/graphql", params={"query": VIEWER})
    assert (found.status_code, found.json()["data"]) == (200, {"viewer": {"kind": "ANONYMOUS"}})
    mutation = 'mutation { cancelAppointment(input: {reference: "x"}) { __typename } }'
    refused = await api.client.get("/graphql", params={"query": mutation})
    assert only(refused) == (405, "Only queries may be sent by GET.")
    assert refused.headers["allow"] == "POST"
    both = {"query": f"query A {VIEWER} {mutation.replace('mutation', 'mutation B')}", "operationName": "B"}
    assert only(await api.client.get("/graphql", params=both)) == (405, "Only queries may be sent by GET.")
    assert only(await api.client.get("/graphql")) == (400, "The query is missing.")
    assert only(await api.client.get("/graphql", params={"query": VIEWER, "variables": "{"}))[0] == 400


async def test_other_methods_are_not_allowed(api: Api) -> None:
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        response = await api.client.request(method, "/graphql", content=b"{}")
        assert response.status_code == 405
        assert set(response.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST"}


async def test_a_head_request_has_no_body(api: Api) -> None:
    response = await api.client.head("/graphql", params={"query": VIEWER})
    assert (response.status_code, response.content) == (200, b"")


async def test_other_media_types_are_refused(api: Api) -> None:
    body = orjson.dumps({"query": VIEWER})
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        response = await api.client.post("/graphql", content=body, headers={"content-type": media_type})
        assert only(response) == (415, "Send application/json.")


async def test_a_body_of_two_megabytes_is_refused_and_one_of_the_limit_is_not(api: Api) -> None:
    request = orjson.dumps({"query": VIEWER})
    too_large = only(await post(api, request + b" " * (MAX_BODY + 1 - len(request))))
    assert too_large == (413, f"The request is larger than {MAX_BODY} bytes.")
    assert only(await post(api, b" " * 2_000_000))[0] == 413
    assert (await post(api, request + b" " * (MAX_BODY - len(request)))).status_code == 200


async def test_a_token_that_proves_nothing_is_refused_before_anything_else(api: Api) -> None:
    for header in ("Bearer nobody", "Bearer ", "Bearer", "Basic eDp5", "nobody", "", "Bearer a b"):
        response = await post(api, b"{", authorization=header)
        assert only(response) == (401, "The token is not valid.")
        assert response.headers["www-authenticate"] == "Bearer"


DOCUMENTS = [
    ("{ nothing }", "Cannot query field 'nothing' on type 'Query'."),
    ("{ viewer { kind } offices { id } }", "Cannot query field 'offices' on type 'Query'. Did you mean 'office'?"),
    (
        "{ viewer }",
        "Field 'viewer' of type 'Viewer!' must have a selection of subfields. Did you mean 'viewer { ... }'?",
    ),
    (
        "{ slots { count } }",
        "Argument 'Query.slots(input:)' of type 'SlotsInput!' is required, but it was not provided.",
    ),
    ("query($a: Nothing) { viewer { kind } }", None),
    ('{ office(code: "a", colour: "b") { id } }', "Unknown argument 'colour' on field 'Query.office'."),
    ("{ office(code: 1) { id } }", None),
    ("{ ...F } fragment F on Query { ...F }", "Cannot spread fragment 'F' within itself."),
    ("{ ...G }", "Unknown fragment 'G'."),
]


async def test_documents_that_are_not_valid(api: Api) -> None:
    for document, message in DOCUMENTS:
        response = await post(api, {"query": document})
        answer = response.json()
        assert "data" not in answer, document
        assert response.status_code == 200  # for clients of application/json; 400 for those of the newer media type
        if message:
            assert answer["errors"][0]["message"] == message
        assert all("locations" in e for e in answer["errors"])
        newer = await post(api, {"query": document}, accept="application/graphql-response+json")
        assert (newer.status_code, newer.headers["content-type"]) == (400, "application/graphql-response+json")


SLOT = {"officeId": "1", "reasonId": "1", "from": "2027-03-01", "to": "2027-03-01"}
VARIABLES: list[tuple[dict[str, Any], str]] = [
    ({}, "Expected a value of non-null type 'SlotsInput!' to be provided."),
    ({"input": None}, "Expected value of non-null type 'SlotsInput!' not to be None."),
    ({"input": 1}, "Expected value of type 'SlotsInput' to be an object, found: 1."),
    ({"input": []}, "Expected value of type 'SlotsInput' to be an object, found: []."),
    ({"input": SLOT | {"officeId": None}}, "at .officeId: Expected value of non-null type 'ID!' not to be None."),
    ({"input": SLOT | {"officeId": True}}, "ID cannot represent value: True"),
    ({"input": SLOT | {"officeId": 1.5}}, "ID cannot represent value: 1.5"),
    ({"input": SLOT | {"officeId": {"a": 1}}}, "ID cannot represent value: {'a': 1}"),
    ({"input": SLOT | {"from": 20270301}}, "A Date is written like 2027-03-01."),
    ({"input": SLOT | {"from": "2027-02-30"}}, "A Date is written like 2027-03-01."),
    ({"input": SLOT | {"from": "01/03/2027"}}, "A Date is written like 2027-03-01."),
    ({"input": SLOT | {"from": "20270301"}}, "A Date is written like 2027-03-01."),
    ({"input": SLOT | {"from": "2027-W09-1"}}, "A Date is written like 2027-03-01."),
    ({"input": SLOT | {"from": "２０２７-03-01"}}, "A Date is written like 2027-03-01."),
    ({"input": SLOT | {"modality": "BY_PIGEON"}}, "Value 'BY_PIGEON' does not exist in 'Modality' enum."),
    ({"input": SLOT | {"modality": "in_person"}}, "Value 'in_person' does not exist in 'Modality' enum."),
    ({"input": SLOT | {"colour": "red"}}, "Expected value of type 'SlotsInput' not to include unknown field 'colour'"),
]


async def test_variables_of_the_wrong_type_are_named_with_their_place(api: Api) -> None:
    query = (QUERIES / "search_slots.graphql").read_text(encoding="utf-8")
    for variables, message in VARIABLES:
        answer = (await post(api, {"query": query, "variables": variables})).json()
        (error,) = answer["errors"]
        assert "data" not in answer
        assert message in error["message"]
        assert "$input" in error["message"]


STARTS = [
    "2027-03-01T10:00:00",
    "2027-03-01T10:00",
    "2027-03-01",
    "10:00",
    "tomorrow",
    "",
    "2027-03-01T25:00:00+01:00",
    "2027-03-01T10:00:00+99:00",
    "2027-03-01 10:00:00+01:00",
    "20270301T1000+0100",
    "2027-W09-1T10:00:00+01:00",
    "2027-03-01T10:00:00+01:00\0",
    1_804_000_000,
    None,
    True,
]


async def test_a_start_without_an_offset_or_in_another_form_is_refused(api: Api) -> None:
    query = (QUERIES / "hold_slot.graphql").read_text(encoding="utf-8")
    for start in STARTS:
        variables = {"input": {"officeId": "1", "reasonId": "1", "start": start}}
        answer = (await post(api, {"query": query, "variables": variables})).json()
        (error,) = answer["errors"]
        assert "data" not in answer
        if start is not None:
            assert "A DateTime is written like 2027-03-01T09:30:00+01:00, with an offset." in error["message"], start
        assert "'$input' has invalid value at .start" in error["message"]


async def test_a_literal_start_without_an_offset_is_refused_with_its_place(api: Api) -> None:
    document = (
        """mutation { holdSlot(input: {officeId: 1, reasonId: 1, start: "2027-03-01T10:00:00"}) { __typename } }"""
    )
    (error,) = (await post(api, {"query": document})).json()["errors"]
    assert "A DateTime is written like" in error["message"]
    assert error["locations"] == [{"line": 1, "column": 62}]


@pytest.mark.parametrize("form", ["fields", "fragments", "lists", "objects", "types"])
async def test_deep_documents_are_answered_quickly(api: Api, form: str) -> None:
    for depth in (50, 200, 500, 1000, 2400):
        begin = time.process_time()
        response = await post(api, {"query": deep(form, depth)})
        assert response.status_code in (200, 400)
        assert "Traceback" not in response.text
        assert time.process_time() - begin < 2.0


def deep(form: str, depth: int) -> str:
    """Return a document that is nested about so deeply."""
    match form:
        case "fields":
            within = "{ usager { appointments { edges { node " * (depth // 4)
            opened = f"{{ viewer {{ usager {{ appointments {{ edges {{ node {within} {{ reference }}"
            return opened + " }" * (opened.count("{") - opened.count("}"))
        case "fragments":
            chain = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(depth // 8)]
            return " ".join(["{ ...F0 }", *chain, f"fragment F{depth // 8} on Query {{ viewer {{ kind }} }}"])
        case "lists":
            return "{ office(code: " + "[" * depth + "]" * depth + ") { id } }"
        case "objects":
            return "{ slots(input: " + "{a: " * depth + "1" + "}" * depth + ") { count } }"
        case _:
            return "query($a: " + "[" * depth + "Int" + "]" * depth + ") { viewer { kind } }"


async def test_fragments_that_spread_each_other_twice_cost_what_they_are_long(api: Api, database: Database) -> None:
    place = await add_office(database)
    chain = " ".join(f"fragment F{n} on SlotSearch {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
    given = f'officeId: {place.office}, reasonId: {place.reasons["declare"]}, from: "2027-03-01", to: "2027-03-01"'
    last = "fragment F40 on SlotSearch { count first { remaining } }"
    document = f"{{ slots(input: {{{given}}}) {{ ...F0 }} }} {chain} {last}"
    begin = time.process_time()
    answer = (await post(api, {"query": document})).json()
    assert time.process_time() - begin < 2.0
    assert answer["data"] == {"slots": {"count": 11, "first": {"remaining": 1}}}


TOO_MUCH = "The operation asks for too much at once: its "


def turning(times: int) -> str:
    """Return a selection that goes down the tree of reasons and up again, so many times."""
    return "{ children { parent " * times + "{ id }" + " } }" * times


@pytest.mark.parametrize(
    "document",
    [
        f"{{ reasons {turning(4)} }}",
        "{ reasons { ...A } } "
        + " ".join(
            f"fragment {a} on Reason {{ x: children {{ ...{b} }} y: children {{ ...{b} }} }}"
            for a, b in ("AB", "BC", "CD", "DE")
        )
        + " fragment E on Reason { id }",
        "{ reasons { " + " ".join(f"a{n}: children {{ children {{ children {{ id }} }} }}" for n in range(50)) + " } }",
        "{ " + " ".join(f"a{n}: viewer {{ kind }}" for n in range(101)) + " }",
        "mutation { "
        + " ".join(
            f"... on Mutation {{ a{n}: cancelAppointment(input: {{reference: 1}}) {{ __typename }} }}"
            for n in range(101)
        )
        + " }",
    ],
    ids=["turns", "fragments", "aliases", "queries", "mutations"],
)
async def test_documents_that_ask_for_too_much_are_refused_before_they_run(api: Api, document: str) -> None:
    response = await post(api, {"query": document})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (400, "TOO_COSTLY")
    assert error["message"].startswith(TOO_MUCH)


@pytest.mark.parametrize(
    "document",
    [
        f"{{ reasons {turning(2)} }}",
        "{ reasons { children { children { " + "id " * 100 + "} } } }",
        "{ " + " ".join(f"a{n}: viewer {{ kind }}" for n in range(90)) + " }",
    ],
    ids=["turns", "repeated", "queries"],
)
async def test_documents_that_ask_for_much_are_answered(api: Api, document: str) -> None:
    response = await post(api, {"query": document})
    assert (response.status_code, list(response.json())) == (200, ["data", "extensions"])


async def test_a_fragment_that_spreads_itself_further_down_is_refused(api: Api) -> None:
    document = "{ reasons { ...A } } fragment A on Reason { parent { ...A } }"
    response = await post(api, {"query": document})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (400, "TOO_COSTLY")
    assert error["message"].startswith(TOO_MUCH)


async def test_what_goes_wrong_inside_is_masked_and_logged_with_the_same_id(
    api: Api, database: Database, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = await add_office(database)
    with psycopg.connect(database_url) as connection:
        connection.execute("drop table office_day cascade")
    wanted = SLOT | {"officeId": place.office, "reasonId": place.reasons["declare"]}
    with caplog.at_level(logging.ERROR, "rdv.graphql"):
        answer = await api.answer("search_slots", {"input": wanted})
    (error,) = answer["errors"]
    correlation = error["extensions"].pop("correlationId")
    assert error["extensions"] == {"code": "INTERNAL"}
    assert (error["message"], error["path"]) == ("Une erreur est survenue de notre côté.", ["slots"])
    assert "office_day" not in str(answer)
    (record,) = (r for r in caplog.records if r.name == "rdv.graphql")
    assert correlation in record.getMessage()
    assert record.exc_info is not None
    assert len(correlation) == 32


async def test_personal_data_of_a_failed_request_is_not_logged(
    api: Api, database: Database, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = await add_office(database)
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "start": "2027-03-01T10:00:00+01:00"}
    token = (await api.data("hold_slot", {"input": wanted}))["holdSlot"]["token"]
    with psycopg.connect(database_url) as connection:
        connection.execute("alter table usager drop column locale")
    usager = {"firstName": "Camille", "lastName": "Exemple", "email": "camille@example.org"}
    with caplog.at_level(logging.DEBUG):
        answer = await api.answer("confirm_appointment", {"input": {"holdToken": token, "usager": usager}})
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "camille@example.org" not in caplog.text
    assert "Exemple" not in caplog.text
