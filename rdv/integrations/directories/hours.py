"""Real weekly hours of public counters, to lend to offices whose own are published nowhere."""

import math
import re
from collections import Counter as Tally
from collections.abc import Sequence
from itertools import pairwise

from pydantic import ValidationError

from rdv.errors import BadFile
from rdv.integrations.directories.coordinates import kilometres
from rdv.integrations.directories.fields import Code, Imported, Latitude, Longitude
from rdv.integrations.directories.offices import ImportedOpening
from rdv.integrations.directories.opening_text import Certain, read_opening_text, weekly
from rdv.integrations.directories.reasons import json_object
from rdv.integrations.directories.tables import Parsed, Row, collect, numbered_rows, text_of

DAYS = ("h_lundi", "h_mardi", "h_mercredi", "h_jeudi", "h_vendredi")
COLUMNS = ("id_fs", "insee_dep", "latitude", "longitude", "format_fs", *DAYS)

_RANGE = re.compile(r"(\d\d):(\d\d) - (\d\d):(\d\d)")


class CounterHours(Imported):
    """A public counter with its hours from Monday to Friday."""

    code: Code
    departement: str
    latitude: Latitude
    longitude: Longitude
    fixed: bool
    openings: tuple[ImportedOpening, ...]

    @property
    def all_week(self) -> bool:
        return {day for opening in self.openings for day in opening.weekdays} == {1, 2, 3, 4, 5}


def parse_counter_hours(data: bytes) -> Parsed[CounterHours]:
    """Read the counters; raises BadFile when the file has other columns."""
    parsed = Parsed[CounterHours]()
    seen: set[object] = set()
    for line, row in numbered_rows(text_of(data), COLUMNS, parsed):
        try:
            openings = weekly({day: _ranges(name, row[name]) for day, name in enumerate(DAYS, 1)})
        except ValueError as error:
            parsed.skip(line, str(error))
            continue
        collect(parsed, line, lambda row=row, of=openings: _counter(row, of), lambda c: c.code, seen)  # type: ignore[misc]
    return parsed


def _counter(row: Row, openings: tuple[ImportedOpening, ...]) -> CounterHours:
    return CounterHours.model_validate(
        {
            "code": row["id_fs"],
            "departement": row["insee_dep"],
            "latitude": row["latitude"],
            "longitude": row["longitude"],
            "fixed": row["format_fs"].startswith("Fixe"),
            "openings": openings,
        }
    )


def _ranges(day: str, text: str) -> list[tuple[int, int]]:
    """Return the ranges of a day; raises ValueError for what is none."""
    ranges = []
    for part in text.split(" / ") if text else []:
        found = _RANGE.fullmatch(part)
        if not found:
            raise ValueError(f"{day}: {part!r} is no range of hours")
        hours = [int(number) for number in found.groups()]
        start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if not 0 <= start < end <= 24 * 60 or hours[1] > 59 or hours[3] > 59:
            raise ValueError(f"{day}: {part!r} ends before it begins")
        ranges.append((start, end))
    if any(later[0] < sooner[1] for sooner, later in pairwise(ranges)):
        raise ValueError(f"{day}: {text!r} overlaps")
    return ranges


class Lender:
    """Chooses the counter whose hours an office borrows: the nearest of its département that is open all week."""

    def __init__(self, counters: Sequence[CounterHours]) -> None:
        usable = sorted((c for c in counters if c.fixed and c.all_week), key=lambda counter: counter.code)
        if not usable:
            raise BadFile("has no fixed counter that is open from Monday to Friday")
        self._by_departement: dict[str, list[CounterHours]] = {}
        for counter in usable:
            self._by_departement.setdefault(counter.departement, []).append(counter)
        usual = Tally(counter.openings for counter in usable)
        self.usual = max(usual, key=lambda openings: (usual[openings], repr(openings)))

    def hours(
        self, departement: str, latitude: float | None, longitude: float | None
    ) -> tuple[ImportedOpening, ...] | None:
        """Return weekly hours; None where the département has no such counter."""
        near = self._by_departement.get(departement)
        if not near:
            return None
        if latitude is None or longitude is None:
            return near[0].openings
        return min(near, key=lambda counter: _km(latitude, longitude, counter)).openings


def _km(latitude: float, longitude: float, counter: CounterHours) -> float:
    if counter.latitude is None or counter.longitude is None:
        return math.inf
    return kilometres(latitude, longitude, counter.latitude, counter.longitude)


class OpeningFact(Imported):
    """What a directory says in words about the hours of one office."""

    office_code: Code
    text: str

    def certain(self) -> Certain:
        return read_opening_text(self.text)


def parse_opening_facts(data: bytes) -> Parsed[OpeningFact]:
    """Read the list `dila_2016_comments` of {"id", "text"}; raises BadFile when there is none."""
    entries = json_object(data).get("dila_2016_comments")
    if not isinstance(entries, list):
        raise BadFile("has no list `dila_2016_comments`")
    parsed = Parsed[OpeningFact](read=len(entries))
    for number, entry in enumerate(entries, 1):
        known = entry if isinstance(entry, dict) else {}
        try:
            fact = OpeningFact.model_validate({"office_code": known.get("id"), "text": known.get("text")})
        except ValidationError:
            parsed.skip(number, "has no id and text")
            continue
        parsed.rows.append((number, fact))
    return parsed
