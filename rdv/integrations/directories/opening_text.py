"""Opening hours as people write them: what is certain becomes weekly ranges, the rest is handed back as it stands.

A text is cut into clauses. A clause counts only if one of the forms below fits all of it, so a clause with a season, a
place or a telephone desk in it is never half-understood:

    [SANS RDV | SUR RDV] days ranges        "SANS RDV L MA J V 8H30-12H", "du lundi au vendredi de 9h à 12h"
    closed days [morning | afternoon]       "Fermé le jeudi", "Fermé les mercredis et vendredis"
    appointments only                       "SEULEMENT SUR RDV"

The lone letter M is no day (mardi or mercredi?). In "closed on Wednesday and Friday afternoon" both afternoons are
closed whichever way one reads it, and no more than that is certain.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rdv.integrations.directories.offices import ImportedOpening

APPOINTMENT, WALK_IN = "APPOINTMENT", "WALK_IN"
WORKING_DAYS = (1, 2, 3, 4, 5)

MORNING_ENDS = 12 * 60
LUNCH_ENDS = 13 * 60

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_SHORT = {"l": 1, "lu": 1, "ma": 2, "me": 3, "j": 4, "je": 4, "v": 5, "ve": 5, "s": 6, "sa": 6, "d": 7, "di": 7}
_NUMBERS = {name: number for number, name in enumerate(_DAYS, 1)} | {
    f"{name}s": number for number, name in enumerate(_DAYS, 1)
}
_DAY = "(?:" + "|".join(f"{name}s?" for name in _DAYS) + ")"
_DAY_LIST = rf"{_DAY}(?:(?:\s*,\s*|\s+et\s+|\s+)(?:les?\s+)?{_DAY})*"
_LETTERS = r"(?:lu|l|ma|me|je|j|ve|v|sa|s|di|d)(?:[\s,]+(?:lu|l|ma|me|je|j|ve|v|sa|s|di|d))*"
_TIME = r"\d{1,2}\s?(?:h|:)\s?(?:\d{2})?"
_RANGE = rf"(?:de\s+)?{_TIME}(?:\s*-\s*|\s+a\s+|\s+){_TIME}"
_RANGES = rf"{_RANGE}(?:\s*(?:/|,|et)\s*{_RANGE})*"

_FORM_OPEN = re.compile(
    rf"(?:(?P<layer>sans rdv|sur rdv)\s*:?\s+)?"
    rf"(?:(?P<every>tlj|tous les jours|tous les matins)|(?:du\s+)?(?P<first>{_DAY})\s+au\s+(?P<last>{_DAY})"
    rf"|(?:les?\s+)?(?P<days>{_DAY_LIST})|(?P<letters>{_LETTERS}))"
    rf"\s*:?\s+(?P<ranges>{_RANGES})"
)
_FORM_CLOSED = re.compile(
    rf"(?:ferme|fermeture)\s+(?:les?\s+)?(?P<days>{_DAY_LIST})(?:\s+(?P<half>matins?|apres-midis?))?"
)
_FORM_ONLY = re.compile(r"(?:seulement|uniquement|exclusivement) sur rdv")
_ONE_TIME = re.compile(r"(\d{1,2})\s?(?:h|:)\s?(\d{2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certain:
    """What a text says for sure. `closed` holds (weekday, half) with half "all", "morning" or "afternoon"."""

    openings: tuple[ImportedOpening, ...] = ()
    closed: tuple[tuple[int, str], ...] = ()
    appointments_only: bool = False
    rest: tuple[str, ...] = ()


def read_opening_text(text: str, *, layer: str = APPOINTMENT) -> Certain:
    """Read a text; `layer` is that of hours which do not say whether they are with appointment."""
    openings: list[ImportedOpening] = []
    closed: list[tuple[int, str]] = []
    rest: list[str] = []
    only = False
    for clause in _clauses(text):
        plain = _plain(clause)
        if found := _FORM_OPEN.fullmatch(plain):
            read = _openings(found, layer)
            openings += read
            rest += [] if read else [clause]
        elif found := _FORM_CLOSED.fullmatch(plain):
            closed += [(day, _half(found["half"])) for day in _listed(found["days"])]
        elif _FORM_ONLY.fullmatch(plain):
            only = True
        else:
            rest.append(clause)
    return Certain(openings=tuple(openings), closed=tuple(closed), appointments_only=only, rest=tuple(rest))


def read_ranges(text: str) -> tuple[tuple[int, int], ...] | None:
    """Return the ranges of one day as minutes, () for "closed", None for what is not certain."""
    plain = _plain(text)
    if plain in {"", "ferme", "-", "non"}:
        return ()
    return (_ranges(plain) or None) if re.fullmatch(_RANGES, plain) else None


def without(openings: Iterable[ImportedOpening], closed: Iterable[tuple[int, str]]) -> tuple[ImportedOpening, ...]:
    """Return the openings less the closed days and half-days."""
    shut = set(closed)
    kept: list[ImportedOpening] = []
    for opening in openings:
        by_day = [(day, part) for day in opening.weekdays if (part := _left(opening, day, shut))]
        for part in sorted({part for _, part in by_day}):
            days = tuple(day for day, of_day in by_day if of_day == part)
            kept.append(
                opening.model_copy(update={"weekdays": days, "start_minute": part[0], "end_minute": part[1]}),
            )
    return tuple(kept)


def weekly(by_day: Mapping[int, Iterable[tuple[int, int]]], layer: str = APPOINTMENT) -> tuple[ImportedOpening, ...]:
    """Return the ranges of each weekday as openings, days with the same range together."""
    days: dict[tuple[int, int], set[int]] = {}
    for day, ranges in by_day.items():
        for start_end in ranges:
            days.setdefault(start_end, set()).add(day)
    return tuple(
        ImportedOpening(layer=layer, weekdays=tuple(sorted(those)), start_minute=start, end_minute=end)
        for (start, end), those in sorted(days.items())
    )


def _left(opening: ImportedOpening, day: int, shut: set[tuple[int, str]]) -> tuple[int, int] | None:
    """Return what a closure leaves of a range; a lunch-time end still belongs to the morning."""
    start, end = opening.start_minute, opening.end_minute
    if (day, "all") in shut:
        return None
    if (day, "afternoon") in shut:
        end = MORNING_ENDS if end > LUNCH_ENDS else end
    if (day, "morning") in shut:
        start = max(start, MORNING_ENDS) if end > LUNCH_ENDS else end
    return (start, end) if start < end else None


def _clauses(text: str) -> list[str]:
    """Cut at semicolons, full stops and new lines; but a line of days alone belongs to the hours below it."""
    joined = re.sub(rf"(?i)\b({_DAY})[ \t]*\n\s*(?=\d)", r"\1 ", text)
    return [clause.strip() for clause in re.split(r"[;\n]|\.(?!\d)", joined) if clause.strip()]


def _plain(clause: str) -> str:
    """Lower case without accents, one kind of dash and of apostrophe, single blanks, `rdv` for all its spellings."""
    decomposed = unicodedata.normalize("NFKD", clause.lower())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    bare = re.sub(r"[\u2010-\u2015]", "-", bare)
    return " ".join(re.sub(r"rendez[ -]vous|\br\.?d\.?v\b", "rdv", bare).split())


def _openings(found: re.Match[str], layer: str) -> list[ImportedOpening]:
    """Return the openings of a clause; none where the hours make no sense."""
    chosen = {"sans rdv": WALK_IN, "sur rdv": APPOINTMENT}.get(found["layer"] or "", layer)
    days, ranges = _days(found), _ranges(found["ranges"])
    if found["every"] == "tous les matins" and any(end > LUNCH_ENDS for _, end in ranges):
        return []
    return [
        ImportedOpening(layer=chosen, weekdays=days, start_minute=start, end_minute=end)
        for start, end in ranges
        if days
    ]


def _days(found: re.Match[str]) -> tuple[int, ...]:
    if found["every"]:
        return WORKING_DAYS
    if found["first"]:
        return tuple(range(_NUMBERS[found["first"]], _NUMBERS[found["last"]] + 1))
    if found["days"]:
        return _listed(found["days"])
    return tuple(sorted({_SHORT[word] for word in re.findall(r"\w+", found["letters"])}))


def _listed(days: str) -> tuple[int, ...]:
    return tuple(sorted({_NUMBERS[day] for day in re.findall(_DAY, days)}))


def _ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Return (start, end) in minutes of the day; () when they are no times, or out of order."""
    times = [int(hour) * 60 + int(minute or 0) for hour, minute in _ONE_TIME.findall(text)]
    minutes_right = all(int(minute or 0) < 60 for _, minute in _ONE_TIME.findall(text))
    if not minutes_right or len(times) % 2 or times != sorted(set(times)) or not times or times[-1] > 24 * 60:
        return ()
    return tuple(zip(times[::2], times[1::2], strict=True))


def _half(word: str | None) -> str:
    if not word:
        return "all"
    return "morning" if word.startswith("matin") else "afternoon"
