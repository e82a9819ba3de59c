"""Judges who sits where: every rule that an assignment breaks, by name, whoever made the assignment.

Rules of this module: it shares no code with what it judges (`compile`, `calendar`, `book`, `assignment`, `solver`),
knows only the values, and does its own arithmetic, plain and slow: minutes since 1970 UTC, lists of intervals, one
appointment after another. When the engine and the referee disagree, one of them is wrong.

A plan is complete: each live appointment is either placed or stranded. Whether as few as possible are stranded is a
question of optimality that is not judged here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from rdv.engine.values import (
    Agent,
    Appointment,
    Counter,
    DayException,
    Instance,
    Opening,
    Place,
    Reason,
    WallRange,
)

Interval = tuple[int, int]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
EARLIEST, LATEST = date(1900, 1, 1), date(2300, 1, 1)  # beyond every appointment, within every zone's arithmetic


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that is broken, by which appointment, and how."""

    rule: str
    appointment: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sitting:
    """A live appointment at its place, with what its rules need to know."""

    instance: Instance
    appointment: Appointment
    place: Place
    counter: Counter

    @property
    def start(self) -> int:
        return minute_of(self.appointment.start)

    @property
    def end(self) -> int:
        return self.start + self.appointment.duration_minutes

    @property
    def until(self) -> int:
        return self.end + self.appointment.buffer_minutes


def violations(instance: Instance, assignment: Mapping[str, Place], *, stranded: Sequence[str] = ()) -> list[Violation]:
    """Return every rule that a plan breaks; an empty list = it can be honoured."""
    live = {a.id: a for a in instance.appointments if a.takes_room(instance.now)}
    found = list(_incomplete(live, assignment, stranded))
    counters = {counter.id: counter for counter in instance.counters}
    sittings = []
    for name, place in assignment.items():
        if place.counter not in counters:
            found.append(Violation("unknown_counter", name, place.counter))
        elif name in live:
            sittings.append(Sitting(instance, live[name], place, counters[place.counter]))
    for sitting in sittings:
        for rule in RULES:
            found += [Violation(rule.__name__, sitting.appointment.id, detail) for detail in rule(sitting)]
    found += _shared("one_visit_per_counter", sittings, lambda place: {place.counter})
    if instance.agents is not None:
        found += _shared("one_visit_per_agent", sittings, lambda place: set(place.agents))
    return found


def _incomplete(
    live: Mapping[str, Appointment], assignment: Mapping[str, Place], stranded: Sequence[str]
) -> Iterator[Violation]:
    for name in (*assignment, *stranded):
        if name not in live:
            yield Violation("unknown_appointment", name)
    for name in live:
        times = (name in assignment) + list(stranded).count(name)
        if times != 1:
            yield Violation("placed_or_stranded", name, f"{times} times")


def _shared(rule: str, sittings: Sequence[Sitting], used: Callable[[Place], set[str]]) -> Iterator[Violation]:
    """Find who uses one counter or agent at once, buffers included."""
    by_name: dict[str, list[Sitting]] = {}
    for sitting in sittings:
        for name in sorted(used(sitting.place)):
            by_name.setdefault(name, []).append(sitting)
    for name, users in by_name.items():
        for one, other in combinations(users, 2):
            if one.start < other.until and other.start < one.until:
                yield Violation(rule, other.appointment.id, f"{name}: with {one.appointment.id}")


# Rules: each yields what is wrong with one sitting


def counter_allows(sitting: Sitting) -> Iterator[str]:
    """The counter takes the appointment's reason, channel and modality."""
    asked = sitting.appointment
    if sitting.counter.reasons is not None and asked.reason not in sitting.counter.reasons:
        yield f"{sitting.counter.id}: reason {asked.reason}"
    if sitting.counter.channels is not None and asked.channel not in sitting.counter.channels:
        yield f"{sitting.counter.id}: channel {asked.channel}"
    if sitting.counter.modalities is not None and asked.modality not in sitting.counter.modalities:
        yield f"{sitting.counter.id}: modality {asked.modality}"


