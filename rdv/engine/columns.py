"""Appointments as columns: a large office has tens of thousands, and one object for each costs more than all the rest.

`Columns` is a sequence of `Appointment` like any other; it makes one when it is asked for. What comes from a database
is born as columns (`models/situation.py`), what comes as objects is turned into them by `Columns.of`. Row i of every
column belongs to the i-th appointment; the order is the list's, which decides who is stranded.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import overload

import numpy as np
from numpy.typing import NDArray

from rdv.engine.calendar import EPOCH, instant_of
from rdv.engine.values import TAKES_ROOM, Appointment, Channel, Modality, Status

Ints = NDArray[np.signedinteger]  # as narrow as the values allow: a server keeps a thousand offices
Flags = NDArray[np.bool_]
NOBODY = -1  # the code of a name that is absent
NEVER = np.iinfo(np.int64).max
MICROSECOND = timedelta(microseconds=1)
STATUSES = tuple(Status)
MODALITIES = tuple(Modality)


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Names as places in a list of distinct ones; `NOBODY` where there is none."""

    names: tuple[str, ...]
    codes: Ints

    @classmethod
    def of(cls, names: Iterable[str | None], first: Sequence[str] = ()) -> "Coded":
        """Code names in the order they appear, after those given first."""
        known: dict[str | None, int] = {None: NOBODY} | {name: at for at, name in enumerate(first)}
        codes = [known.setdefault(name, len(known) - 1) for name in names]
        return cls(tuple(name for name in known if name is not None), np.array(codes, _narrowest(len(known))))

    @classmethod
    def of_numbers(cls, numbers: NDArray[np.signedinteger]) -> "Coded":
        """Code numbers by their texts; a negative number is nobody."""
        distinct, codes = np.unique(numbers, return_inverse=True)
        absent = int(np.searchsorted(distinct, 0))
        return cls(
            tuple(map(str, distinct[absent:].tolist())),
            np.where(codes < absent, NOBODY, codes - absent).astype(_narrowest(len(distinct))),
        )

    def at(self, row: int) -> str | None:
        code = int(self.codes[row])
        return None if code == NOBODY else self.names[code]

    def among(self, names: Collection[str]) -> Flags:
        """Flag the rows whose name is one of some."""
        return np.array([*(name in names for name in self.names), False])[self.codes]

    def joined(self, other: "Coded") -> "Coded":
        """Return the names of both, one after the other."""
        places = {name: at for at, name in enumerate(self.names)}
        for name in other.names:
            places.setdefault(name, len(places))
        return Coded(tuple(places), np.concatenate((self.codes, other.translated(places))))

    def translated(self, places: Mapping[str, int]) -> Ints:
        """Return every name's place in another list, `NOBODY` where it is not in it."""
        table = np.array([*(places.get(name, NOBODY) for name in self.names), NOBODY], _narrowest(len(places)))
        return table[self.codes]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Columns(Sequence[Appointment]):
    """Appointments by column; see the module.

    `ids`: numbers, or texts as objects. `start`: minutes since 1970 UTC. `duration` and `buffer`: minutes.
    `modality` and `status`: places in `MODALITIES` and `STATUSES`. `expires`: microseconds since 1970 UTC, `NEVER` for
    none. The agents of row i are `agents.codes[agents_from[i]:agents_from[i + 1]]`.
    """

    ids: NDArray[np.int64] | NDArray[np.object_]
    reason: Coded
    channel: Coded
    counter: Coded
    modality: Ints
    status: Ints
    start: Ints
    duration: Ints
    buffer: Ints
    pinned: Flags
    expires: NDArray[np.int64]
    agents: Coded
    agents_from: Ints

    @classmethod
    def of(cls, appointments: Sequence[Appointment]) -> "Columns":
        """Return appointments as columns; what is columns already stays as it is."""
        if isinstance(appointments, cls):
            return appointments

        def ints(values: Iterable[int]) -> Ints:
            return np.fromiter(values, np.int32, len(appointments))

        sizes = ints(len(a.agents) for a in appointments)
        return cls(
            ids=np.array([a.id for a in appointments], np.object_),
            reason=Coded.of(a.reason for a in appointments),
            channel=Coded.of((str(a.channel) for a in appointments), tuple(Channel)),
            counter=Coded.of(a.counter for a in appointments),
            modality=ints(map(_MODALITY_AT.__getitem__, (a.modality for a in appointments))).astype(np.int8),
            status=ints(map(_STATUS_AT.__getitem__, (a.status for a in appointments))).astype(np.int8),
            start=ints(instant_of(a.start) for a in appointments),
            duration=ints(a.duration_minutes for a in appointments),
            buffer=ints(a.buffer_minutes for a in appointments),
            pinned=np.fromiter((a.pinned for a in appointments), np.bool_, len(appointments)),
            expires=np.fromiter(
                (NEVER if a.expires_at is None else microseconds(a.expires_at) for a in appointments),
                np.int64,
                len(appointments),
            ),
            agents=Coded.of(agent for a in appointments for agent in a.agents),
            agents_from=_offsets(sizes),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> Appointment: ...
    @overload
    def __getitem__(self, at: slice) -> list[Appointment]: ...
    def __getitem__(self, at: int | slice) -> Appointment | list[Appointment]:
        if isinstance(at, slice):
            return [self._appointment(row) for row in range(*at.indices(len(self)))]
        return self._appointment(range(len(self))[at])

    def __iter__(self) -> Iterator[Appointment]:
        return map(self._appointment, range(len(self)))

    def takes_room(self, now: datetime) -> Flags:
        """Tell of each whether it occupies a counter at a moment (`Appointment.takes_room`)."""
        held = self.status == _STATUS_AT[Status.HELD]
        takes: Flags = _TAKES_ROOM[self.status] & ~(held & (self.expires <= microseconds(now)))
        return takes

    def taking_room(self, now: datetime) -> "Columns":
        """Return those that occupy a counter at a moment."""
        takes = self.takes_room(now)
        return self if takes.all() else self.only(np.flatnonzero(takes))

    def joined(self, other: "Columns") -> "Columns":
        """Return the rows of both, one after the other."""
        return Columns(
            ids=np.concatenate((self.ids, other.ids)),  # type: ignore[arg-type]  # numbers or texts, as both are
            reason=self.reason.joined(other.reason),
            channel=self.channel.joined(other.channel),
            counter=self.counter.joined(other.counter),
            modality=np.concatenate((self.modality, other.modality)),
            status=np.concatenate((self.status, other.status)),
            start=np.concatenate((self.start, other.start)),
            duration=np.concatenate((self.duration, other.duration)),
            buffer=np.concatenate((self.buffer, other.buffer)),
            pinned=np.concatenate((self.pinned, other.pinned)),
            expires=np.concatenate((self.expires, other.expires)),
            agents=self.agents.joined(other.agents),
            agents_from=np.concatenate((self.agents_from[:-1], other.agents_from + self.agents_from[-1])),
        )

    def only(self, wanted: NDArray[np.intp]) -> "Columns":
        """Return some of the rows, in the order wanted."""
        sizes = np.diff(self.agents_from)[wanted]
        agents_from = _offsets(sizes)
        of_wanted = np.repeat(self.agents_from[wanted] - agents_from[:-1], sizes) + np.arange(agents_from[-1])
        return Columns(
            ids=self.ids[wanted],
            reason=Coded(self.reason.names, self.reason.codes[wanted]),
            channel=Coded(self.channel.names, self.channel.codes[wanted]),
            counter=Coded(self.counter.names, self.counter.codes[wanted]),
            modality=self.modality[wanted],
            status=self.status[wanted],
            start=self.start[wanted],
            duration=self.duration[wanted],
            buffer=self.buffer[wanted],
            pinned=self.pinned[wanted],
            expires=self.expires[wanted],
            agents=Coded(self.agents.names, self.agents.codes[of_wanted]),
            agents_from=agents_from,
        )

    def pinned_before(self, moment: datetime) -> "Columns":
        """Return the same, with everything pinned that starts before a moment."""
        return replace(self, pinned=self.pinned | (self.start < instant_of(moment)))

    def row_of(self, appointment_id: str) -> int | None:
        """Return the row of an appointment, None for an unknown id."""
        texts = self.ids.dtype == np.object_
        if not texts and not appointment_id.isdecimal():
            return None
        rows = np.flatnonzero(self.ids == (appointment_id if texts else int(appointment_id)))
        return int(rows[0]) if len(rows) else None

    def next_expiry(self) -> datetime | None:
        """Return the moment the next hold expires, None when there is none."""
        of_holds = self.expires[self.status == _STATUS_AT[Status.HELD]]
        soonest = int(of_holds.min(initial=NEVER))
        return None if soonest == NEVER else EPOCH + soonest * MICROSECOND

    def _appointment(self, row: int) -> Appointment:
        expires = int(self.expires[row])
        agents = self.agents.codes[self.agents_from[row] : self.agents_from[row + 1]].tolist()
        return Appointment(
            id=str(self.ids[row]),
            reason=self.reason.at(row) or "",
            start=EPOCH + timedelta(minutes=int(self.start[row])),
            duration_minutes=int(self.duration[row]),
            buffer_minutes=int(self.buffer[row]),
            channel=self.channel.at(row) or "",
            modality=MODALITIES[self.modality[row]],
            counter=self.counter.at(row),
            agents=tuple(self.agents.names[code] for code in agents),
            pinned=bool(self.pinned[row]),
            status=STATUSES[self.status[row]],
            expires_at=None if expires == NEVER else EPOCH + expires * MICROSECOND,
        )


def _narrowest(count: int) -> type[np.signedinteger]:
    """Return the type of numbers below a count, and of `NOBODY`."""
    return np.int8 if count <= np.iinfo(np.int8).max else np.int16 if count <= np.iinfo(np.int16).max else np.int32


def _offsets(sizes: Ints) -> Ints:
    """Return where each of several adjoining pieces begins, and where the last one ends."""
    return np.concatenate(([0], np.cumsum(sizes, dtype=np.int32)), dtype=np.int32)


def microseconds(moment: datetime) -> int:
    """Return an aware datetime as microseconds since 1970 UTC."""
    return (moment - EPOCH) // MICROSECOND


_STATUS_AT = {status: at for at, status in enumerate(STATUSES)}
_MODALITY_AT = {modality: at for at, modality in enumerate(MODALITIES)}
_TAKES_ROOM = np.array([status in TAKES_ROOM for status in STATUSES])
