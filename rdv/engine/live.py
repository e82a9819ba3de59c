"""The appointments that take room, as columns of ticks, and which of them can stay where they stand.

Nearly every appointment of a large office stands on a counter that may have it, with agents who may serve it, and in
nobody's way. That is found out here for all of them at once, column by column; only the stretches of time in which
somebody cannot stay are looked at visit by visit (`book.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rdv.engine.columns import MODALITIES, NOBODY, Columns, Flags, Ints
from rdv.engine.values import Modality
from rdv.engine.visits import Visit

if TYPE_CHECKING:
    from rdv.engine.compile import Compiled

Sort = tuple[str, str, Modality]  # reason, channel, modality: what decides which counters allow an appointment


class Live:
    """Appointments in ticks, row by row in list order: each occupies `[start, until)` and needs room to `fits_until`.

    `counter` is where each stands now (`NOBODY`: nowhere), `sort` its place in `sorts`; `pairs` tells the row and
    `served_by` the agent of everyone who serves.
    """

    def __init__(self, columns: Columns, compiled: "Compiled") -> None:
        """Turn the minutes of columns into the ticks of a compiled situation's horizon."""
        horizon = compiled.horizon
        self.columns = columns
        self._tick = horizon.tick
        self.start: Ints = ((columns.start - horizon.origin) // horizon.tick).astype(np.int32)
        self.counter: Ints = columns.counter.translated(compiled.counter_at)
        self.sorts, self.sort = _sorts(columns)
        self.served_by: Ints = columns.agents.translated(compiled.agent_at)
        self.pairs: Ints = np.repeat(np.arange(len(columns), dtype=np.int32), np.diff(columns.agents_from))
        known = self.served_by != NOBODY
        if not known.all():
            self.served_by, self.pairs = self.served_by[known], self.pairs[known]

    def __len__(self) -> int:
        return len(self.start)

    @property
    def fits_until(self) -> Ints:
        """Until when each needs room."""
        return self.start + self.columns.duration // self._tick

    @property
    def until(self) -> Ints:
        """Until when each occupies its counter and agents."""
        return self.start + (self.columns.duration + self.columns.buffer) // self._tick

    def id(self, row: int) -> str:
        """Return the id of an appointment."""
        return str(self.columns.ids[row])

    def visits(self, compiled: "Compiled", rows: NDArray[np.integer]) -> list[Visit]:
        """Return some appointments with all that says where each may sit and who may serve it (rule 3)."""
        columns = self.columns
        start, duration = self.start[rows], columns.duration[rows]
        spans = (start, duration // self._tick, start + (duration + columns.buffer[rows]) // self._tick)
        found = (columns.ids[rows], self.sort[rows], *spans, self.counter[rows], columns.pinned[rows])
        given = self._agents_of(rows)
        return [self._visit(compiled, *one) for one in zip(*(part.tolist() for part in found), given, strict=True)]

    def _visit(  # noqa: PLR0917 - one row
        self,
        compiled: "Compiled",
        name: object,
        sort: int,
        start: int,
        duration: int,
        until: int,
        counter: int,
        pinned: bool,
        given: int,
    ) -> Visit:
        reason, channel, modality = self.sorts[sort]
        here = 0 if counter == NOBODY else 1 << counter
        must = given if pinned else 0
        agents = compiled.skilled(reason) & compiled.agents_present(start, duration) if compiled.agent_at else 0
        counters = compiled.allowed(reason, channel, modality)
        counters &= here if pinned and here else compiled.exposed | here
        needed = 0 if compiled.instance.agents is None else max(compiled.reasons[reason].agents, must.bit_count())
        return Visit(
            id=str(name),
            start=start,
            until=until,
            # A pinned agent that may not serve it leaves it nowhere to sit.
            counters=0 if must & ~agents else counters & compiled.counters_open(start, duration),
            agents=agents,
            agents_needed=needed,
            must_agents=must,
            counter=None if counter == NOBODY else counter,
            served_by=given,
        )

    def _agents_of(self, rows: NDArray[np.integer]) -> list[int]:
        """Return the agents who serve appointments now, as sets."""
        low, high = (np.searchsorted(self.pairs, rows, side).tolist() for side in ("left", "right"))
        return [
            sum(1 << agent for agent in set(self.served_by[begin:end].tolist())) if begin < end else 0
            for begin, end in zip(low, high, strict=True)
        ]

    def standing(self, compiled: "Compiled") -> Flags:
        """Tell of each appointment whether it can stay where it stands, the others staying too."""
        placed = self._allowed(compiled) & self._served(compiled)
        placed[self._clashing(np.arange(len(self)), self.counter)] = False
        placed[self.pairs[self._clashing(self.pairs, self.served_by)]] = False
        return placed

    def busy(self, compiled: "Compiled", wanted: Flags) -> tuple[list[int], list[int]]:
        """Return when each counter and each agent is occupied by the flagged ones, who all can stay where they are."""
        length = compiled.horizon.length
        rows = np.flatnonzero(wanted)
        pairs = np.flatnonzero(wanted[self.pairs])
        served = self.pairs[pairs]
        counters, agents = len(compiled.instance.counters), len(compiled.present)
        return (
            _busy(length, self.counter[rows], self.start[rows], self.until[rows], counters),
            _busy(length, self.served_by[pairs], self.start[served], self.until[served], agents),
        )

    def _allowed(self, compiled: "Compiled") -> Flags:
        """Tell of each whether it may stand at its counter, as far as the counter is concerned."""
        if not len(compiled.instance.counters):
            return np.zeros(len(self), np.bool_)
        allowed = _table([compiled.allowed(*sort) for sort in self.sorts], len(compiled.instance.counters))
        rooms = np.array(compiled.room_at)[self.counter]
        has_room = within(compiled.rooms, rooms, self.start, self.fits_until)
        may: Flags = has_room & allowed[self.sort, self.counter] & (self.counter != NOBODY)
        return may

    def _served(self, compiled: "Compiled") -> Flags:
        """Tell of each whether those who serve it are as many as it needs, and may."""
        if compiled.instance.agents is None:
            return np.ones(len(self), np.bool_)
        have = np.bincount(self.pairs, minlength=len(self))
        asked = np.array([compiled.reasons[reason].agents for reason, _, _ in self.sorts], np.int32)[self.sort]
        enough: Flags = have == np.where(self.columns.pinned, np.maximum(asked, have), asked)
        if len(self.pairs):
            agents, rows = self.served_by, self.pairs
            skilled = _table([compiled.skilled(reason) for reason, _, _ in self.sorts], len(compiled.present))
            may = skilled[self.sort[rows], agents]
            may &= within(compiled.present, agents, self.start[rows], self.fits_until[rows])
            if compiled.agent_counters is not None:
                tied = _table(compiled.agent_counters, len(compiled.instance.counters))
                may &= tied[agents, self.counter[rows]]
            enough[rows[~may]] = False
        return enough

    def _clashing(self, rows: NDArray[np.integer], owners: Ints) -> NDArray[np.intp]:
        """Return which of the rows stand in the way of another row of the same owner, at least one of each two."""
        order = np.lexsort((self.start[rows], owners))
        rows, owners, until = rows[order], owners[order], self.until
        # In order of start, two that overlap have two neighbours that do, within the same stretch of time.
        overlap: Flags = (owners[1:] == owners[:-1]) & (self.start[rows[1:]] < until[rows[:-1]])
        later: NDArray[np.intp] = order[1:][overlap]
        return later


class Components:
    """The *components* of appointments: groups no two of which overlap in time, ascending.

    Nothing in one can matter to another. The rows of a component are in list order.
    """

    def __init__(self, live: Live) -> None:
        """Find the components."""
        self._live = live
        by_start = np.argsort(live.start, kind="stable")
        ends = np.maximum.accumulate(live.until[by_start])
        fresh = np.flatnonzero(np.concatenate(([True], live.start[by_start][1:] >= ends[:-1])) if len(live) else [])
        self._bounds = np.append(fresh, len(live)).astype(np.int32)
        numbers = np.repeat(np.arange(len(fresh)), np.diff(self._bounds))
        self._rows = by_start[np.lexsort((by_start, numbers))].astype(np.int32)
        self.begins: list[int] = live.start[by_start][fresh].tolist()
        self.ends: list[int] = ends[self._bounds[1:] - 1].tolist()

    def __len__(self) -> int:
        return len(self.begins)

    def rows(self, at: int) -> Ints:
        """Return the rows of one component."""
        rows: Ints = self._rows[self._bounds[at] : self._bounds[at + 1]]
        return rows

    def all_of(self, flags: Flags) -> Flags:
        """Tell of each component whether all its rows are flagged."""
        return np.logical_and.reduceat(flags[self._rows], self._bounds[:-1]) if len(self) else np.zeros(0, np.bool_)

    def spread(self, wanted: Flags) -> Flags:
        """Flag the rows of the wanted components."""
        flags = np.zeros(len(self._rows), np.bool_)
        flags[self._rows] = np.repeat(wanted, np.diff(self._bounds))
        return flags

    def intervals(self, wanted: Flags) -> list[tuple[int, int]]:
        """Return when the wanted components are."""
        return [(self.begins[at], self.ends[at]) for at in np.flatnonzero(wanted).tolist()]

    def told(self, compiled: "Compiled") -> "Told":
        """Return what tells one component's appointments from another's."""
        live, rows = self._live, self._rows
        columns = live.columns
        served = np.bincount(live.pairs, minlength=len(live))
        reasons = columns.reason.translated({reason: at for at, reason in enumerate(compiled.reasons)})
        columns_of_rows = (
            *(live.start, live.fits_until, live.until, reasons, columns.channel.codes, columns.modality),
            *(columns.pinned, live.counter, served),
        )
        places = np.empty(len(rows), np.int32)
        places[rows] = np.arange(len(rows), dtype=np.int32)
        return Told(
            begins=np.array(self.begins, np.int64),
            bounds=self._bounds,
            ids=columns.ids[rows],
            table=np.stack(columns_of_rows, axis=1).astype(np.int32)[rows],
            channels=columns.channel.names,
            agents=live.served_by[np.argsort(places[live.pairs], kind="stable")],
            agents_from=np.concatenate(([0], np.cumsum(served[rows]))),
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Told:
    """The components of one moment: where each begins, and its appointments in list order, with their agents.

    It can be compared with that of another `Live` of the same situation, since reasons, counters and agents are told by
    their places in it. The rows of component i are `bounds[i]` to `bounds[i + 1]`, the agents of row i those from
    `agents_from[i]` on.
    """

    begins: NDArray[np.int64]
    bounds: Ints
    ids: NDArray[np.int64] | NDArray[np.object_]
    table: Ints
    channels: tuple[str, ...]
    agents: Ints
    agents_from: NDArray[np.int64]

    def places_in(self, before: "Told") -> Ints:
        """Return, for each component, its place among those of before if its appointments are the same; else -1."""
        if self.channels != before.channels or not len(before.begins):
            return np.full(len(self.begins), -1)
        places = np.minimum(np.searchsorted(before.begins, self.begins), len(before.begins) - 1)
        same = (before.begins[places] == self.begins) & (np.diff(before.bounds)[places] == np.diff(self.bounds))
        mine, theirs = _ranges(self.bounds, same), _ranges(before.bounds, places[same])
        alike = (self.ids[mine] == before.ids[theirs]) & (self.table[mine] == before.table[theirs]).all(axis=1)
        same[same] = _all_of(alike, np.diff(self.bounds)[same])
        # As many serve each, so the agents of those that are alike so far are as many.
        mine, theirs = _ranges(self._agents_of, same), _ranges(before._agents_of, places[same])  # noqa: SLF001 - the same class
        agents = np.diff(self._agents_of)[same]
        same[same] = _all_of(self.agents[mine] == before.agents[theirs], agents)
        return np.where(same, places, -1)

    @property
    def _agents_of(self) -> NDArray[np.int64]:
        """Where the agents of each component begin, and where the last ones end."""
        return self.agents_from[self.bounds]


def _ranges(bounds: NDArray[np.integer], which: NDArray[np.generic]) -> NDArray[np.intp]:
    """Return the places of some pieces, one after the other; piece i is `bounds[i]` to `bounds[i + 1]`."""
    sizes = np.diff(bounds)[which]
    offsets = np.cumsum(sizes) - sizes
    found: NDArray[np.intp] = np.repeat(bounds[:-1][which] - offsets, sizes) + np.arange(sizes.sum())
    return found


def _all_of(flags: Flags, sizes: NDArray[np.integer]) -> Flags:
    """Tell of each of adjoining pieces, of which some may be empty, whether all its flags are set."""
    unset = np.concatenate(([0], np.cumsum(~flags)))
    ends = np.cumsum(sizes)
    found: Flags = unset[ends] == unset[ends - sizes]
    return found


def _busy(length: int, owners: Ints, starts: Ints, untils: Ints, count: int) -> list[int]:
    """Return the ticks each of `count` owners is occupied; intervals of one owner are disjoint."""
    order = np.argsort(owners, kind="stable")
    bounds = np.searchsorted(owners[order], np.arange(count + 1))
    each = (order[low:high] for low, high in pairwise(bounds.tolist()))
    return [_points(untils[mine], length) - _points(starts[mine], length) for mine in each]


def _points(at: Ints, length: int) -> int:
    flags = np.zeros(length + 1, np.bool_)
    flags[at] = True
    return set_of(flags)


def set_of(flags: Flags) -> int:
    """Return the places of the flags that are set, as a set."""
    return int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little")


def flags_of(mask: int, length: int) -> NDArray[np.uint8]:
    """Return a set as `length` flags of 0 or 1."""
    octets = np.frombuffer(mask.to_bytes(length // 8 + 1, "little"), np.uint8)
    return np.unpackbits(octets, count=length, bitorder="little")


def _table(sets: Sequence[int], size: int) -> Flags:
    """Return sets of counters or agents as a table of flags, one row each."""
    return np.array([flags_of(one, size) for one in sets], np.bool_).reshape(len(sets), size)


def within(masks: Sequence[int], which: Ints, starts: Ints, ends: Ints) -> Flags:
    """Tell of each interval whether the set of ticks it is to be compared with contains it."""
    found = np.zeros(len(which), np.bool_)
    for at in np.unique(which).tolist():
        rows = np.flatnonzero(which == at)
        length = masks[at].bit_length()
        inside = np.concatenate(([0], np.cumsum(flags_of(masks[at], length), dtype=np.int32)))
        begin, end = np.minimum(starts[rows], length), np.minimum(ends[rows], length)
        found[rows] = inside[end] - inside[begin] == ends[rows] - starts[rows]
    return found


def _sorts(columns: Columns) -> tuple[list[Sort], Ints]:
    """Return the distinct sorts of appointments, and the place of each row's among them."""
    channels = len(columns.channel.names)
    code = (columns.reason.codes.astype(np.int32) * channels + columns.channel.codes) * len(
        MODALITIES
    ) + columns.modality
    distinct, places = np.unique(code, return_inverse=True)
    sorts = []
    for one in distinct.tolist():
        rest, modality = divmod(one, len(MODALITIES))
        reason, channel = divmod(rest, channels)
        sorts.append((columns.reason.names[reason], columns.channel.names[channel], MODALITIES[modality]))
    return sorts, places.astype(np.int16 if len(sorts) < np.iinfo(np.int16).max else np.int32)