def counter_exposed(sitting: Sitting) -> Iterator[str]:
    """Nobody is moved onto a counter that is not exposed; who sits there may stay."""
    if not sitting.counter.exposed and sitting.appointment.counter != sitting.counter.id:
        yield sitting.counter.id


def counter_open(sitting: Sitting) -> Iterator[str]:
    """The counter is open for the whole duration; the buffer may run over."""
    if not covered((sitting.start, sitting.end), counter_hours(sitting.instance, sitting.counter, *_days(sitting))):
        yield sitting.counter.id


def counter_not_closed(sitting: Sitting) -> Iterator[str]:
    """No closure of the counter touches the duration."""
    for closure in sitting.instance.closures:
        concerned = closure.counters is None or sitting.counter.id in closure.counters
        if concerned and overlap((sitting.start, sitting.end), range_of(sitting.instance.zone, closure)):
            yield sitting.counter.id


def pin_kept(sitting: Sitting) -> Iterator[str]:
    """A pinned appointment keeps its counter and its agents."""
    asked = sitting.appointment
    if not asked.pinned:
        return
    if asked.counter not in (None, sitting.counter.id):
        yield f"from {asked.counter} to {sitting.counter.id}"
    if sitting.instance.agents is not None and not set(asked.agents) <= set(sitting.place.agents):
        yield f"without {sorted(set(asked.agents) - set(sitting.place.agents))}"


def agents_enough(sitting: Sitting) -> Iterator[str]:
    """As many distinct agents as the reason needs (a pin may name more); none when the office names no agents."""
    asked, named = sitting.appointment, sitting.place.agents
    wanted = 0
    if sitting.instance.agents is not None:
        wanted = reason_of(sitting.instance, asked.reason).agents
        if asked.pinned:
            wanted = max(wanted, len(set(asked.agents)))
    if len(named) != wanted or len(set(named)) != wanted:
        yield f"{len(set(named))} instead of {wanted}"


def agents_allowed(sitting: Sitting) -> Iterator[str]:
    """Each agent exists, serves the reason, and works at the counter."""
    for name in sitting.place.agents:
        agent = _agent(sitting.instance, name)
        if agent is None:
            yield f"{name}: unknown"
            continue
        if agent.reasons is not None and sitting.appointment.reason not in agent.reasons:
            yield f"{name}: reason {sitting.appointment.reason}"
        if agent.counters is not None and sitting.counter.id not in agent.counters:
            yield f"{name}: counter {sitting.counter.id}"


def agents_present(sitting: Sitting) -> Iterator[str]:
    """Each agent is present and not absent for the whole duration."""
    for name in sitting.place.agents:
        agent = _agent(sitting.instance, name)
        if agent is None:
            continue
        if not covered((sitting.start, sitting.end), agent_hours(sitting.instance, agent, *_days(sitting))):
            yield f"{name}: not present"
        away = (range_of(sitting.instance.zone, absence) for absence in agent.absences)
        if any(overlap((sitting.start, sitting.end), one) for one in away):
            yield f"{name}: absent"


Rule = Callable[[Sitting], Iterator[str]]
RULES: tuple[Rule, ...] = (
    counter_allows,
    counter_exposed,
    counter_open,
    counter_not_closed,
    pin_kept,
    agents_enough,
    agents_allowed,
    agents_present,
)


def reason_of(instance: Instance, name: str) -> Reason:
    return next(reason for reason in instance.reasons if reason.id == name)


def _agent(instance: Instance, name: str) -> Agent | None:
    return next((agent for agent in instance.agents or () if agent.id == name), None)


def _days(sitting: Sitting) -> tuple[date, date]:
    """Return the local days around a sitting: an opening that covers any of it begins on one of them."""
    begin, end = (EPOCH + timedelta(minutes=at) for at in (sitting.start, sitting.end))
    zone = sitting.instance.zone
    return begin.astimezone(zone).date() - DAY, end.astimezone(zone).date() + DAY


# Time


def minute_of(moment: datetime) -> int:
    """Return an aware datetime as minutes since 1970 UTC."""
    return int((moment - EPOCH).total_seconds()) // 60


