"""What operators are told of requests: traces, and logs that machines read, without anybody's data."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from rdv.errors import BadSetting
from rdv.integrations.telemetry import Telemetry
from rdv.models.database import Database
from tests.api.conftest import QUERIES, opened
from tests.api.steps import CAMILLE, booked, search
from tests.places import NOW, add_office
from tests.served import serving

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
START = "2027-03-03T09:00:00+01:00"


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Run a collector; yield its address and what it is sent."""
    sent: list[bytes] = []

    class Collect(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            sent.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collect) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", sent
        finally:
            server.shutdown()
            thread.join()


async def test_a_collector_is_told_how_long_the_parts_of_a_request_took_in_the_callers_trace(
    database_url: str, database: Database
) -> None:
    place = await add_office(database)
    with collector() as (address, sent):
        async with opened(database_url, otlp_endpoint=address) as api:
            wanted = {"officeId": place.office, "reasonId": place.reasons["declare"]}
            answer = await api.client.post(
                "/graphql",
                json={
                    "query": (QUERIES / "search_slots.graphql").read_text(),
                    "variables": {"input": wanted | {"from": "2027-03-03", "to": "2027-03-03"}},
                },
                headers={"traceparent": f"00-{TRACE}-{SPAN}-01"},
            )
            await booked(api, place, START)
    spans = [
        span
        for body in sent
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    in_trace = {span.name: span for span in spans if span.trace_id.hex() == TRACE}
    assert set(in_trace) == {"SearchSlots", "versions", "agendas", "engine"}
    request = in_trace["SearchSlots"]
    assert request.parent_span_id.hex() == SPAN
    assert {in_trace[name].parent_span_id for name in ("versions", "agendas")} == {request.span_id}
    assert answer.headers["traceresponse"] == f"00-{TRACE}-{request.span_id.hex()}-01"
    assert [(one.key, one.value.int_value) for one in request.attributes] == [("http.response.status_code", 200)]
    assert len({span.trace_id for span in spans}) > 1  # a request without a trace has one of its own
    told = b"".join(sent)
    assert not [value for value in CAMILLE.values() if value.encode() in told]


async def test_what_an_error_says_is_in_no_trace(
    database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise ValueError("Camille Exemple")

    monkeypatch.setattr("rdv.usecases.agendas.load_situations", broken)
    with collector() as (address, sent):
        async with opened(database_url, otlp_endpoint=address) as api:
            place = await add_office(database)
            query = 'slots(input: {officeId: "%s", reasonId: "%s", from: "2027-03-03", to: "2027-03-03"}) { count }'
            answer = await api.answer(f"{{ {query % (place.office, place.reasons['declare'])} }}")
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert b"engine" in b"".join(sent) or b"agendas" in b"".join(sent)
    assert b"Camille" not in b"".join(sent)


async def test_no_more_than_the_wanted_share_of_traces_is_collected(database_url: str, database: Database) -> None:
    place = await add_office(database)
    with collector() as (address, sent):
        async with opened(database_url, otlp_endpoint=address, otlp_share=0.0) as api:
            await search(api, place)
    assert sent == []


def test_telemetry_without_its_packages_is_a_setting_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(BadSetting, match="extra `otel`"):
        Telemetry("http://127.0.0.1:1", share=1.0)


async def test_logs_for_machines_have_a_line_for_each_request_and_nobodys_data(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    place = await add_office(database)
    clock = tmp_path / "now"
    clock.write_text(NOW.isoformat(), encoding="utf-8")
    settings = {"RDV_LOG_FORMAT": "json", "RDV_LOG_LEVEL": "INFO"}
    with serving(database_url, clock, **settings) as server:
        hold = {"officeId": place.office, "reasonId": place.reasons["declare"], "start": START}
        async with httpx2.AsyncClient() as http:

            async def ask(name: str, given: dict[str, Any]) -> Any:
                query = (QUERIES / f"{name}.graphql").read_text(encoding="utf-8")
                headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
                answer = await http.post(
                    server.url, json={"query": query, "variables": {"input": given}}, headers=headers
                )
                return answer.json()["data"]

            token = (await ask("hold_slot", hold))["holdSlot"]["token"]
            made = (await ask("confirm_appointment", {"holdToken": token, "usager": CAMILLE}))["confirmAppointment"]
            assert made["__typename"] == "AppointmentConfirmed"
            await http.post(server.url, json={"query": "query Camille { viewer { kind } }"})
            await http.post(server.url, json={"query": "query Camille {"})
    text = server.log.read_text(encoding="utf-8")  # a request is logged once it is answered: so when all is over
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["logger"] == "rdv.requests"]
    assert [(line["operation"], line["status"], line["level"]) for line in requests] == [
        ("HoldSlot", 200, "INFO"),
        ("ConfirmAppointment", 200, "INFO"),
        ("other", 200, "INFO"),
        ("other", 200, "INFO"),
    ]
    assert [line.get("codes") for line in requests] == [None, None, None, "GRAPHQL_PARSE_FAILED"]
    assert requests[-1]["message"].endswith(" ms (GRAPHQL_PARSE_FAILED)")
    assert [line["trace"] for line in requests][:2] == [TRACE, TRACE]
    assert {datetime.fromisoformat(line["time"]).utcoffset() for line in lines} == {timedelta(0)}
    secrets = [*CAMILLE.values(), token, made["accessCode"], made["appointment"]["reference"]]
    assert not [one for one in secrets if one in text]
