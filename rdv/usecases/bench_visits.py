"""Whom the offices of a benchmark receive: appointments seated within the hours, none two at once, 60 to 90 % booked.

Pure. A counter's day is one of a few hundred seeded *patterns*: so many visits of so many quarters of an hour in all,
put into the morning and the afternoon with the idle time between them. Every office has a level of its own, every day
one near it. The numbers of visits are spread so that the total is exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from rdv.models.holidays import Holidays
from rdv.usecases.bench_country import AFTERNOON, CLOSING, DURATIONS, MORNING, NOON, STEP, WEEK, BenchOffice, Size
from rdv.usecases.bench_rules import specialised_in
from rdv.usecases.demo_bookings import FIRST_NAMES, LAST_NAMES
from rdv.usecases.secrets import ALPHABET, REFERENCE_LENGTH

DAYS = 20  # working days from the first on
PATTERNS = 12  # of each number of visits and each number of quarters
HALVES = ((MORNING, NOON), (AFTERNOON, CLOSING))
OPEN_QUARTERS = sum(end - start for start, end in HALVES) // STEP
EMPTIEST, FULLEST = -(-OPEN_QUARTERS * 6 // 10), OPEN_QUARTERS * 9 // 10
LONGEST = max(DURATIONS) // STEP
VISITS_A_USAGER = 2
SCRAMBLE = 0x5DEECE66D  # odd, so multiplying by it loses nothing

APPOINTMENT_COLUMNS = (
    "office_id",
    "id",
    "reference",
    "status",
    "reason_id",
    "usager_id",
    "day",
    "starts_at",
    "ends_at",
    "occupied_until",
    "channel",
    "modality",
    "counter_id",
    "pinned",
    "created_at",
)
SERVED_COLUMNS = ("office_id", "appointment_id", "agent_id")
USAGER_COLUMNS = ("id", "public_id", "first_name", "last_name", "email", "locale")

Pattern = tuple[tuple[int, int], ...]  # start and length, in minutes of the day


@dataclass(frozen=True, slots=True)
class Written:
    """One office's lines for COPY, and how many there are."""

    usagers: str
    appointments: str
    served: str  # who receives whom
    usager_count: int
    appointment_count: int


def working_days(holidays: Holidays, departement: str, first: date) -> list[date]:
    """Return the first so many days on which a département's offices are open."""
    coming = [first + timedelta(days=n) for n in range(3 * DAYS)]
    closed = holidays.on(departement, coming[0], coming[-1])
    return [day for day in coming if day.isoweekday() in WEEK and day not in closed][:DAYS]


