"""Real servers, real connections: scarce slots are sold exactly, whatever many clients and a sudden death do."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx2
import psycopg
import pytest

from rdv.models.database import Database
from tests.api.conftest import QUERIES, Api
from tests.api.steps import booked, confirm, hold, move
from tests.places import NOW, Place, add_office
from tests.served import Served, serving

CLIENTS = 64
ANYBODY = {"firstName": "Camille", "lastName": "Exemple"}
ON_GRID = {"step_minutes": 30}

OVERLAPS = """
select count(*) from appointment one join appointment other on one.id < other.id and one.counter_id = other.counter_id
where one.starts_at < other.occupied_until and other.starts_at < one.occupied_until
  and one.status in ('HELD', 'BOOKED') and other.status in ('HELD', 'BOOKED')
"""

AGENTS_AT_TWO_PLACES = """
select count(*) from appointment_agent one join appointment_agent other
  on one.appointment_id < other.appointment_id and one.agent_id = other.agent_id
where one.starts_at < other.occupied_until and other.starts_at < one.occupied_until and one.live and other.live
"""

HALF_WRITTEN = """
select count(*) from appointment a join reason r on r.id = a.reason_id join office o on o.id = a.office_id
where a.status = 'BOOKED' and (a.usager_id is null or a.access_code_hash is null)
   or a.status in ('HELD', 'BOOKED') and o.staffed and r.agents_required <> (
      select count(*) from appointment_agent g
      where g.appointment_id = a.id and g.live and g.starts_at = a.starts_at and g.occupied_until = a.occupied_until)
