"""What a demo office looks like: counters with their specialisations, agents, hours and the odd day, from a seed.

Pure: an office and a random generator in, rows out. Nobody in here exists.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from rdv.models.demo import AgentRow, ClosureRow, CounterRow, ExceptionRow, OpeningRow
from rdv.models.reason_tree import ReasonNode

MOST_COUNTERS = 8
MOST_AGENTS = MOST_COUNTERS + 1
DAYS_AHEAD = 30

# A word of a label that speaks of land and buildings.
PROPERTY = ("foncier", "foncière", "cadastr", "immobili", "propriét", "logement", "habitation")

MORNING, AFTERNOON, CLOSING = 8 * 60 + 30, 13 * 60 + 30, 16 * 60
NOON = 12 * 60
WEEK = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """Reserved ids: more than any office needs."""

    counters: Sequence[int]
    agents: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """The rows that make an office one that takes appointments."""

    staffed: bool
    counters: tuple[CounterRow, ...]
    agents: tuple[AgentRow, ...]
    openings: tuple[OpeningRow, ...]
    exceptions: tuple[ExceptionRow, ...]
    closures: tuple[ClosureRow, ...]


def organise(
    office: int, reasons: Mapping[int, ReasonNode], ids: Ids, random: Random, *, today: date, has_openings: bool
) -> Organisation:
    """Decide on an office's organisation; `reasons` are the nodes as the office has them, `today` its local date."""
    branches = served_branches(reasons.values())
    counters = _counters(office, branches, ids.counters, random)
    staffed = random.randrange(3) == 0
    agents = _agents(office, branches, ids.agents[: len(counters) + 1], random) if staffed else ()
    coming = [day for day in (today + timedelta(days=n) for n in range(1, DAYS_AHEAD)) if day.isoweekday() in WEEK]
    odd_day, closed_day, away_day = random.sample(coming, 3)
    openings = () if has_openings else _hours(office, random)
    return Organisation(
        staffed=staffed,
        counters=counters,
        agents=agents,
        openings=openings + _presence(office, agents, random),
        exceptions=(ExceptionRow(office_id=office, on_date=odd_day, start_minute=AFTERNOON, end_minute=15 * 60),),
        closures=(
            _all_day(office, closed_day, counters=[counters[0].id]),
            *(_all_day(office, away_day, agent=agent.id) for agent in agents[:1]),
        ),
    )


def served_branches(nodes: Iterable[ReasonNode]) -> tuple[ReasonNode, ...]:
    """Return the nodes right above a leaf that the office serves and takes appointments for, in display order."""
    known = {node.id: node for node in nodes}
    above = {n.parent_id for n in known.values() if n.bookable and n.served}
    return tuple(node for node in known.values() if node.id in above)


def _counters(
    office: int, branches: Sequence[ReasonNode], ids: Sequence[int], random: Random
) -> tuple[CounterRow, ...]:
    """Three counters always: general, land and property, at a distance; then office only, hidden, and more general."""
    about_property = [b.id for b in branches if any(word in b.labels.get("fr", "").lower() for word in PROPERTY)]
    some_branch = [random.choice(branches).id] if branches else []
    kinds = (
        CounterRow(office_id=office, id=ids[0], label="Guichet 1", modalities=["IN_PERSON"]),
        CounterRow(
            office_id=office, id=ids[1], label="Guichet 2 (foncier)", reason_ids=about_property or some_branch or None
        ),
        CounterRow(office_id=office, id=ids[2], label="Bureau à distance", modalities=["PHONE", "VIDEO"]),
        CounterRow(office_id=office, id=ids[3], label="Guichet 3"),
        CounterRow(office_id=office, id=ids[4], label="Guichet 4 (sur place)", channels=["OFFICE"]),
        CounterRow(office_id=office, id=ids[5], label="Bureau du responsable", exposed=False),
        CounterRow(office_id=office, id=ids[6], label="Guichet 5"),
        CounterRow(office_id=office, id=ids[7], label="Guichet 6"),
    )
    return kinds[: random.randint(3, MOST_COUNTERS)]


def _agents(office: int, branches: Sequence[ReasonNode], ids: Sequence[int], random: Random) -> tuple[AgentRow, ...]:
    """Two in three know everything; the others know half of the branches."""
    rows = []
    for number, identity in enumerate(ids, start=1):
        knows_all = number % 3 or not branches
        half = sorted(b.id for b in random.sample(branches, -(-len(branches) // 2)))
        rows.append(
            AgentRow(
                office_id=office,
                id=identity,
                display_name=f"Agent {chr(ord('A') + random.randrange(26))}. {number:02}",
                reason_ids=None if knows_all else half,
            )
        )
    return tuple(rows)


def _hours(office: int, random: Random) -> tuple[OpeningRow, ...]:
    """Afternoons by appointment but one, and two mornings."""
    closed = random.choice(WEEK)
    mornings = sorted(random.sample([day for day in WEEK if day != closed], 2))
    afternoons = [day for day in WEEK if day != closed]
    return (
        OpeningRow(office_id=office, weekdays=mornings, start_minute=MORNING, end_minute=NOON),
        OpeningRow(office_id=office, weekdays=afternoons, start_minute=AFTERNOON, end_minute=CLOSING),
    )


def _presence(office: int, agents: Sequence[AgentRow], random: Random) -> tuple[OpeningRow, ...]:
    """Every fourth agent works some days only; the others are there whenever the office is open."""
    return tuple(
        OpeningRow(
            office_id=office,
            agent_id=agent.id,
            weekdays=sorted(random.sample(WEEK, 3)),
            start_minute=8 * 60,
            end_minute=17 * 60,
        )
        for agent in agents[3::4]
    )


def _all_day(office: int, day: date, *, counters: list[int] | None = None, agent: int | None = None) -> ClosureRow:
    return ClosureRow(
        office_id=office,
        counter_ids=counters,
        agent_id=agent,
        from_date=day,
        from_minute=0,
        to_date=day,
        to_minute=1440,
    )
