"""What is followed arrives from wherever it was changed, goes only to who may see it, and ends in order."""

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from sqlalchemy import text as text_of
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rdv.app import open_services
from rdv.integrations.identity import DemoIssuer
from rdv.integrations.viewer import ANONYMOUS, Viewer, ViewerKind
from rdv.models.database import Database
from rdv.models.notices import Notices
from rdv.usecases import following
from rdv.web.metrics import ALARMING
from tests.api.conftest import Api
from tests.api.conftest import opened as opened_api
from tests.api.steps import hold
from tests.places import NOW, Place, add_office
from tests.served import Served
from tests.tools import NPM, needs
from tests.web.live_clients import (
    ISSUER,
    PATIENCE,
    START,
    TAKEN,
    ask,
    book,
    closed,
    open_socket,
    received,
    served,
    slots,
    socket,
    stream,
    subscribe,
    take,
    text,
)


@pytest.fixture
async def place(database: Database) -> Place:
    return await add_office(database)


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    async with opened_api(database_url) as running:
        yield running


async def test_a_booking_at_one_server_is_told_at_another_with_the_day_that_changed(
    database_url: str, place: Place, tmp_path: Path
) -> None:
    with served(database_url, tmp_path) as one, served(database_url, tmp_path) as other:
        async with stream(one, slots(place)) as events, socket(one) as opened:
            await opened.send(subscribe(slots(place)))
            first = (await events.next())[1]["data"]["slotsChanged"]
            assert first["days"] == []
            assert (await received(opened))["payload"]["data"]["slotsChanged"] == first
            await take(other, place)
            kind, event = await events.next()
            after = event["data"]["slotsChanged"]
            assert (kind, after["days"]) == ("next", ["2027-03-03"])
            assert after["count"] < first["count"]
            assert (await received(opened))["payload"]["data"]["slotsChanged"] == after


async def test_an_appointment_is_followed_with_its_code_and_by_nobody_else(
    database_url: str, place: Place, tmp_path: Path
) -> None:
    with served(database_url, tmp_path) as server:
        keys = await book(server, place)
        async with socket(server) as opened:
            await opened.send(subscribe({"query": text("appointment_changed"), "variables": keys}))
            assert (await received(opened))["payload"]["data"]["appointmentChanged"]["status"] == "BOOKED"
            await ask(server, text("cancel_appointment"), input=keys)
            assert (await received(opened))["payload"]["data"]["appointmentChanged"]["status"] == "CANCELLED"
            wrong = {"reference": keys["reference"], "accessCode": "AAAA-AAAA"}
            await opened.send(subscribe({"query": text("appointment_changed"), "variables": wrong}, "2"))
            refused = await received(opened)
            assert (refused["type"], refused["id"]) == ("error", "2")
            assert refused["payload"][0]["extensions"]["code"] in ("NOT_FOUND", "NOT_ALLOWED")


