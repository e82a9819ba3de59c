"""Two servers on one database agree the moment a change commits, whichever of them is asked."""

from pathlib import Path
from typing import Any

import anyio
import httpx2

from rdv.models.database import Database
from tests.api.test_contention import OVERLAPS, Remote, scalar, servers
from tests.places import Place, add_office

WRITERS, READERS, ROUNDS = 6, 6, 12


def wanted(place: Place) -> dict[str, Any]:
    return {"officeId": place.office, "reasonId": place.reasons["declare"]}


async def slots(remote: Remote, place: Place) -> dict[str, Any]:
    days = {"from": "2027-03-01", "to": "2027-03-12"}
    found: dict[str, Any] = await remote.ask("search_slots", {"input": wanted(place) | days})
    return found


def starts(found: dict[str, Any]) -> list[str]:
    return [start for day in found["days"] for start in day["starts"]]


def version(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(map(int, found["version"].split(".")))


async def write(pair: list[Remote], place: Place, number: int) -> None:
    """Take a time and see everywhere that it is taken, again and again, confirming every third."""
    for turn in range(ROUNDS):
        one, other = pair[turn % 2], pair[(turn + 1) % 2]
        free = starts(await slots(other, place))
        start = free[(number * 7 + turn) % len(free)]
        held = await one.ask("hold_slot", {"input": wanted(place) | {"start": start}})
        if held["__typename"] != "Hold":
            continue
        for remote in (other, one):
            assert start not in starts(await slots(remote, place)), "offered although it is held"
        if turn % 3 == 0:
            usager = {"firstName": "Camille", "lastName": "Exemple", "email": f"c{number}.{turn}@example.org"}
            confirmed = await other.ask(
                "confirm_appointment", {"input": {"holdToken": held["token"], "usager": usager}}
            )
            assert confirmed["__typename"] == "AppointmentConfirmed", confirmed


async def read(pair: list[Remote], place: Place, seen: list[int]) -> None:
    """Ask one server, then the other: no answer is older than one that was had before."""
    last: tuple[int, ...] = ()
    for turn in range(4 * ROUNDS):
        found = version(await slots(pair[turn % 2], place))
        assert found >= last, "an older version after a newer one"
        last = found
    seen.append(last[-1])


async def test_no_server_offers_what_another_has_sold_or_goes_back_to_an_older_version(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    place = await add_office(database, hours=(9 * 60, 18 * 60), step_minutes=30)
    seen: list[int] = []
    with servers(database_url, tmp_path, 2) as running:
        async with httpx2.AsyncClient(timeout=60) as http, anyio.create_task_group() as group:
            pair = [Remote(http, server.url) for server in running]
            for number in range(WRITERS):
                group.start_soon(write, pair, place, number)
            for number in range(READERS):
                group.start_soon(read, pair[:: 1 if number % 2 else -1], place, seen)
    assert min(seen) > 1, "nothing was written while they read"
    assert scalar(database_url, OVERLAPS) == 0
