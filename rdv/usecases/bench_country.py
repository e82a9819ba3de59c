"""A country that does not exist, for benchmarks: offices, counters, reasons and communes, from a seed.

Pure: a size and a seed in, rows out. Offices come with the most counters first, so that `bench-0001` is the hottest.
They are open on working days in the morning and in the afternoon; `bench_rules.py` has what else they have.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from rdv.integrations.directories.folding import folded
from rdv.integrations.directories.territories import time_zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is of everything."""

    name: str
    offices: int
    counters: int
    appointments: int


# As dense as the nation: 150 appointments a counter.
SIZES = {
    size.name: size
    for size in (
        Size(name="S", offices=4, counters=20, appointments=3_000),
        Size(name="M", offices=40, counters=220, appointments=33_000),
        Size(name="L", offices=400, counters=2_200, appointments=330_000),
        Size(name="national", offices=3_642, counters=20_000, appointments=3_000_000),
    )
}
KIND = "SIP"
MORNING, NOON, AFTERNOON, CLOSING = 9 * 60, 12 * 60, 13 * 60, 16 * 60 + 30
WEEK = (1, 2, 3, 4, 5)
STEP = 15
MOST_COUNTERS = 40
DURATIONS = (15, 30, 45, 60)
STAFFED, STAFFED_AT = 5, 3  # one office of so many has agents: the third of each
SPARE = 4  # of agents: so many counters have one more
ROOTS, LEAVES = 3, len(DURATIONS)  # every root has a reason of each duration
OVERSEAS = ("971", "972", "973", "974", "976")
DEPARTEMENTS = (*(f"{number:02}" for number in range(1, 96) if number != 20), "2A", "2B", *OVERSEAS)
DEFAULTS = {
    "kind": KIND,
    "open_to_booking": True,
    "step_minutes": STEP,
    "min_lead_minutes": 120,
    "max_lead_days": 30,
    "change_deadline_minutes": 60,
    "hold_seconds": 600,
    "max_appointments_per_usager": 3,
    "auto_open": True,
    "slot_policy": "ALL",
    "freeze_minute": 1080,
    "freeze_days_before": 1,
    "version": 0,
}

Row = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOffice:
    """An office with its counters' and agents' ids, which follow each other."""

    id: int
    departement: str
    time_zone: str
    first_counter: int
    counters: int
    first_agent: int
    agents: int  # none: every counter is staffed
    site: Row
    row: Row
    commune: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchReason:
    """A node of the tree; leaves can be booked."""

    id: int
    duration_minutes: int
    bookable: bool
    row: Row


def reasons() -> tuple[BenchReason, ...]:
    """Return the tree, parents first."""
    found = []
    for root in range(ROOTS):
        parent = 1 + root * (1 + LEAVES)
        labels = {"fr": f"Démarche d’essai {root + 1}", "en": f"Trial matter {root + 1}"}
        found.append(_reason(parent, None, labels, position=root, minutes=30))
        for at, minutes in enumerate(DURATIONS):
            labels = {"fr": f"Motif d’essai {root + 1}.{at + 1}", "en": f"Trial reason {root + 1}.{at + 1}"}
            found.append(_reason(parent + 1 + at, parent, labels, position=at, minutes=minutes))
    return tuple(found)


def _reason(identity: int, parent: int | None, labels: dict[str, str], *, position: int, minutes: int) -> BenchReason:
    bookable = parent is not None
    row: Row = {
        "id": identity,
        "code": f"bench-{identity:02}",
        "parent_id": parent,
        "labels": labels,
        "level": 2 if bookable else 1,
        "position": position,
        "audience": "INDIVIDUAL",
        "duration_minutes": minutes,
        "buffer_minutes": 0,
        "agents_required": 1,
        "modalities": ["IN_PERSON", "PHONE"],
        "bookable": bookable,
        "office_kinds": [KIND],
        "source": "bench",
    }
    return BenchReason(id=identity, duration_minutes=minutes, bookable=bookable, row=row)


def offices(size: Size, seed: int) -> Iterator[BenchOffice]:
    """Yield the offices, those with the most counters first."""
    random = Random(f"{seed}:offices")  # noqa: S311 - decides what a benchmark looks like, nothing secret
    counters, first_counter, first_agent = _counters(size, random), 1, 1
    seen: Counter[str] = Counter()
    for identity, own in enumerate(counters, start=1):
        departement = random.choice(DEPARTEMENTS)
        seen[departement] += 1
        ids: dict[str, int] = {
            "first_counter": first_counter,
            "counters": own,
            "first_agent": first_agent,
            "agents": own + own // SPARE if identity % STAFFED == STAFFED_AT else 0,
        }
        yield _office(identity, departement, number=seen[departement], random=random, ids=ids)
        first_counter += own
        first_agent += ids["agents"]


def _office(identity: int, departement: str, *, number: int, random: Random, ids: Mapping[str, int]) -> BenchOffice:
    commune = f"{departement}{number:0{5 - len(departement)}}"
    name = f"Essai-sur-Banc {identity}"
    place: Row = {"latitude": round(random.uniform(43, 50), 5), "longitude": round(random.uniform(-1, 7), 5)}
    zone = time_zone_of(departement)
    postcode = f"{departement.replace('A', '0').replace('B', '1')}{number:0{5 - len(departement)}}"
    return BenchOffice(
        id=identity,
        departement=departement,
        time_zone=zone,
        **ids,
        site={
            "id": identity,
            "address_lines": ["1 rue de l’Essai"],
            "postcode": postcode,
            "commune_code": commune,
            "commune_name": name,
            **place,
        },
        row={
            "id": identity,
            "code": f"bench-{identity:04}",
            "site_id": identity,
            "name": f"Centre d’essai {identity}",
            "departement": departement,
            "time_zone": zone,
            **DEFAULTS,
            "staffed": ids["agents"] > 0,
        },
        commune={
            "code": commune,
            "name": name,
            "search_name": folded(name),
            "departement": departement,
            "population": 1_000,
            "postcodes": [postcode],
            **place,
        },
    )


def _counters(size: Size, random: Random) -> list[int]:
    """Share the counters out: many small offices, few large ones, none without."""
    weights = sorted((random.lognormvariate(0, 0.8) for _ in range(size.offices)), reverse=True)
    spare = size.counters - size.offices
    found = [1 + min(MOST_COUNTERS - 1, int(spare * weight / sum(weights))) for weight in weights]
    at = 0
    while sum(found) < size.counters:
        found[at % size.offices] += found[at % size.offices] < MOST_COUNTERS
        at += 1
    return sorted(found, reverse=True)