async def test_a_stream_ends_when_its_callers_token_does(database_url: str, place: Place, tmp_path: Path) -> None:
    issuer = DemoIssuer(tmp_path / "key.pem", **ISSUER)
    usager = Viewer(kind=ViewerKind.USAGER, subject="camille", name="Camille Exemple")
    token = issuer.token(usager, now=NOW, lifetime=timedelta(minutes=5))
    settings = {"RDV_TOKEN_JWKS": issuer.jwks(), "RDV_TOKEN_ISSUER": ISSUER["issuer"], "RDV_TOKEN_AUDIENCE": "rdv"}
    with served(database_url, tmp_path, **settings) as server:
        async with open_socket(server) as opened:
            await opened.send('{"type": "connection_init", "payload": {"Authorization": "Bearer nonsense"}}')
            assert await closed(opened) == 4403
        async with socket(server, token=token) as opened:
            await opened.send(subscribe(slots(place)))
            assert (await received(opened))["type"] == "next"
            (tmp_path / "now").write_text((NOW + timedelta(minutes=6)).isoformat(), encoding="utf-8")
            await take(server, place)
            over = await received(opened)
            assert (over["type"], over["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


async def test_queries_may_be_sent_by_a_socket_too(database_url: str, place: Place, tmp_path: Path) -> None:
    with served(database_url, tmp_path) as server:
        async with socket(server) as opened:
            await opened.send(json.dumps({"type": "ping"}))
            assert await received(opened) == {"type": "pong"}
            await opened.send(subscribe({"query": "{ viewer { kind } }"}))
            assert (await received(opened))["payload"]["data"] == {"viewer": {"kind": "ANONYMOUS"}}
            assert await received(opened) == {"type": "complete", "id": "1"}
            await opened.send(subscribe({"query": "{ nothing }"}, "2"))
            assert (await received(opened))["type"] == "error"


async def test_the_first_message_of_a_socket_says_the_language(running: Served) -> None:
    for language, message in (("en", "There is no such office."), ("fr", "Ce service n’existe pas.")):
        async with open_socket(running) as opened:
            payload = {"Accept-Language": language}
            await opened.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert await received(opened) == {"type": "connection_ack"}
            await opened.send(subscribe({"query": "subscription { slotsChanged(officeId: 0, reasonId: 0) { count } }"}))
            assert (await received(opened))["payload"][0]["message"] == message


async def test_pages_of_other_origins_get_no_socket(database_url: str, place: Place, tmp_path: Path) -> None:
    with served(database_url, tmp_path, RDV_CORS_ORIGINS="https://portal.example.org") as server:
        async with socket(server, origin="https://portal.example.org"):
            pass
        async with socket(server, origin=server.url.removesuffix("/graphql")):
            pass
        with pytest.raises(InvalidStatus) as refused:
            async with open_socket(server, origin="https://evil.example.org"):
                pass
        assert refused.value.response.status_code == 403


async def test_one_caller_follows_so_many_things_and_no_more(database_url: str, place: Place, tmp_path: Path) -> None:
    with served(database_url, tmp_path, RDV_LIVE_PER_CALLER="2") as server:
        async with stream(server, slots(place)) as one, socket(server) as opened, socket(server):
            await one.next()
            for identity in ("1", "2"):
                await opened.send(subscribe(slots(place), identity))
            answers = {answer["id"]: answer for answer in [await received(opened), await received(opened)]}
            assert answers["1"]["type"] == "next"
            assert answers["2"]["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
            async with httpx2.AsyncClient() as http:
                headers = {"accept": "text/event-stream"}
                refused = await http.post(server.url, json=slots(place), headers=headers)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
            with pytest.raises(InvalidStatus):
                async with open_socket(server):
                    pass
        async with stream(server, slots(place)) as again:  # places are given back
            assert (await again.next())[0] == "next"


async def test_all_callers_together_follow_so_many_things_and_no_more(
    database_url: str, place: Place, tmp_path: Path
) -> None:
    with served(database_url, tmp_path, RDV_LIVE_PER_PROCESS="2") as server:
        async with stream(server, slots(place)) as one, socket(server):
            await one.next()
            async with httpx2.AsyncClient() as http:
                headers = {"accept": "text/event-stream"}
                refused = await http.post(server.url, json=slots(place), headers=headers)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        async with stream(server, slots(place)) as again:
            assert (await again.next())[0] == "next"


FRAMES = [
    "1",
    "[]",
    "{",
    b"\x00",
    '{"type": 1}',
    '{"type": "subscribe"}',
    '{"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}}',
    '{"type": "subscribe", "id": "1", "payload": null}',
    '{"type": "complete"}',
    '{"type": "unheard of"}',
    f'{{"type": "{"é" * 120}"}}',
    '{"type": "connection_init", "payload": 1}',
]


async def test_a_frame_that_means_nothing_closes_the_socket_and_harms_nobody(running: Served) -> None:
    for frame in FRAMES:
        async with open_socket(running) as opened:
            await opened.send(frame)
            assert await closed(opened) in (4400, 4401), frame
        async with socket(running) as opened:
            await opened.send(frame)
            assert await closed(opened) in (4400, 4429), frame


async def test_the_usual_clients_of_both_protocols_get_events(running: Served, place: Place) -> None:
    needs("node")
    command = ["node", "live.mjs", running.url, json.dumps(slots(place))]
    done = await asyncio.to_thread(subprocess.run, command, cwd=NPM, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert [found[name]["data"]["slotsChanged"]["days"] for name in ("events", "socket")] == [[], []]


@pytest.fixture
def running(database_url: str, tmp_path: Path) -> Iterator[Served]:
    with served(database_url, tmp_path) as server:
        yield server


async def test_a_document_that_cannot_be_run_is_an_error_of_its_operation_alone(running: Served) -> None:
    async with socket(running) as opened:
        for number, payload in enumerate([{}, {"query": "{"}, {"query": 1}, {"query": "{ a }", "variables": []}]):
            await opened.send(subscribe(payload, str(number)))
            answer = await received(opened)
            assert (answer["id"], answer["type"]) == (str(number), "error")
        await opened.send(subscribe({"query": "{ __typename }"}))
        assert (await received(opened))["payload"]["data"] == {"__typename": "Query"}


async def test_errors_of_streams_and_sockets_are_counted_too(database_url: str, place: Place, tmp_path: Path) -> None:
    search = 'slots(input: {officeId: "0", reasonId: "0", from: "2027-03-03", to: "2027-03-03"}) { count }'
    unknown = {"query": f"{{ {search} }}"}
    with served(database_url, tmp_path, RDV_METRICS="true") as server:
        async with stream(server, unknown) as events:
            assert (await events.next())[1]["errors"][0]["extensions"]["code"] == "NOT_FOUND"
            assert (await events.next())[0] == "complete"
        async with socket(server) as opened:
            for body in ({"query": "{"}, unknown):
                await opened.send(subscribe(body))
                await received(opened)
        async with httpx2.AsyncClient() as http:
            for _ in range(200):  # an operation is counted once it has been answered
                figures = (await http.get(server.url.removesuffix("graphql") + "metrics")).text
                counted = dict(re.findall(r'^rdv_errors_total\{code="(\w+)"\} (\S+)$', figures, re.MULTILINE))
                if len(counted) == 2 + len(ALARMING):
                    break
                await asyncio.sleep(0.02)
    assert {code: times for code, times in counted.items() if code not in ALARMING} == {
        "NOT_FOUND": "2.0",
        "GRAPHQL_PARSE_FAILED": "1.0",
    }


async def test_how_long_something_is_followed_is_not_taken_for_how_long_callers_wait(
    database_url: str, place: Place, tmp_path: Path
) -> None:
    with served(database_url, tmp_path, RDV_METRICS="true") as server:
        async with stream(server, slots(place)) as events, socket(server) as opened:
            await events.next()
            await opened.send(subscribe(slots(place)))
            await received(opened)
        await ask(server, text("viewer"))
        async with httpx2.AsyncClient() as http, asyncio.timeout(PATIENCE):
            counted = ""
            while 'rdv_requests_total{operation="SlotsChanged",status="200"} 2.0' not in counted:
                counted = (await http.get(server.url.removesuffix("graphql") + "metrics")).text
                await asyncio.sleep(0.02)
    seconds = dict(re.findall(r'^rdv_request_seconds_count\{operation="(\w+)"\} (\S+)$', counted, re.MULTILINE))
    assert seconds == {"SlotsChanged": "0.0", "Viewer": "1.0"}


async def test_without_the_protocol_there_is_no_socket(running: Served) -> None:
    async with connect(running.url.replace("http", "ws")) as opened:
        assert await closed(opened) == 4406


async def test_a_subscription_that_expects_one_answer_is_told_how_it_is_followed(running: Served, place: Place) -> None:
    async with httpx2.AsyncClient() as http:
        answer = await http.post(running.url, json=slots(place), headers={"accept": "application/json"})
    assert answer.status_code == 406
    assert "text/event-stream" in answer.json()["errors"][0]["message"]


async def test_a_server_that_stops_ends_what_is_followed_at_once_and_clients_know_to_come_back(
    database_url: str, place: Place, tmp_path: Path
) -> None:
    with served(database_url, tmp_path) as server:
        async with stream(server, slots(place)) as events, socket(server) as opened:
            await events.next()
            await opened.send(subscribe(slots(place)))
            await received(opened)
            server.process.terminate()
            with pytest.raises(StopAsyncIteration):  # no `complete`
                await events.next()
            with pytest.raises(ConnectionClosed):
                await received(opened)
            assert opened.close_code == 1012
        assert await asyncio.to_thread(server.process.wait, 5) == -signal.SIGTERM  # uvicorn passes it on, at the end


async def test_what_changed_while_nobody_listened_is_told_when_the_connection_is_back(
    database_url: str, place: Place, tmp_path: Path
) -> None:
    with served(database_url, tmp_path) as one, served(database_url, tmp_path) as other:
        async with stream(one, slots(place)) as events:
            await events.next()
            async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
                await connection.execute("drop trigger tell_office_day_update on office_day")
                await connection.execute("drop trigger tell_office_day_insert on office_day")
                await take(other, place)
                ended = await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where query like 'delete from followed%' and datname = current_database()"
                )
                assert ended.rowcount == 1  # that of `one`, which listens
            assert (await events.next())[1]["data"]["slotsChanged"]["days"] == ["2027-03-03"]


async def test_a_hold_that_expires_is_told_although_nobody_changed_anything(
    api: Api, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_AGAIN_SECONDS", 0.05)
    services = open_services(api.settings, api.clock)
    changes = following.slots(services, lambda: ANONYMOUS, str(place.office), str(place.reasons["declare"]))
    try:
        free = (await anext(changes)).found.answer.starts
        await hold(api, place, START)
        assert (await anext(changes)).days == (date(2027, 3, 3),)
        api.clock.forward(minutes=11)
        assert (await anext(changes)).found.answer.starts == free
    finally:
        await changes.aclose()
        await services.close()


async def test_nothing_is_changed_by_the_address_of_a_stream(running: Served, place: Place) -> None:
    query = f"mutation {{ {TAKEN % (place.office, place.reasons['declare'], START)} }}"
    async with httpx2.AsyncClient() as http:
        headers = {"accept": "text/event-stream"}
        refused = await http.get(running.url, params={"query": query}, headers=headers)
        endless = await http.head(running.url, params={"query": "subscription { a }"}, headers=headers)
    assert (refused.status_code, endless.status_code) == (405, 405)


async def test_a_token_that_proves_nothing_opens_no_socket_and_counts_as_nobody(
    database_url: str, place: Place, tmp_path: Path
) -> None:
    with served(database_url, tmp_path, RDV_RATE_LIMIT="3/minute") as server:
        with pytest.raises(InvalidStatus):
            async with open_socket(server, additional_headers={"authorization": "Bearer junk"}):
                pass
        async with socket(server) as opened:
            answers = []
            for number in range(5):
                await opened.send(subscribe({"query": "{ __typename }"}, str(number)))
                answers.append(await received(opened))
                if answers[-1]["type"] == "next":
                    await received(opened)
    assert [one["type"] for one in answers] == ["next"] * 3 + ["error"] * 2
    assert answers[-1]["payload"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"


async def test_nothing_is_told_of_what_nobody_follows(
    database_url: str, database: Database, place: Place, tmp_path: Path
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("listen rdv_changes")
        with served(database_url, tmp_path) as server:
            await take(server, place)
            assert [one.payload async for one in connection.notifies(timeout=0.5)] == []
            async with stream(server, slots(place)) as events:
                await events.next()
                await take(server, place, "2027-03-03T10:00:00+01:00")
                told = {one.payload async for one in connection.notifies(timeout=PATIENCE, stop_after=1)}
    assert told == {f"office {place.office}"}


async def test_the_listener_outlives_whatever_goes_wrong(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rdv.models.notices.AGAIN_SECONDS", 0.05)
    renew, failures = Notices._renew, [ValueError("no"), psycopg.errors.ReadOnlySqlTransaction("a standby")]

    async def failing(notices: Notices, connection: Any) -> None:
        if failures:
            raise failures.pop()
        await renew(notices, connection)

    monkeypatch.setattr(Notices, "_renew", failing)
    notices = Notices(database)
    async with notices.about("office 1") as changed:
        changed.clear()
        async with database.transaction() as connection:
            await connection.execute(text_of("select pg_notify('rdv_changes', 'office 1')"))
        await asyncio.wait_for(changed.wait(), PATIENCE)
    await notices.close()
    assert failures == []
