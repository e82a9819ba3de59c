"""Which appointments a demo office has already: a seeded crowd, seated so that every rule of the engine is kept.

Pure: a situation in, bookings out. Three steps for each day and exposed counter:

1. *draw* a reason, channel and modality that the counter takes;
2. *seat* it at a start where the engine's own candidates, and what is booked so far, leave the whole span free: the
   first such start (compact, like a day that fills from its beginning) or any (like a usager who chooses), and enough
   agents who are there, able and free;
3. stop when the next one would overshoot the wanted share of the counter's open time, or none fits any more.

Each day has a generator of its own, so that filling more days later changes nothing of the earlier ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from rdv.engine import ticks
from rdv.engine.compile import Compiled
from rdv.engine.kind import Kind
from rdv.engine.values import Channel, Counter, Instance, Modality
from rdv.models.demo import AppointmentRow, ServingRow, UsagerRow
from rdv.models.reason_tree import ReasonNode

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
REFERENCE_LENGTH = 12
FRUITLESS_DRAWS = 12
FIRST_NAMES = ("Alix", "Camille", "Charlie", "Claude", "Dominique", "Lou", "Maxime", "Morgan", "Noa", "Sacha")
LAST_NAMES = ("Demo", "Essai", "Exemple", "Fictif", "Imaginaire", "Modele", "Specimen", "Test")
CHANNELS = (*[Channel.INTERNET] * 7, *[Channel.CONTACT_CENTRE] * 2, Channel.OFFICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One draw: what somebody might want at a counter."""

    node: ReasonNode
    channel: Channel
    modality: Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A seated wish; the rest of its row is derived in `rows`."""

    day: date
    start: datetime
    wish: Wish
    counter_id: int
    agent_ids: tuple[int, ...]
    created_at: datetime


class Crowd:
    """Books one office; keeps what is busy so far, beginning with the appointments that are there."""

    def __init__(self, instance: Instance, reasons: Mapping[int, ReasonNode], days: Sequence[date]) -> None:
        """Prepare for the given local days; `instance` has the office's present appointments."""
        self.compiled = Compiled(instance, min(days), max(days))
        self.counter_busy = [0] * len(instance.counters)
        self.agent_busy = [0] * len(instance.agents or ())
        for visit in self.compiled.visits():
            if visit.counter is not None:
                self._occupy(visit.counter, ticks.members(visit.served_by), visit.start, visit.until)
        served = [node for node in reasons.values() if node.bookable and node.served]
        self.tastes = [_Tastes(counter, served) for counter in instance.counters]

    def book(self, day: date, fill: float, random: Random) -> list[Booking]:
        """Fill a day's open time to a share, counter by counter."""
        begin, end = self.compiled.horizon.days(day.toordinal(), day.toordinal())
        bookings: list[Booking] = []
        for counter in ticks.members(self.compiled.exposed):
            room = self.compiled.room(counter) & ticks.interval(begin, end)
            for start, wish, agents in self._filled(counter, room, fill * room.bit_count(), random):
                moment = self.compiled.horizon.moment(start)
                bookings.append(
                    Booking(
                        day=day,
                        start=moment,
                        wish=wish,
                        counter_id=int(self.compiled.instance.counters[counter].id),
                        agent_ids=tuple(int((self.compiled.instance.agents or ())[agent].id) for agent in agents),
                        created_at=_made_before(min(moment, self.compiled.instance.now), random),
                    )
                )
        return bookings

    def has_free(self, node: ReasonNode) -> bool:
        """Tell whether a usager on the internet finds a start for a reason, as things stand."""
        kind = self.compiled.kind(str(node.id), Channel.INTERNET, Modality.IN_PERSON)
        low, high = self.compiled.bookable(self.compiled.instance.now)
        window = ticks.interval(max(low, 0), max(low, 0, min(high, self.compiled.horizon.length)))
        counters = ticks.members(kind.counters & self.compiled.exposed) if window else []
        return any(self._seat(counter, kind, window, Random(0)) for counter in counters)  # noqa: S311 - no secret

    def _filled(
        self, counter: int, room: int, target: float, random: Random
    ) -> Iterator[tuple[int, Wish, tuple[int, ...]]]:
        tastes = self.tastes[counter]
        least = tastes.shortest_minutes / self.compiled.horizon.tick / 2
        taken, fruitless = (self.counter_busy[counter] & room).bit_count(), 0
        while taken + least <= target and fruitless < FRUITLESS_DRAWS:
            fruitless += 1
            wish = tastes.draw(random)
            if wish is None:
                continue
            kind = self.compiled.kind(str(wish.node.id), wish.channel, wish.modality)
            seat = self._seat(counter, kind, room, random) if taken + kind.span / 2 <= target else None
            if seat is not None:
                start, agents = seat
                self._occupy(counter, agents, start, start + kind.span)
                taken, fruitless = (self.counter_busy[counter] & room).bit_count(), 0
                yield start, wish, agents

    def _seat(self, counter: int, kind: Kind, room: int, random: Random) -> tuple[int, tuple[int, ...]] | None:
        """Return a start in the room and the agents who serve it."""
        starts = self._starts(counter, kind, room)
        if kind.agents_needed:
            starts = [at for at in starts if len(self._free_agents(counter, kind, at)) >= kind.agents_needed]
        if not starts:
            return None
        start = starts[0] if random.random() < 0.5 else random.choice(starts)
        agents = self._free_agents(counter, kind, start)
        return start, tuple(sorted(random.sample(agents, kind.agents_needed)))

    def _starts(self, counter: int, kind: Kind, room: int) -> list[int]:
        """Return the starts in the room at which the counter is free; integers as short as the room allows."""
        low, width = (room & -room).bit_length() - 1, room.bit_length()
        candidates = dict(self.compiled.candidates(kind)).get(counter, 0) & room
        free = ticks.interval(0, width - low + kind.span) & ~(self.counter_busy[counter] >> low)
        return ticks.members(candidates >> low & ticks.erode(free, kind.span), low)

    def _free_agents(self, counter: int, kind: Kind, start: int) -> list[int]:
        """Return the agents who may, can and are there."""
        if not kind.agents_needed:
            return []
        span = ticks.interval(start, start + kind.span)
        bound = self.compiled.agent_counters
        able = ticks.members(kind.skilled & self.compiled.agents_present(start, kind.duration))
        return [a for a in able if not self.agent_busy[a] & span and (bound is None or bound[a] >> counter & 1)]

    def _occupy(self, counter: int, agents: Sequence[int], start: int, until: int) -> None:
        span = ticks.interval(start, until)
        self.counter_busy[counter] |= span
        for agent in agents:
            self.agent_busy[agent] |= span