"""


@dataclass
class Tally:
    """What clients saw."""

    confirmed: dict[str, dict[str, Any]] = field(default_factory=dict)  # by the clients' names
    held: dict[str, dict[str, Any]] = field(default_factory=dict)  # the inputs of their confirmations
    nothing_left: int = 0
    problems: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Remote:
    """A client of a server, which takes part in a storm."""

    http: httpx2.AsyncClient
    url: str

    async def ask(self, document: str, variables: dict[str, Any]) -> Any:
        text = (QUERIES / f"{document}.graphql").read_text(encoding="utf-8")
        response = await self.http.post(self.url, json={"query": text, "variables": variables})
        assert response.status_code == 200, response.text
        answer = response.json()
        assert "errors" not in answer, answer
        (found,) = answer["data"].values()
        return found

    async def book(self, name: str, place: Place, reason: str, tally: Tally) -> None:
        """Search, hold, confirm as a browser would, and take an alternative when somebody was faster."""
        wanted = {"officeId": place.office, "reasonId": place.reasons[reason]}
        found = await self.ask("search_slots", {"input": wanted | {"from": "2027-03-01", "to": "2027-03-01"}})
        starts = [start for day in found["days"] for start in day["starts"]]
        while starts:
            turn = int(name) % len(starts)
            held = await self.ask("hold_slot", {"input": wanted | {"start": starts[turn], "idempotencyKey": name}})
            if held["__typename"] == "Hold":
                await self.confirm(name, held["token"], tally)
                return
            tally.problems[held["__typename"]] += 1
            starts = [slot["start"] for slot in held["alternatives"] if slot["start"] < "2027-03-02"]
        tally.nothing_left += 1

    async def confirm(self, name: str, token: str, tally: Tally) -> None:
        usager = {"firstName": "Camille", "lastName": f"Exemple {name}", "email": f"camille.{name}@example.org"}
        tally.held[name] = {"holdToken": token, "usager": usager, "idempotencyKey": name}
        confirmed = await self.ask("confirm_appointment", {"input": tally.held[name]})
        tally.problems[confirmed["__typename"]] += 1
        if confirmed["__typename"] == "AppointmentConfirmed":
            tally.confirmed[name] = confirmed


@contextmanager
def servers(database_url: str, folder: Path, count: int) -> Iterator[list[Served]]:
    """Serve a database by some processes, which must not have logged any error by the end."""
    clock = folder / "now"
    clock.write_text(NOW.isoformat(), encoding="utf-8")
    with ExitStack() as stack:
        running = [stack.enter_context(serving(database_url, clock)) for _ in range(count)]
        yield running
    for server in running:
        assert "Traceback" not in server.log.read_text(encoding="utf-8")


async def storm(running: list[Served], place: Place, reason: str, tally: Tally) -> None:
    """Let 64 clients book at once, spread over the servers."""
    limits = httpx2.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    async with httpx2.AsyncClient(limits=limits, timeout=60) as http, anyio.create_task_group() as group:
        for n in range(CLIENTS):
            remote = Remote(http, running[n % len(running)].url)
            group.start_soon(remote.book, str(n), place, reason, tally)


def scalar(database_url: str, statement: str) -> Any:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(statement).fetchone()  # type: ignore[call-overload]
    return row[0] if row else None


def sound(database_url: str) -> tuple[int, int, int]:
    """Count overlaps at counters, agents at two places, and rows that are half written."""
    return tuple(scalar(database_url, each) for each in (OVERLAPS, AGENTS_AT_TWO_PLACES, HALF_WRITTEN))  # type: ignore[return-value]


async def test_sixty_four_clients_on_two_servers_get_exactly_the_capacity(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    place = await add_office(database, counters=2, hours=(9 * 60, 10 * 60 + 30), **ON_GRID)
    tally = Tally()
    with servers(database_url, tmp_path, 2) as running:
        await storm(running, place, "declare", tally)
    assert (len(tally.confirmed), tally.nothing_left) == (6, 58)
    assert set(tally.problems) <= {"SlotTaken", "AppointmentConfirmed"}
    booked = Counter(one["appointment"]["start"][11:16] for one in tally.confirmed.values())
    assert booked == {"09:00": 2, "09:30": 2, "10:00": 2}
    assert scalar(database_url, "select count(*) from appointment where status = 'BOOKED'") == 6
    assert scalar(database_url, "select count(*) from appointment") == 6
    assert sound(database_url) == (0, 0, 0)


async def test_sixty_four_clients_get_exactly_what_the_agents_can_receive(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    hours = (9 * 60, 11 * 60 + 15)
    place = await add_office(database, counters=3, agents=5, hours=hours, step_minutes=45)
    tally = Tally()
    with servers(database_url, tmp_path, 2) as running:
        await storm(running, place, "survey", tally)
    assert (len(tally.confirmed), tally.nothing_left) == (6, 58)
    assert scalar(database_url, "select count(*) from appointment_agent where live") == 12
    assert sound(database_url) == (0, 0, 0)


async def test_a_server_that_is_killed_in_a_storm_loses_nothing_and_leaves_nothing_half_written(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    place = await add_office(database, counters=6, agents=6, hours=(9 * 60, 12 * 60))
    tally = Tally()
    cut = 0

    async def until_it_dies(remote: Remote, name: str) -> None:
        nonlocal cut
        try:
            await remote.book(name, place, "correct", tally)
        except httpx2.TransportError:
            cut += 1
        if len(tally.confirmed) == 10:
            dying.kill()

    with servers(database_url, tmp_path, 1) as (dying,):
        async with httpx2.AsyncClient(timeout=60) as http, anyio.create_task_group() as group:
            for n in range(CLIENTS):
                group.start_soon(until_it_dies, Remote(http, dying.url), str(n))
    assert cut > 0
    assert len(tally.confirmed) + cut == CLIENTS
    assert sound(database_url) == (0, 0, 0)
    before = dict(tally.confirmed)
    with servers(database_url, tmp_path, 1) as (again,):
        async with httpx2.AsyncClient(timeout=60) as http:
            remote = Remote(http, again.url)
            for one in before.values():
                keys = {"reference": one["appointment"]["reference"], "accessCode": one["accessCode"]}
                seen = await remote.ask("appointment", keys)
                assert (seen["status"], seen["start"]) == ("BOOKED", one["appointment"]["start"])
            # Whoever had a hold and no answer repeats the request, and gets the one appointment it is about.
            for name, wanted in tally.held.items():
                repeated = await remote.ask("confirm_appointment", {"input": wanted})
                assert repeated["__typename"] == "AppointmentConfirmed"
                assert before.get(name, repeated) == repeated
            await remote.book("64", place, "correct", tally)
    assert "64" in tally.confirmed
    booked = scalar(database_url, "select count(*) from appointment where status = 'BOOKED'")
    assert booked == len(tally.held)
    assert sound(database_url) == (0, 0, 0)


async def test_the_same_request_sent_ten_times_at_once_is_done_once(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    place = await add_office(database, counters=4)
    wanted = {
        "officeId": place.office,
        "reasonId": place.reasons["declare"],
        "start": "2027-03-01T09:00:00+01:00",
        "idempotencyKey": "7f1e",
    }
    usager = {"firstName": "Camille", "lastName": "Exemple"}
    holds: list[Any] = []
    confirmations: list[Any] = []

    async def send(remote: Remote, document: str, given: dict[str, Any], into: list[Any]) -> None:
        into.append(await remote.ask(document, {"input": given}))

    with servers(database_url, tmp_path, 2) as running:
        async with httpx2.AsyncClient(timeout=60) as http:
            async with anyio.create_task_group() as group:
                for n in range(10):
                    group.start_soon(send, Remote(http, running[n % 2].url), "hold_slot", wanted, holds)
            assert {one["__typename"] for one in holds} == {"Hold"}
            assert len({one["token"] for one in holds}) == 1
            given = {"holdToken": holds[0]["token"], "usager": usager, "idempotencyKey": "7f1e"}
            async with anyio.create_task_group() as group:
                for n in range(10):
                    group.start_soon(
                        send, Remote(http, running[n % 2].url), "confirm_appointment", given, confirmations
                    )
    assert {one["__typename"] for one in confirmations} == {"AppointmentConfirmed"}
    assert all(one == confirmations[0] for one in confirmations)
    assert scalar(database_url, "select count(*) from appointment") == 1
    assert scalar(database_url, "select count(*) from usager") == 1


async def test_an_idempotency_key_with_another_body_is_a_conflict(api: Api, database: Database) -> None:
    place = await add_office(database, counters=2)
    first = await hold(api, place, "2027-03-01T09:00:00+01:00", idempotencyKey="k")
    other = await hold(api, place, "2027-03-01T09:30:00+01:00", idempotencyKey="k")
    assert other == {
        "__typename": "IdempotencyConflict",
        "code": "IDEMPOTENCY_CONFLICT",
        "message": "Cette clé d’idempotence a déjà servi pour une autre demande.",
    }
    confirmed = await confirm(api, first["token"], idempotencyKey="k")
    assert confirmed["__typename"] == "AppointmentConfirmed"  # a key is one mutation's
    again = await confirm(api, first["token"], idempotencyKey="k", comment="autre")
    assert again["code"] == "IDEMPOTENCY_CONFLICT"


async def test_the_same_instant_in_another_offset_is_the_same_body(api: Api, database: Database) -> None:
    place = await add_office(database)
    first = await hold(api, place, "2027-03-01T09:00:00+01:00", idempotencyKey="k")
    assert (await hold(api, place, "2027-03-01T08:00:00Z", idempotencyKey="k"))["token"] == first["token"]


async def test_a_key_is_free_again_when_its_request_was_refused(api: Api, database: Database) -> None:
    place = await add_office(database)
    keys = await booked(api, place, "2027-03-01T10:00:00+01:00")
    refused = await hold(api, place, "2027-03-01T10:00:00+01:00", idempotencyKey="k")
    assert refused["code"] == "SLOT_TAKEN"
    await api.data("cancel_appointment", {"input": keys})
    assert (await hold(api, place, "2027-03-01T10:00:00+01:00", idempotencyKey="k"))["__typename"] == "Hold"


async def test_a_hold_that_is_over_frees_its_time_at_once(api: Api, database: Database) -> None:
    place = await add_office(database)
    held = await hold(api, place, "2027-03-01T09:00:00+01:00")
    api.clock.forward(seconds=599)
    assert (await hold(api, place, "2027-03-01T09:00:00+01:00"))["__typename"] == "SlotTaken"
    api.clock.forward(seconds=1)
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "from": "2027-03-01", "to": "2027-03-01"}
    found = (await api.data("search_slots", {"input": wanted}))["slots"]
    assert found["first"]["start"] == "2027-03-01T09:00:00+01:00"
    late = await confirm(api, held["token"])
    assert late == {
        "__typename": "HoldExpired",
        "code": "HOLD_EXPIRED",
        "message": "Cette réservation provisoire a expiré : choisissez de nouveau un créneau.",
    }
    assert (await hold(api, place, "2027-03-01T09:00:00+01:00"))["__typename"] == "Hold"
    assert (await confirm(api, held["token"]))["__typename"] == "HoldExpired"


async def test_a_token_that_was_never_given_is_an_expired_hold(api: Api, database: Database) -> None:
    await add_office(database)
    for token in ("", "x", "\0", "é" * 10_000):
        assert (await confirm(api, token))["code"] == "HOLD_EXPIRED"


async def test_a_hold_moves_another_appointment_when_that_makes_room(
    api: Api, database: Database, database_url: str
) -> None:
    place = await add_office(database, counters=2, hours=(9 * 60, 9 * 60 + 30), **ON_GRID)
    special, other = place.counters
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "update counter set reason_ids = %s where id = %s", ([place.reasons["declare"]], other), prepare=False
        )
    await booked(api, place, "2027-03-03T09:00:00+01:00")
    with psycopg.connect(database_url) as connection:  # as somebody at the office might have put it
        connection.execute("update appointment set counter_id = %s", (special,))
    held = await hold(api, place, "2027-03-03T09:00:00+01:00", "correct")
    assert held["__typename"] == "Hold"
    with psycopg.connect(database_url) as connection:
        seats = connection.execute("select status, counter_id from appointment order by id").fetchall()
    assert seats == [("BOOKED", other), ("HELD", special)]
    assert sound(database_url) == (0, 0, 0)


async def test_a_taken_start_is_answered_with_the_nearest_free_ones(api: Api, database: Database) -> None:
    place = await add_office(database)
    await booked(api, place, "2027-03-01T10:00:00+01:00")
    refused = await hold(api, place, "2027-03-01T10:15:00+01:00")
    assert (refused["code"], refused["message"]) == ("SLOT_TAKEN", "Ce créneau n’est plus libre.")
    assert [(slot["start"][11:16], slot["end"][11:16], slot["remaining"]) for slot in refused["alternatives"]] == [
        ("09:15", "09:45", 1),
        ("09:30", "10:00", 1),
        ("10:30", "11:00", 1),
        ("10:45", "11:15", 1),
        ("11:00", "11:30", 1),
    ]


async def test_an_appointment_keeps_its_time_when_the_new_one_is_taken(api: Api, database: Database) -> None:
    place = await add_office(database)
    mine = await booked(api, place, "2027-03-01T09:30:00+01:00")
    await booked(api, place, "2027-03-01T10:00:00+01:00")
    refused = await move(api, mine, "2027-03-01T10:00:00+01:00")
    assert refused["code"] == "SLOT_TAKEN"
    # Its own time counts as free for itself.
    assert [slot["start"][11:16] for slot in refused["alternatives"]] == ["09:00", "09:15", "09:30", "10:30", "10:45"]
    assert (await api.data("appointment", mine))["appointment"]["start"] == "2027-03-01T09:30:00+01:00"


async def test_many_who_move_to_one_time_leave_one_there_and_the_others_where_they_were(
    database_url: str, api: Api, database: Database, tmp_path: Path
) -> None:
    place = await add_office(database, counters=2, hours=(9 * 60, 14 * 60), **ON_GRID)
    starts = [f"2027-03-01T{9 + n // 2:02}:{n % 2 * 30:02}:00+01:00" for n in range(1, 9)]
    everyone = [await booked(api, place, start, usager=ANYBODY) for start in starts for _ in range(2)]
    answers: list[dict[str, Any]] = []

    async def send(remote: Remote, keys: dict[str, str]) -> None:
        given = keys | {"start": "2027-03-01T13:30:00+01:00"}
        answers.append(await remote.ask("reschedule_appointment", {"input": given}))

    with servers(database_url, tmp_path, 2) as running:
        async with httpx2.AsyncClient(timeout=60) as http, anyio.create_task_group() as group:
            for n, keys in enumerate(everyone):
                group.start_soon(send, Remote(http, running[n % 2].url), keys)
    assert Counter(one["__typename"] for one in answers) == {"AppointmentConfirmed": 2, "SlotTaken": 14}
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select starts_at, count(*) from appointment group by 1 order by 1").fetchall()
    counts = dict(rows)
    assert counts.pop(datetime(2027, 3, 1, 12, 30, tzinfo=UTC)) == 2
    assert sum(counts.values()) == 14
    assert set(counts) <= {NOW + timedelta(hours=1, minutes=30 * n) for n in range(1, 9)}
    assert sound(database_url) == (0, 0, 0)


async def test_moving_with_a_key_moves_once(api: Api, database: Database) -> None:
    place = await add_office(database)
    mine = await booked(api, place, "2027-03-01T10:00:00+01:00")
    first = await move(api, mine, "2027-03-01T10:30:00+01:00", idempotencyKey="m")
    assert await move(api, mine, "2027-03-01T10:30:00+01:00", idempotencyKey="m") == first
    assert (await move(api, mine, "2027-03-01T11:00:00+01:00", idempotencyKey="m"))["code"] == "IDEMPOTENCY_CONFLICT"
    assert (await api.data("appointment", mine))["appointment"]["start"] == "2027-03-01T10:30:00+01:00"


@pytest.mark.parametrize("times", [1, 2])
async def test_a_cancelled_time_is_free_at_once_and_cancelling_again_changes_nothing(
    api: Api, database: Database, times: int
) -> None:
    place = await add_office(database)
    mine = await booked(api, place, "2027-03-01T10:00:00+01:00")
    for _ in range(times):
        cancelled = (await api.data("cancel_appointment", {"input": mine | {"why": "empêché"}}))["cancelAppointment"]
        assert cancelled["appointment"]["status"] == "CANCELLED"
    assert (await hold(api, place, "2027-03-01T10:00:00+01:00"))["__typename"] == "Hold"
    refused = await move(api, mine, "2027-03-01T10:30:00+01:00")
    assert (refused["code"], refused["message"]) == (
        "NOT_ALLOWED",
        "Ce rendez-vous est annulé : prenez-en un nouveau.",
    )
