"""The typed Python client that anybody can generate from `queries/`, against a running server."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

from tests.clients.conftest import HERE
from tests.places import Place
from tests.served import Served


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"2027-03-01T{time}+01:00")


async def test_a_usager_goes_all_the_way_with_typed_answers(python_client: Path, served: Served, place: Place) -> None:
    from rdv_client import AppointmentStatus, Client  # type: ignore[import-not-found]

    from tests.clients.journey import journey

    async with Client(served.url) as client:
        seen = await journey(client, str(place.office), str(place.reasons["declare"]))
    assert seen.offered == [at(f"{9 + n // 4:02}:{n % 4 * 15:02}") for n in range(11)]
    assert seen.held_until == at("08:10")
    assert seen.instead == [at("10:00"), at("10:15"), at("10:30"), at("10:45"), at("11:00")]
    assert (seen.status, seen.start, seen.reason) == (AppointmentStatus.BOOKED, at("11:30"), "Déclarer")
    assert seen.moved_to == at("11:00")
    assert seen.cancelled is AppointmentStatus.CANCELLED


def test_a_type_checker_knows_the_answers_and_refuses_wrong_uses(python_client: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--config-file",
            HERE / "mypy.ini",
            "--cache-dir",
            tmp_path,
            HERE / "journey.py",
        ],
        cwd=python_client,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("Success: no issues found in 1 source file\n", 0)