class _Tastes:
    """What may be drawn at one counter."""

    def __init__(self, counter: Counter, served: Sequence[ReasonNode]) -> None:
        self.nodes = [n for n in served if counter.reasons is None or str(n.id) in counter.reasons]
        self.channels = [c for c in CHANNELS if counter.channels is None or c in counter.channels]
        self.shortest_minutes = min((n.duration_minutes + n.buffer_minutes for n in self.nodes), default=0)
        self.modalities = frozenset(Modality) if counter.modalities is None else counter.modalities

    def draw(self, random: Random) -> Wish | None:
        """Return a wish the counter takes, or None for a draw in vain."""
        if not self.nodes or not self.channels:
            return None
        node, channel = random.choice(self.nodes), random.choice(self.channels)
        modalities = [m for m in map(Modality, node.modalities) if m in self.modalities]
        return Wish(node=node, channel=channel, modality=random.choice(modalities)) if modalities else None


def _made_before(moment: datetime, random: Random) -> datetime:
    return moment - timedelta(minutes=random.randint(60, 14 * 24 * 60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One booking as rows."""

    usager: UsagerRow
    appointment: AppointmentRow
    serving: tuple[ServingRow, ...]


def rows(booking: Booking, *, office: int, appointment_id: int, usager_id: int, random: Random) -> Rows:
    """Turn a booking into rows, for a person who obviously does not exist."""
    node = booking.wish.node
    end = booking.start + timedelta(minutes=node.duration_minutes)
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    return Rows(
        usager=UsagerRow(
            id=usager_id,
            public_id=UUID(int=random.getrandbits(128), version=4),
            first_name=first,
            last_name=last,
            email=f"{first}.{last}.{usager_id}@example.org".lower(),
            phone=f"+3363998{random.randrange(10_000):04}",
        ),
        appointment=AppointmentRow(
            office_id=office,
            id=appointment_id,
            reference="".join(random.choices(ALPHABET, k=REFERENCE_LENGTH)),
            reason_id=node.id,
            usager_id=usager_id,
            day=booking.day,
            starts_at=booking.start,
            ends_at=end,
            occupied_until=end + timedelta(minutes=node.buffer_minutes),
            channel=booking.wish.channel.value,
            modality=booking.wish.modality.value,
            counter_id=booking.counter_id,
            created_at=booking.created_at,
        ),
        serving=tuple(
            ServingRow(office_id=office, appointment_id=appointment_id, agent_id=agent) for agent in booking.agent_ids
        ),
    )