class Visits:
    """Writes one office after another; ids and the exact total go on from each to the next."""

    def __init__(self, size: Size, seed: int, leaves: Mapping[int, Sequence[int]], created: datetime) -> None:
        """`leaves`: the reasons of each duration, by their roots; `created`: when all of it was booked."""
        self._total, self._counter_days = size.appointments, size.counters * DAYS
        self._seed, self._leaves, self._created = seed, leaves, created.isoformat()
        self._patterns = patterns(_random(seed, "patterns"), self._total // self._counter_days)
        self._references = references(size.appointments)
        self._days_done = self._appointments = self._usagers = 0

    def of(self, office: BenchOffice, days: Sequence[date]) -> Written:
        """Return the lines of an office for its days."""
        random = _random(self._seed, office.id)
        level = random.randint(EMPTIEST, FULLEST)
        appointments: list[str] = []
        served: list[str] = []
        for day in days:
            self._add_day(appointments, served, office, day, level, random)
        count = -(-len(appointments) // VISITS_A_USAGER)
        usagers = [_usager(self._usagers + number, random) for number in range(1, count + 1)]
        self._appointments += len(appointments)
        self._usagers += count
        return Written("".join(usagers), "".join(appointments), "".join(served), count, len(appointments))

    def _add_day(  # noqa: PLR0917 - a loop's body
        self, lines: list[str], served: list[str], office: BenchOffice, day: date, level: int, random: Random
    ) -> None:
        moments = _moments(day, office.time_zone)
        for at in range(office.counters):
            counter, root = office.first_counter + at, specialised_in(at)
            quarters = min(max(level + random.randint(-1, 1), EMPTIEST), FULLEST)
            for start, minutes in random.choice(self._patterns[self._next_number(), quarters]):
                number = self._appointments + len(lines)
                usager = self._usagers + 1 + len(lines) // VISITS_A_USAGER
                end = moments[start + minutes]
                leaves = self._leaves[minutes]
                reason = random.choice(leaves) if root is None else leaves[root]
                lines.append(
                    f"{office.id}\t{number + 1}\t{self._references[number].decode()}\tBOOKED\t"
                    f"{reason}\t{usager}\t{day}\t{moments[start]}\t{end}\t{end}\t"
                    f"INTERNET\tIN_PERSON\t{counter}\tf\t{self._created}\n"
                )
                if office.agents:
                    served.append(f"{office.id}\t{number + 1}\t{office.first_agent + at}\n")

    def _next_number(self) -> int:
        """Return how many visits the next counter's day has, so that all of them make the total."""
        at = self._days_done
        self._days_done += 1
        return (at + 1) * self._total // self._counter_days - at * self._total // self._counter_days


def patterns(random: Random, fewest: int) -> dict[tuple[int, int], list[Pattern]]:
    """Return ways to fill a day, by the number of visits (two of them) and the quarters booked."""
    return {
        (number, quarters): [_pattern(number, quarters, random) for _ in range(PATTERNS)]
        for number in (fewest, fewest + 1)
        for quarters in range(EMPTIEST, FULLEST + 1)
    }


def _pattern(number: int, quarters: int, random: Random) -> Pattern:
    """Draw lengths until they fit into the day's halves."""
    while True:
        lengths = [1] * number
        while sum(lengths) < quarters:
            at = random.randrange(number)
            lengths[at] += lengths[at] < LONGEST
        random.shuffle(lengths)
        room = (NOON - MORNING) // STEP
        early = next(n for n in range(number + 1) if n == number or sum(lengths[: n + 1]) > room)
        if sum(lengths[early:]) <= (CLOSING - AFTERNOON) // STEP:
            halves = zip(HALVES, (lengths[:early], lengths[early:]), strict=True)
            return tuple(visit for half, some in halves for visit in _spread(half, some, random))


def _spread(half: tuple[int, int], lengths: Sequence[int], random: Random) -> Pattern:
    """Put visits into a half day in this order, with the idle quarters between them wherever it happens."""
    begin, end = half
    idle = (end - begin) // STEP - sum(lengths)
    before = sorted(random.choices(range(idle + 1), k=len(lengths)))  # the idle quarters before each visit
    taken = [sum(lengths[:at]) for at in range(len(lengths))]
    return tuple(
        (begin + STEP * (gap + done), STEP * length) for gap, done, length in zip(before, taken, lengths, strict=True)
    )


def references(count: int) -> list[bytes]:
    """Return as many references as one likes, no two alike, that look as if drawn."""
    base, length = len(ALPHABET), REFERENCE_LENGTH
    numbers = np.arange(count, dtype=np.uint64) * np.uint64(SCRAMBLE) + np.uint64(SCRAMBLE)  # below 32 ** 12 by far
    letters = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
    digits = [(numbers // np.uint64(base**place)) % np.uint64(base) for place in range(length)]
    columns = np.stack([letters[one] for one in digits], axis=1)
    return list(np.ascontiguousarray(columns).view(f"S{length}").ravel())


@lru_cache(maxsize=512)
def _moments(day: date, zone: str) -> dict[int, str]:
    """Return every quarter of the opening hours as PostgreSQL reads it."""
    midnight = datetime.combine(day, time(), ZoneInfo(zone))
    quarters = range(MORNING, CLOSING + 1, STEP)
    return {at: midnight.replace(hour=at // 60, minute=at % 60).astimezone(UTC).isoformat() for at in quarters}


def _usager(identity: int, random: Random) -> str:
    public = UUID(int=random.getrandbits(128), version=4)
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    return f"{identity}\t{public}\t{first}\t{last}\tusager-{identity}@example.org\tfr\n"


def _random(*seed: object) -> Random:
    """Return a generator of one purpose's own."""
    return Random(":".join(map(str, seed)))  # noqa: S311 - decides what a benchmark looks like, nothing secret
