"""What offices of a benchmark have beside counters that are alike: specialised ones, agents, quotas, delegations.

Pure. Which office has what follows from its number, so that each kind is among the hottest few: every fifth has agents,
every fifth keeps time for its own channel, every fifth has a quota, and now and then one hands a reason to its
neighbour. Every fourth counter takes one kind of matter only.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from rdv.usecases.bench_country import AFTERNOON, CLOSING, LEAVES, MORNING, NOON, ROOTS, BenchOffice, Row

SPECIALISED = 4  # one counter of so many
KEPT_PERCENT = 10
MOST_A_COUNTER = 3  # of a reason with a quota, a day
SHARE_PERCENT = 30
PART_TIME = (1, 2, 3)  # days of the week


def specialised_in(counter: int) -> int | None:
    """Return the root that the n-th counter of an office is for alone, by its place; None: any."""
    return counter // SPECIALISED % ROOTS if counter % SPECIALISED == SPECIALISED - 1 else None


def root_id(place: int) -> int:
    """Return the id of a root by its place."""
    return 1 + place * (1 + LEAVES)


def counters(office: BenchOffice) -> Iterator[Row]:
    """Yield an office's counters."""
    for at in range(office.counters):
        yield {
            "office_id": office.id,
            "id": office.first_counter + at,
            "label": f"Guichet {at + 1}",
            "exposed": True,
            "retired": False,
            "reason_ids": _skills(at),
        }


def agents(office: BenchOffice) -> Iterator[Row]:
    """Yield an office's agents: one for each counter, who can do what it is for, then those there to spare."""
    for at in range(office.agents):
        own = at < office.counters
        yield {
            "office_id": office.id,
            "id": office.first_agent + at,
            "display_name": f"Agent d’essai {office.first_agent + at}",
            "retired": False,
            "reason_ids": _skills(at) if own else None,
            "most_minutes_a_day": 420,
            "most_minutes_a_week": 2100,
        }


def openings(office: BenchOffice) -> Iterator[Row]:
    """Yield when an office is open, and when those of its agents are there who are not always."""
    halves = ((MORNING, NOON), (AFTERNOON, CLOSING))
    spare = range(office.first_agent + office.counters, office.first_agent + office.agents)
    for agent, weekdays in [(None, (1, 2, 3, 4, 5)), *((one, PART_TIME) for one in spare)]:
        for start, end in halves:
            yield {
                "office_id": office.id,
                "agent_id": agent,
                "layer": "APPOINTMENT",
                "source": "bench",
                "weekdays": list(weekdays),
                "every_weeks": 1,
                "start_minute": start,
                "end_minute": end,
            }


def quotas(office: BenchOffice) -> Iterator[Row]:
    """Yield how many appointments a day some reasons of an office get."""
    if office.id % 5 == 1:
        leaf = root_id(0) + 2
        yield {"office_id": office.id, "reason_id": leaf, "most_a_day": MOST_A_COUNTER * office.counters}


def shares(office: BenchOffice) -> Iterator[Row]:
    """Yield what an office keeps for a channel."""
    if office.id % 5 == 2:
        yield {"office_id": office.id, "channel": "OFFICE", "percent": KEPT_PERCENT}


def delegations(office: BenchOffice, offices: int, first: date) -> Iterator[Row]:
    """Yield what an office has handed to the next one."""
    if office.id % 25 == 4:
        before = datetime.combine(first - timedelta(days=7), time(), UTC)
        yield {
            "office_id": office.id,
            "to_office_id": office.id % offices + 1,
            "reason_id": root_id(ROOTS - 1),
            "share_percent": SHARE_PERCENT,
            "from_date": before.date(),
            "status": "ACCEPTED",
            "proposed_at": before,
            "answered_at": before,
        }


def _skills(at: int) -> list[int] | None:
    place = specialised_in(at)
    return None if place is None else [root_id(place)]
