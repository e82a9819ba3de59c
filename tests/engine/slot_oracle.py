"""The rules of `instance-format.md` by brute force: every seat of every appointment is tried, minute by minute.

It stands on the referee's rules and arithmetic, which share nothing with the engine.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import combinations

from rdv.engine.referee import (
    EPOCH,
    RULES,
    Interval,
    Sitting,
    counter_hours,
    counter_not_closed,
    instant_of,
    minute_of,
    reason_of,
)
from rdv.engine.values import Appointment, Counter, Instance, Place, Query

DAY = timedelta(days=1)
DAYS_AROUND = 4  # longer than any opening of the random instances


@dataclass(frozen=True)
class Visitor:
    """Someone to be seated: when they occupy a place, and the places that take them."""

    start: int
    until: int
    places: tuple[Place, ...]


def all_fit(visitors: Sequence[Visitor]) -> bool:
    """Tell whether everyone can have a place of their own, by trying all."""
    order = sorted(visitors, key=lambda v: len(v.places))
    seated: list[tuple[Visitor, Place]] = []

    def clash(visitor: Visitor, place: Place) -> bool:
        return any(
            one.start < visitor.until
            and visitor.start < one.until
            and (taken.counter == place.counter or set(taken.agents) & set(place.agents))
            for one, taken in seated
        )

    def seat(at: int) -> bool:
        if at == len(order):
            return True
        for place in order[at].places:
            if not clash(order[at], place):
                seated.append((order[at], place))
                if seat(at + 1):
                    return True
                seated.pop()
        return False

    return seat(0)


class Oracle:
    """The right answers for one instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.live = [a for a in instance.appointments if a.takes_room(instance.now)]
        self.stranded_without = cache(self._stranded_without)
        self.open_intervals = cache(self._open_intervals)
        self.grids = cache(self._grids)

    @cached_property
    def stranded(self) -> set[str]:
        return self.stranded_without(None)

    def _stranded_without(self, replaced: str | None) -> set[str]:
        """Rule 4: the smallest set, and among these the latest last member, then the latest but one, and so on."""
        live = [a for a in self.live if a.id != replaced]
        visitors = [self.visitor(a) for a in live]
        for size in range(len(live) + 1):
            latest_first = [tuple(sorted(chosen, reverse=True)) for chosen in combinations(range(len(live)), size)]
            for chosen in sorted(latest_first, reverse=True):
                if all_fit([v for at, v in enumerate(visitors) if at not in chosen]):
                    return {live[at].id for at in chosen}
        raise AssertionError("stranding everyone leaves nobody to seat")

    def offered(self, query: Query) -> dict[int, int]:
        """Return the starts of a query, as minutes since 1970, and how many could start then together."""
        placed = self.placed(query.replacing)
        found = {}
        for start in self.grid(query):
            if self.bookable(start):
                count = self.how_many(query, start, placed)
                if count:
                    found[start] = count
        return found

    def placed(self, replaced: str | None) -> list[Visitor]:
        gone = self.stranded_without(replaced) | {replaced}
        return [self.visitor(a) for a in self.live if a.id not in gone]

    def how_many(self, query: Query, start: int, placed: Sequence[Visitor]) -> int:
        new = self.visitor(self.asked(query, start), at=self.candidates(query, start))
        count = 0
        while count < len(self.instance.counters) and all_fit([*placed, *[new] * (count + 1)]):
            count += 1
        return count

    def asked(self, query: Query, start: int) -> Appointment:
        reason = reason_of(self.instance, query.reason)
        return Appointment(
            id="\0new",
            reason=reason.id,
            start=EPOCH + timedelta(minutes=start),
            duration_minutes=reason.duration_minutes,
            buffer_minutes=reason.buffer_minutes,
            channel=query.channel,
            modality=query.modality,
        )

    def visitor(self, appointment: Appointment, at: set[str] | None = None) -> Visitor:
        start = minute_of(appointment.start)
        until = start + appointment.duration_minutes + appointment.buffer_minutes
        places = tuple(p for p in self.places(appointment) if at is None or p.counter in at)
        return Visitor(start, until, places)

    def places(self, appointment: Appointment) -> Iterator[Place]:
        agents = [agent.id for agent in self.instance.agents or ()]
        for counter in self.instance.counters:
            for size in range(len(agents) + 1):
                for chosen in combinations(agents, size):
                    place = Place(counter.id, chosen)
                    sitting = Sitting(self.instance, appointment, place, counter)
                    if not any(list(rule(sitting)) for rule in RULES):
                        yield place

    # The grid

    def step(self, query: Query) -> int:
        reason = reason_of(self.instance, query.reason)
        own = self.instance.rules.step_minutes if reason.step_minutes is None else reason.step_minutes
        return own or reason.duration_minutes

    def _open_intervals(self, counter: Counter, query: Query) -> list[Interval]:
        first, last = query.from_date - DAYS_AROUND * DAY, query.to_date + DAYS_AROUND * DAY
        minutes: set[int] = set()
        for begin, end in counter_hours(self.instance, counter, first, last):
            minutes.update(range(begin, end))
        begins = sorted(m for m in minutes if m - 1 not in minutes)
        ends = sorted(m + 1 for m in minutes if m + 1 not in minutes)
        return list(zip(begins, ends, strict=True))

    def _grids(self, query: Query) -> dict[str, set[int]]:
        """Return every grid start of the query's days, by counter, whatever the counter allows."""
        zone = self.instance.zone
        low, high = instant_of(zone, query.from_date, 0), instant_of(zone, query.to_date + DAY, 0)
        return {
            counter.id: {
                start
                for begin, end in self.open_intervals(counter, query)
                for start in range(begin, end, self.step(query))
                if low <= start < high
            }
            for counter in self.instance.counters
        }

    def grid(self, query: Query) -> list[int]:
        return sorted(set[int]().union(*self.grids(query).values()))

    def candidates(self, query: Query, start: int) -> set[str]:
        """Rule 2: the counters where a start is a candidate."""
        duration = reason_of(self.instance, query.reason).duration_minutes
        grids = self.grids(query)
        found = set()
        for counter in self.instance.counters:
            fits = any(b <= start and start + duration <= e for b, e in self.open_intervals(counter, query))
            if (
                start in grids[counter.id]
                and fits
                and counter.exposed
                and counter.allows(query.reason, query.channel, query.modality)
                and not self.closed(query, counter, start)
            ):
                found.add(counter.id)
        return found

    def closed(self, query: Query, counter: Counter, start: int) -> bool:
        sitting = Sitting(self.instance, self.asked(query, start), Place(counter.id), counter)
        return bool(list(counter_not_closed(sitting)))

    def bookable(self, start: int) -> bool:
        """Rule 5: lead time and horizon."""
        return not self.too_soon(start) and not self.too_late(start)

    def too_soon(self, start: int) -> bool:
        lead = timedelta(minutes=self.instance.rules.min_lead_minutes)
        return EPOCH + timedelta(minutes=start) < self.instance.now + lead

    def too_late(self, start: int) -> bool:
        zone, days = self.instance.zone, self.instance.rules.max_lead_days
        if days is None:
            return False
        day = (EPOCH + timedelta(minutes=start)).astimezone(zone).date()
        return day > self.instance.now.astimezone(zone).date() + days * DAY

    # Why not

    def why(self, query: Query) -> dict[tuple[date, str], int]:
        """Count the grid starts that are not offered, by local day and code."""
        offered = self.offered(query)
        found: dict[tuple[date, str], int] = {}
        grids = self.grids(query)
        for start in self.grid(query):
            day = (EPOCH + timedelta(minutes=start)).astimezone(self.instance.zone).date()
            if start not in offered:
                code = self._code(query, start, [c for c in self.instance.counters if start in grids[c.id]])
                found[day, code] = found.get((day, code), 0) + 1
        return found

    def _code(self, query: Query, start: int, left: list[Counter]) -> str:
        keeps: tuple[tuple[str, Callable[[Counter], bool]], ...] = (
            ("CLOSURE", lambda c: not self.closed(query, c, start)),
            ("NO_COUNTER", lambda c: c.allows(query.reason, query.channel, query.modality)),
            ("NOT_EXPOSED", lambda c: c.exposed),
            ("LEAD_TIME", lambda _: not self.too_soon(start)),
            ("HORIZON", lambda _: not self.too_late(start)),
            ("NO_AGENT", lambda c: self._staffed(query, start, c)),
        )
        for code, keep in keeps:
            left = [counter for counter in left if keep(counter)]
            if not left:
                return code
        return "FULL"

    def _staffed(self, query: Query, start: int, counter: Counter) -> bool:
        """Tell whether agents could serve there, were nobody else to be served (the opening's end aside)."""
        staffing = [rule for rule in RULES if rule.__name__.startswith("agents_")]
        asked = self.asked(query, start)
        names = [agent.id for agent in self.instance.agents or ()]
        return any(
            not any(list(rule(Sitting(self.instance, asked, Place(counter.id, chosen), counter))) for rule in staffing)
            for size in range(len(names) + 1)
            for chosen in combinations(names, size)
        )