def instant_of(zone: ZoneInfo, day: date, minute: int) -> int:
    """Return the instant a wall-clock time means: the first of two, or the first one after a gap."""
    day = min(max(day, EARLIEST), LATEST)
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 - wall-clock time
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return minute_of(first)
    moment = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while moment.astimezone(zone).replace(tzinfo=None) < wall:
        moment += timedelta(minutes=1)
    return minute_of(moment)


def range_of(zone: ZoneInfo, wall: WallRange) -> Interval:
    """Return a wall-clock range as instants; empty when it lies within a gap."""
    return instant_of(zone, wall.from_date, wall.from_minute), instant_of(zone, wall.to_date, wall.to_minute)


def overlap(one: Interval, other: Interval) -> bool:
    """Tell whether two half-open intervals share an instant; an empty one never does."""
    return max(one[0], other[0]) < min(one[1], other[1])


def covered(wanted: Interval, intervals: Iterable[Interval]) -> bool:
    """Tell whether intervals, in any order, together cover a whole one."""
    reached = wanted[0]
    for begin, end in sorted(intervals):
        if begin <= reached < end:
            reached = end
    return reached >= wanted[1]


def counter_hours(instance: Instance, counter: Counter, first: date, last: date) -> list[Interval]:
    """Return a counter's open ranges on local days, as instants, in any order, maybe overlapping."""
    if counter.openings:
        return hours(instance.zone, counter.openings, counter.exceptions, first, last)
    own = {exception.date for exception in counter.exceptions}
    general = tuple(exception for exception in instance.exceptions if exception.date not in own)
    return hours(instance.zone, instance.openings, (*counter.exceptions, *general), first, last)


def agent_hours(instance: Instance, agent: Agent, first: date, last: date) -> list[Interval]:
    """Return when an agent is present on local days: by their own openings, else while some counter is open."""
    if agent.openings:
        return hours(instance.zone, agent.openings, agent.exceptions, first, last)
    found = [one for counter in instance.counters for one in counter_hours(instance, counter, first, last)]
    for day in {exception.date for exception in agent.exceptions if first <= exception.date <= last}:
        begin, end = instant_of(instance.zone, day, 0), instant_of(instance.zone, day + DAY, 0)
        outside = [((low, min(high, begin)), (max(low, end), high)) for low, high in found]
        found = [one for pair in outside for one in pair if one[0] < one[1]]
        found += hours(instance.zone, (), agent.exceptions, day, day)
    return found


def hours(
    zone: ZoneInfo, openings: Sequence[Opening], exceptions: Sequence[DayException], first: date, last: date
) -> list[Interval]:
    """Return open ranges on local days, as instants, in any order, maybe overlapping."""
    found = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        instead = [exception for exception in exceptions if exception.date == day]
        ranges = [(o.start_minute, o.end_minute) for o in openings if o.date == day]
        if instead:
            ranges += [one for exception in instead for one in exception.ranges]
        else:
            ranges += [(o.start_minute, o.end_minute) for o in openings if o.date is None and recurs(o, day)]
        found += [(instant_of(zone, day, start), instant_of(zone, day, end)) for start, end in ranges]
    return found


def recurs(opening: Opening, day: date) -> bool:
    """Tell whether a recurring opening takes place on a day."""
    if day.isoweekday() not in opening.weekdays:
        return False
    if opening.from_date is not None:
        weeks = ((day - timedelta(days=day.weekday())) - _monday(opening.from_date)).days // 7
        if day < opening.from_date or weeks % opening.every_weeks:
            return False
    if opening.until_date is not None and day > opening.until_date:
        return False
    return opening.nth_of_month is None or bool(_ranks(day) & opening.nth_of_month)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _ranks(day: date) -> set[int]:
    """Return which of its weekday in its month a day is, counted from the first (1) and from the last (-1)."""
    same = [n for n in range(1, 32) if _exists(day, n) and day.replace(day=n).weekday() == day.weekday()]
    at = same.index(day.day)
    return {at + 1, at - len(same)}


def _exists(day: date, number: int) -> bool:
    return (day.replace(day=1) + timedelta(days=number - 1)).month == day.month
