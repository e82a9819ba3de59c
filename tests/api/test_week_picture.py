"""From rows to pictures: an office's week as it holds, and as a draft would make it; and `rdv plan show`."""

from datetime import date
from pathlib import Path

import pytest

from rdv.app import open_services
from rdv.models.database import Database
from rdv.models.planning import Opening
from rdv.pictures.week import State, Week
from rdv.usecases.week_picture import week_picture
from tests.api.conftest import Api
from tests.api.staff import change
from tests.api.steps import booked
from tests.api.test_generation import DAY, MORNING, demand, generated
from tests.cli.running import ran
from tests.places import Place, add, add_office

MONDAY = date(2027, 3, 8)


async def drawn(api: Api, place: Place, draft: str | None = None) -> Week:
    services = open_services(api.settings, api.clock)
    try:
        return await week_picture(
            services, place.code, MONDAY, language="fr", draft=None if draft is None else int(draft)
        )
    finally:
        await services.close()


async def test_a_week_shows_hours_appointments_and_hours_without_appointment(
    api: Api,
    database: Database,
) -> None:
    place = await add_office(database, agents=1, staffed=True)
    walk_in = Opening(office_id=place.office, layer="WALK_IN", weekdays=[1], start_minute=840, end_minute=960)
    await add(database, walk_in)
    await booked(api, place, f"{DAY}T10:00:00+01:00")
    found = await drawn(api, place)
    one = found.counters[0].on(MONDAY)
    assert (one.open, one.walk_in) == (((540, 720),), ((840, 960),))
    assert [(b.start_minute, b.end_minute, b.reason, b.agents) for b in one.blocks] == [
        (600, 630, "Déclarer", ("Agent 1",))
    ]
    assert found.counters[0].on(date(2027, 3, 13)).empty


async def test_a_draft_is_drawn_as_it_would_be_and_changes_nothing(
    api: Api,
    database: Database,
) -> None:
    place = await add_office(database, counters=2, agents=1, staffed=True)
    draft = await generated(api, place, demand=demand(place, at=MORNING[2:]))
    # Booked after it was planned, so nobody is there for it.
    await booked(api, place, f"{DAY}T09:00:00+01:00")
    found = await drawn(api, place, draft["id"])
    days = [one.on(MONDAY) for one in found.counters]
    assert sorted((one.open, one.before) for one in days) == [((), ((540, 720),)), (((600, 720),), ((540, 720),))]
    assert [(s.start_minute, s.end_minute, s.agent) for one in days for s in one.shifts] == [(600, 720, "Agent 1")]
    assert [(b.start_minute, b.state) for b in found.stranded[MONDAY]] == [(540, State.STRANDED)]
    assert (await drawn(api, place)).counters[0].on(MONDAY).open == ((540, 720),)


async def test_a_published_roster_is_in_the_picture(api: Api, database: Database) -> None:
    place = await add_office(database, agents=1, staffed=True)
    draft = await generated(api, place, demand=demand(place, at=MORNING[2:]))
    await change(api, place, "apply_draft", draftId=draft["id"])
    one = (await drawn(api, place)).counters[0].on(MONDAY)
    assert [(s.start_minute, s.end_minute, s.agent) for s in one.shifts] == [(600, 720, "Agent 1")]


def show(data_dir: Path, url: str, *more: str) -> tuple[int, str, str]:
    given = ("plan", "show", "--office", "sip-75101-01", "--now", "2027-03-01T08:00:00+01:00", *more)
    done = ran(data_dir, *given, RDV_DATABASE_URL=url)
    return done.returncode, done.stdout, done.stderr


async def test_the_command_draws_in_the_terminal_and_into_files(
    data_dir: Path,
    database: Database,
    database_url: str,
    tmp_path: Path,
) -> None:
    await add_office(database)
    status, said, errors = show(data_dir, database_url, "--week", "2027-W10")
    assert (status, errors) == (0, "")
    assert "SIP sip-75101-01 : du 8 mars 2027 au 14 mars 2027" in said
    assert "░░░░░░░░░░░░" in said
    for name, start in (("week.svg", "<svg"), ("week.html", "<!doctype html>")):
        file = tmp_path / name
        output = ("--week", "2027-03-10", "--language", "en", "--output", str(file))
        assert show(data_dir, database_url, *output) == (0, f"{file}\n", "")
        assert file.read_text(encoding="utf-8").startswith(start)
        assert "March 8, 2027 to March 14, 2027" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--week", "2027-W60"), "--week: is neither a week like 2027-W10 nor a date"),
        (("--week", "2027-W10", "--language", "de"), "--language: is not fr or en"),
        (("--week", "2027-W10", "--output", "x.png"), "--output: ends neither in .svg nor in .html"),
        (
            ("--week", "2027-W10", "--output", "/nowhere/x.svg"),
            "--output: /nowhere/x.svg cannot be written: No such file or directory",
        ),
        (("--week", "2027-W10", "--draft", "9"), "--office, --draft: There is no such planning at this office."),
    ],
)
async def test_what_cannot_be_drawn_is_refused_in_one_line(
    data_dir: Path,
    database: Database,
    database_url: str,
    given: tuple[str, ...],
    said: str,
) -> None:
    await add_office(database)
    assert show(data_dir, database_url, *given) == (1, "", f"rdv: {said}\n")
