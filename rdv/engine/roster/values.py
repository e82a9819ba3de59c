"""What a roster is planned from, and the roster.

Times are minutes of a local day, ranges half-open; a day is divided into blocks of `block_minutes`. Everything is
frozen and checked at birth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

MINUTES_PER_DAY = 24 * 60
MOST_AGENTS, MOST_COUNTERS, MOST_DAYS = 200, 100, 92

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterAgent:
    """Somebody who can receive; None = no restriction. `presence` by day, in minutes of it."""

    id: str
    presence: Mapping[date, Ranges]
    reasons: frozenset[str] | None = None
    counters: frozenset[str] | None = None
    preferred: frozenset[str] = frozenset()  # counters where they like to be
    most_minutes_a_day: int = 420
    most_minutes_a_week: int = 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterCounter:
    """A counter that may be open; `openings` by day. `reasons` None = all of them."""

    id: str
    openings: Mapping[date, Ranges]
    reasons: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """How many minutes of a reason are expected in the block that begins at `start_minute`."""

    date: date
    start_minute: int
    reason: str
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An appointment of a local day, past or booked; `end_minute` is the counter's, buffer included."""

    date: date
    start_minute: int
    end_minute: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Somebody is at a counter for a while."""

    date: date
    start_minute: int
    end_minute: int
    agent: str
    counter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRules:
    """Hard rules. A shift lasts from `shortest_minutes` to `longest_minutes`, with `break_minutes` before the next one.

    While any counter may be open, at least `least_open` are, and for each reason of `least_by_reason` somebody who can
    serve it.
    """

    block_minutes: int = 30
    shortest_minutes: int = 120
    longest_minutes: int = 240
    break_minutes: int = 30
    least_open: int = 0
    least_by_reason: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        block = self.block_minutes
        if not 5 <= block <= 240 or MINUTES_PER_DAY % block:
            raise ValueError("a block lasts 5 to 240 minutes and divides a day")
        if any(minutes % block for minutes in (self.shortest_minutes, self.longest_minutes, self.break_minutes)):
            raise ValueError("shifts and breaks last whole blocks")
        if not block <= self.shortest_minutes <= self.longest_minutes or self.break_minutes < 0:
            raise ValueError("a shift lasts at least a block, and the longest one no less than the shortest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What the soft rules are worth: a minute served, one of somebody who has booked, a block where one likes to be.

    A block at a counter costs `worked`, so that nobody sits where nobody comes; where there is a previous roster, one
    that is not in it costs `changed` as well.
    """

    booked: int = 100
    served: int = 10
    changed: int = 20
    preferred: int = 5
    worked: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterInstance:
    """What a roster is planned from; refuses what nobody could plan in bounded time.

    `demand` is what is expected beyond who has `booked`. `worked`: minutes by agent and Monday of a week that are
    planned already, on days of that week which are not planned here.
    """

    agents: tuple[RosterAgent, ...]
    counters: tuple[RosterCounter, ...]
    demand: tuple[Demand, ...]
    rules: RosterRules = field(default_factory=RosterRules)
    weights: Weights = field(default_factory=Weights)
    previous: tuple[Shift, ...] = ()
    booked: tuple[Visit, ...] = ()
    worked: Mapping[tuple[str, date], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.agents) > MOST_AGENTS or len(self.counters) > MOST_COUNTERS or len(self.days) > MOST_DAYS:
            raise ValueError(f"at most {MOST_AGENTS} agents, {MOST_COUNTERS} counters and {MOST_DAYS} days")
        for what in (self.agents, self.counters):
            if len({one.id for one in what}) < len(what):
                raise ValueError("agents and counters have ids of their own")
        if any(one.minutes < 0 or one.start_minute % self.rules.block_minutes for one in self.demand):
            raise ValueError("demand is not negative and belongs to a block")

    def left_in_week(self, agent: RosterAgent, day: date) -> int:
        """Return how many minutes an agent may still work in the week of a day."""
        monday = day - timedelta(days=day.weekday())
        return max(agent.most_minutes_a_week - self.worked.get((agent.id, monday), 0), 0)

    @property
    def days(self) -> list[date]:
        """The days on which some counter may be open, ascending."""
        return sorted({day for counter in self.counters for day, ranges in counter.openings.items() if ranges})


class Status(StrEnum):
    """How a plan ended; UNDECIDED: for some days nothing was found in time."""

    OPTIMAL = "OPTIMAL"
    FEASIBLE = "FEASIBLE"
    INFEASIBLE = "INFEASIBLE"
    UNDECIDED = "UNDECIDED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A hard rule that cannot be kept: from when to when, how many it wants, and how many there can be.

    `code`: TOO_FEW_COUNTERS (not enough may be open, or are for `reason`), TOO_FEW_PRESENT (not enough agents),
    TOO_FEW_SKILLED (not enough who can serve `reason`), or TOO_FEW_HOURS (enough are there, but maxima, breaks and the
    shortest shift forbid it).
    """

    code: str
    date: date
    start_minute: int
    end_minute: int
    needed: int
    possible: int
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A roster. `objective` and `bound` are in the units of the weights; `served` is minutes by reason."""

    shifts: tuple[Shift, ...]
    status: Status
    objective: int
    bound: int
    served: Mapping[str, int]
    wanted: Mapping[str, int]
    conflicts: tuple[Conflict, ...] = ()

    @property
    def gap(self) -> float:
        """How far the plan may be from the best one: 0.02 = 2 %."""
        return max(self.bound - self.objective, 0) / max(abs(self.bound), 1)


def openings_of(shifts: tuple[Shift, ...]) -> dict[tuple[str, date], list[tuple[int, int]]]:
    """Return when each counter is open on each day: while somebody is at it; adjacent ranges are one."""
    found: dict[tuple[str, date], list[tuple[int, int]]] = {}
    for one in sorted(shifts, key=lambda shift: shift.start_minute):
        ranges = found.setdefault((one.counter, one.date), [])
        if ranges and ranges[-1][1] >= one.start_minute:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], one.end_minute))
        else:
            ranges.append((one.start_minute, one.end_minute))
    return found
