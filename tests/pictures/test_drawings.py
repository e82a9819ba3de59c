"""Pictures of a week: what is in them, that they are whole, in both languages, and need nothing from elsewhere."""

import re
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from rdv.pictures.svg import draw_html, draw_svg, heat
from rdv.pictures.terminal import draw_terminal
from rdv.pictures.week import Block, CounterDay, CounterWeek, Shift, State, Week, minus
from rdv.pictures.words import Words
from rdv.schema.texts import Translate

MONDAY = date(2027, 3, 8)
DATES = [MONDAY + timedelta(days=n) for n in range(7)]
SVG = "{http://www.w3.org/2000/svg}"


def block(start: int, end: int, until: int | None = None, state: State = State.BOOKED) -> Block:
    return Block(
        start_minute=start,
        end_minute=end,
        until_minute=until or end,
        reason="Déclarer",
        group=0,
        state=state,
        agents=("Ann O’Hara",),
    )


def week(day: CounterDay, label: str = "Guichet 1", **more: object) -> Week:
    counters = [CounterWeek(label=label, days={MONDAY: day})]
    return replace(Week(office="SIP d’Exemple", code="sip-1", dates=DATES, counters=counters), **more)  # type: ignore[arg-type]


MORNING = CounterDay(
    open=((540, 720),),
    blocks=(block(540, 600, 615), block(660, 720)),
    shifts=(Shift(start_minute=540, end_minute=720, agent="Ann O’Hara"),),
)


def words(language: str = "fr") -> Words:
    return Words(Translate(language))


def printed(drawn: Week, width: int = 200, language: str = "fr") -> str:
    console = Console(width=width, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(draw_terminal(drawn, words(language), width))
    return capture.get()


def titles(drawn: Week, language: str = "fr") -> list[str]:
    picture = ET.fromstring(draw_svg(drawn, words(language)))  # noqa: S314 - our own
    return [one.text or "" for one in picture.iter(f"{SVG}title")]


def test_load_is_the_share_of_open_time_that_is_taken_buffers_included() -> None:
    assert MORNING.load == 135 / 180
    assert week(MORNING).load(MONDAY) == 135 / 180
    assert week(MORNING).load(DATES[1]) is None


def test_the_heat_map_is_by_half_hours() -> None:
    cells = dict(week(MORNING).cells(MONDAY))
    assert [cells[at] for at in (540, 570, 600, 630, 660)] == [1, 1, 0.5, 0, 1]


def test_a_week_is_drawn_from_monday_to_friday_and_on_other_days_with_something() -> None:
    assert week(MORNING).shown == DATES[:5]
    saturday = CounterWeek(label="B", days={DATES[5]: MORNING})
    assert replace(week(MORNING), counters=[saturday]).shown == DATES[:6]


def test_hours_are_whole_and_cover_what_happens() -> None:
    assert week(MORNING).hours == (540, 720)
    assert week(replace(MORNING, walk_in=((810, 1000),))).hours == (540, 1020)
    assert week(CounterDay()).hours == (480, 1080)


def test_a_draft_shows_what_opens_and_what_no_longer_does() -> None:
    compared = CounterDay(open=((540, 660),), before=((600, 720),))
    assert (compared.opened, compared.shut) == (((540, 600),), ((660, 720),))


@pytest.mark.parametrize(
    ("spans", "others", "left"),
    [
        ([(0, 10)], [(2, 4), (6, 8)], [(0, 2), (4, 6), (8, 10)]),
        ([(0, 10)], [(0, 10)], []),
        ([(0, 10), (20, 30)], [(5, 25)], [(0, 5), (25, 30)]),
        ([(0, 10)], [(12, 14)], [(0, 10)]),
    ],
)
def test_what_is_left_of_spans(
    spans: list[tuple[int, int]], others: list[tuple[int, int]], left: list[tuple[int, int]]
) -> None:
    assert list(minus(spans, others)) == left


def test_the_picture_names_every_appointment_and_shift_but_no_usager() -> None:
    found = titles(week(MORNING))
    assert "09:00–10:00 Déclarer · Ann O’Hara" in found
    assert "09:00–12:00 Ann O’Hara" in found
    assert "09:00–09:30 100 %" in found


def test_the_picture_says_what_is_unusual_in_the_readers_language() -> None:
    moved = week(replace(MORNING, blocks=(block(540, 600, state=State.MOVED),)))
    assert "09:00–10:00 Déclarer · Ann O’Hara · passe à ce guichet" in titles(moved)
    assert "09:00–10:00 Déclarer · Ann O’Hara · moves to this counter" in titles(moved, "en")


def test_whoever_has_no_place_has_a_row_of_their_own() -> None:
    lost = week(MORNING, stranded={MONDAY: [block(600, 630, state=State.STRANDED)]})
    assert "10:00–10:30 Déclarer · Ann O’Hara · sans place : à rappeler" in titles(lost)
    assert "Sans place" in draw_html(lost, words())
    assert re.search(r"Sans place +│ 10:00", printed(lost))


def test_many_without_a_place_leave_a_days_picture_as_wide_as_it_was() -> None:
    lost = [block(at, at + 5, state=State.STRANDED) for at in range(540, 720, 5)]
    wide, narrow = printed(week(MORNING, stranded={MONDAY: lost})), printed(week(MORNING))
    assert max(map(len, wide.splitlines())) == max(map(len, narrow.splitlines()))
    assert wide.count(":") >= len(lost)


@pytest.mark.parametrize("draw", [draw_svg, draw_html])
def test_names_are_escaped_and_nothing_comes_from_elsewhere(draw: object) -> None:
    assert callable(draw)
    text = draw(week(MORNING, label="<script>&"), words())
    assert "<script>" not in text
    assert "&lt;script&gt;&amp;" in text
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"(?:src|href|@import|url\((?!#))", text)


def test_the_page_tells_the_same_in_a_table() -> None:
    text = draw_html(week(MORNING, holidays=frozenset({DATES[1]})), words())
    assert '<html lang="fr">' in text
    assert '<th scope="row">Guichet 1</th>' in text
    assert re.search(r"09:00–12:00 <span class=\"load\">75 %</span>", text)
    assert "mar. 9 mars · jour férié" in text


def test_the_terminal_draws_a_stretch_of_time_a_character() -> None:
    lines = printed(week(MORNING)).splitlines()
    assert lines[0].strip() == "SIP d’Exemple : du 8 mars 2027 au 14 mars 2027"
    (row,) = (line for line in lines if line.startswith("│Guichet 1"))
    assert row.split("│")[2].strip() == "█████░░░░"[:5] + "░░░" + "████"
    assert "Ann O’Hara" in lines[lines.index(row) + 1]


def test_names_with_brackets_are_shown_as_they_are() -> None:
    assert "[accueil]" in printed(replace(week(MORNING, label="[accueil]"), office="SIP [/x]"))
    assert "SIP [/x]" in printed(replace(week(MORNING), office="SIP [/x]"))


def test_the_terminal_fits_its_columns() -> None:
    assert max(map(len, printed(week(MORNING), width=80).splitlines())) <= 80


def test_the_more_is_taken_the_darker_it_is() -> None:
    assert [heat(share) for share in (0.0, 1.0, 2.0)] == ["#fff5e1", "#961e1e", "#961e1e"]
