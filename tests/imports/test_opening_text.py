"""Every real sample of opening hours has one exact outcome: certain ranges, closed days, or handed back."""

import json
from importlib.resources import files

import pytest

from rdv.integrations.directories.opening_text import Certain, read_opening_text, read_ranges, weekly, without

SAMPLES = json.loads((files("rdv") / "data" / "opening_hours_samples.json").read_bytes())
WEEK = (1, 2, 3, 4, 5)
PAIRS = [(540, 720), (810, 960)]


def said(text: str) -> list[tuple[str, tuple[int, ...], int, int]]:
    read = read_opening_text(text)
    assert read.rest == ()
    return [(opening.layer, opening.weekdays, opening.start_minute, opening.end_minute) for opening in read.openings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SANS RDV L MA J V 8H30-12H", [("WALK_IN", (1, 2, 4, 5), 510, 720)]),
        ("TLJ  8H45-12H45", [("APPOINTMENT", WEEK, 525, 765)]),
        ("TOUS LES MATINS  8H30-12H", [("APPOINTMENT", WEEK, 510, 720)]),
        ("DU LUNDI AU VENDREDI 9H-12H", [("APPOINTMENT", WEEK, 540, 720)]),
        ("Mercredi 8H30 12H00", [("APPOINTMENT", (3,), 510, 720)]),
        ("Mercredi\n8H30 11H30", [("APPOINTMENT", (3,), 510, 690)]),
        ("Vendredi 8H30 12H", [("APPOINTMENT", (5,), 510, 720)]),
        ("lundi et jeudi de 9h à 12h et de 13h30 à 16h", [("APPOINTMENT", (1, 4), *pair) for pair in PAIRS]),
        ("SUR RENDEZ-VOUS du mardi au jeudi 13:30-16:00", [("APPOINTMENT", (2, 3, 4), 810, 960)]),
    ],
)  # fmt: skip
def test_certain_hours_become_ranges(text: str, expected: list[tuple[str, tuple[int, ...], int, int]]) -> None:
    assert said(text) == expected


def test_all_texts_of_the_open_data_sample_are_certain() -> None:
    texts = SAMPLES["samples"][0]["texts"]
    assert len(texts) == 8
    assert [text for text in texts if read_opening_text(text).rest] == []


def test_appointments_only_is_understood_without_hours() -> None:
    only = Certain(appointments_only=True)
    assert read_opening_text("SEULEMENT SUR RDV") == read_opening_text("Uniquement sur rendez-vous.") == only


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("Fermé le jeudi", ((4, "all"),)),
        ("Fermeture le mercredi", ((3, "all"),)),
        ("Fermé les mercredis et vendredis", ((3, "all"), (5, "all"))),
        ("Fermé le mercredi et vendredi après-midi", ((3, "afternoon"), (5, "afternoon"))),
    ],
)
def test_closed_days_are_understood(text: str, closed: tuple[tuple[int, str], ...]) -> None:
    assert read_opening_text(text) == Certain(closed=closed)


def test_only_four_of_the_48_comments_of_the_directory_are_certain() -> None:
    comments = SAMPLES["dila_2016_comments"]
    certain = {c["id"]: read_opening_text(c["text"]) for c in comments if not read_opening_text(c["text"]).rest}
    assert len(comments) == 48
    assert {office: read.closed for office, read in certain.items()} == {
        "tresorerie-02648-01": ((3, "afternoon"), (5, "afternoon")),
        "sip-13208-01": ((4, "all"),),
        "sip-61001-01": ((2, "all"),),
        "tresorerie-69248-01": ((3, "all"),),
    }
    assert all(read.openings == () for read in certain.values())


@pytest.mark.parametrize(
    "text",
    [
        "L M J V 8H30-12H",  # M: mardi or mercredi?
        "lundi 12h-9h",
        "lundi 9h75-12h",
        "lundi 9h-25h",
        "lundi 9h-12h et 11h-15h",
        "du vendredi au mardi 9h-12h",
        "TOUS LES MATINS 8H30-16H",
        "Basse saison : lundi de 09h00 à 12h00",
        "lundi 9h-12h sauf en août",
        "Permanence à Mourmelon-le-Grand le lundi de 8H30 à 11H30",
    ],
)
def test_what_is_not_certain_is_handed_back_whole(text: str) -> None:
    assert read_opening_text(text) == Certain(rest=(text,))


def test_a_closed_afternoon_leaves_the_morning_and_cuts_a_day_without_lunch_at_noon() -> None:
    openings = weekly({3: [(540, 750), (810, 960)], 4: [(540, 960)]})
    left = without(openings, [(3, "afternoon"), (4, "afternoon")])
    assert [(o.weekdays, o.start_minute, o.end_minute) for o in left] == [((3,), 540, 750), ((4,), 540, 720)]


def test_a_closed_day_is_taken_out_of_every_range_of_the_week() -> None:
    left = without(weekly(dict.fromkeys(WEEK, tuple(PAIRS))), [(4, "all")])
    assert [(o.weekdays, o.start_minute, o.end_minute) for o in left] == [
        ((1, 2, 3, 5), 540, 720),
        ((1, 2, 3, 5), 810, 960),
    ]


def test_the_cell_of_a_day_is_ranges_closed_or_not_certain() -> None:
    assert read_ranges("8H30-12H00 / 13H30-16H") == ((510, 720), (810, 960))
    assert read_ranges("Fermé") == read_ranges("") == ()
    assert read_ranges("8H30-12H sauf vacances") is read_ranges("12h-9h") is None
