"""Everything of an office's situation that does not depend on who sits where, as sets of ticks.

May live here: openings, exceptions, closures, presence, absences, skills and pins, turned into bit sets over one
`Horizon`. May not: which appointment has which seat (`book.py`), what a query asks (`slots.py`). A `Compiled` is built
once and asked many times; what only some queries need (grids, erosions, eligibilities) is made on first use and kept.

Two families of bit sets meet here and must not be mixed up: sets of *ticks* (names: `open`, `room`, `present`,
`fitting`, `grid`) and sets of *counters* or *agents* (names: `counters`, `agents`, `allowed`, `skilled`).

A counter has *hours* (its merged open intervals, which carry the start grid) and *room* (its hours minus its
closures, which decide where a visit fits). Counters with the same hours and closures share both, so a large office
costs little more than its number of distinct timetables.
"""

from collections.abc import Hashable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

import numpy as np

from rdv.engine import ticks
from rdv.engine.calendar import (
    Calendar,
    Interval,
    WallClock,
    by_day,
    calendar_of,
    closures_of_counters,
    merged,
    open_intervals,
    presence_of,
    wall_interval,
)
from rdv.engine.columns import Columns, Ints
from rdv.engine.horizon import Horizon, all_fives, day_from, days_covered, step_minutes
from rdv.engine.kind import Kind
from rdv.engine.live import Live
from rdv.engine.values import (
    MINUTES_PER_DAY,
    Agent,
    Channel,
    Instance,
    Modality,
)
from rdv.engine.visits import Visit


@dataclass(frozen=True, eq=False)
class Hours:
    """Merged open intervals in ticks: `open` as a set, `intervals` as rows (below 0: before the horizon)."""

    open: int
    intervals: Ints


class Compiled:
    """One office's situation over one horizon; see the module. `live` are the appointments that take room."""

    def __init__(self, instance: Instance, first: date, last: date) -> None:
        """Compile for queries on the local dates `first` to `last` and for every appointment that takes room."""
        self.instance = instance
        columns = Columns.of(instance.appointments).taking_room(instance.now)
        self.reasons = {reason.id: reason for reason in instance.reasons}
        self.counter_at = {counter.id: at for at, counter in enumerate(instance.counters)}
        self.agent_at = {agent.id: at for at, agent in enumerate(instance.agents or ())}
        self.exposed = _bits(c.exposed for c in instance.counters)
        clock = WallClock(instance.zone)
        self._days = days_covered(columns, clock, day_from(first), day_from(last), _longest(instance))
        # Each distinct calendar once, however many counters have it.
        hours = {
            c: open_intervals(c, clock, *self._days)
            for c in dict.fromkeys(calendar_of(instance, one) for one in instance.counters)
        }
        people = dict.fromkeys(map(presence_of, self._with_openings))
        presence = {c: open_intervals(c, clock, *self._days) for c in people}
        away = [merged(wall_interval(r, clock, *self._days) for r in agent.absences) for agent in instance.agents or ()]
        closed = [wall_interval(closure, clock, *self._days) for closure in instance.closures]
        self.horizon = self._horizon(clock, columns, day_from(first), day_from(last))
        self.live = Live(columns, self)
        self.longest = -(-_longest(instance) // self.horizon.tick)  # the most ticks a new visit may occupy
        self._set_rooms({calendar: self._hours(found) for calendar, found in hours.items()}, closed)
        self.present = tuple(
            self._present(agent, presence.get(presence_of(agent))) & ~self._mask(gone)
            for agent, gone in zip(instance.agents or (), away, strict=True)
        )
        self.agent_counters = self._agent_counters()
        self._grids: dict[tuple[int, int], int] = {}
        self._fitting: dict[tuple[int, int], int] = {}
        self._counters_open: dict[tuple[int, int], int] = {}
        self._agents_present: dict[tuple[int, int], int] = {}
        self._points: dict[tuple[str, int, int], bytes] = {}
        self._allowed: dict[tuple[str, str, Modality], int] = {}
        self._skilled: dict[str, int] = {}
        self._candidates: dict[Kind, tuple[tuple[int, int], ...]] = {}
        self._eligible: dict[Kind, tuple[tuple[bytes, int], ...]] = {}
        self._staffed: dict[tuple[Kind, int | None], int] = {}

    def with_appointments(self, instance: Instance) -> "Compiled | None":
        """Return the same situation with other appointments or another moment, sharing all that is not about these.

        None when anything else differs, or when the appointments need other days or ticks.
        """
        bare = {"now": instance.now, "appointments": (), "queries": ()}
        if replace(self.instance, **bare) != replace(instance, **bare):  # type: ignore[arg-type]  # names and values of fields
            return None
        live = Columns.of(instance.appointments).taking_room(instance.now)
        horizon = self.horizon
        days = days_covered(live, horizon.clock, horizon.first, horizon.last, _longest(instance))
        if days != self._days or (horizon.tick > 1 and not all_fives(instance, live)):
            return None
        other = copy(self)
        other.instance = instance
        other.live = Live(live, other)
        return other

    def without(self, appointment_id: str) -> "Compiled | None":
        """Return the same situation without one live appointment, None when it is not one."""
        row = self.live.columns.row_of(appointment_id)
        if row is None:
            return None
        other = copy(self)
        other.live = Live(self.live.columns.only(np.flatnonzero(np.arange(len(self.live)) != row)), other)
        return other

    # What a query asks

    def kind(self, reason_id: str, channel: str, modality: Modality) -> Kind:
        """Return the kind of a query; raises KeyError for an unknown reason."""
        reason = self.reasons[reason_id]
        tick = self.horizon.tick
        return Kind(
            duration=reason.duration_minutes // tick,
            span=(reason.duration_minutes + reason.buffer_minutes) // tick,
            step=step_minutes(self.instance, reason) // tick,
            counters=self.allowed(reason_id, channel, modality),
            skilled=self.skilled(reason_id),
            agents_needed=0 if self.instance.agents is None else reason.agents,
        )

    def candidates(self, kind: Kind) -> tuple[tuple[int, int], ...]:
        """Return the ticks of its grid where the visit fits, for each exposed counter that allows it (rule 2)."""
        found = self._candidates.get(kind)
        if found is None:
            counters = ticks.members(kind.counters & self.exposed)
            pairs = ((c, self.grid(c, kind.step) & self.fitting(c, kind.duration)) for c in counters)
            once: dict[int, int] = {}  # equal sets as one object: most counters have the same
            found = self._candidates[kind] = tuple((c, once.setdefault(s, s)) for c, s in pairs if s)
        return found

    @cached_property
    def counters_alike(self) -> tuple[int, ...]:
        """The exposed counters in sets no two of which an appointment can tell apart, unless it is pinned."""
        groups: dict[Hashable, int] = {}
        for at, one in enumerate(self.instance.counters):
            if one.exposed:
                key = (self._hours_at[at], self.room_at[at], one.reasons, one.channels, one.modalities)
                groups[key] = groups.get(key, 0) | 1 << at
        return tuple(groups.values())

    @cached_property
    def agents_alike(self) -> tuple[int, ...]:
        """The agents in sets no two of which an appointment can tell apart, unless it is pinned."""
        groups: dict[Hashable, int] = {}
        for at, one in enumerate(self.instance.agents or ()):
            key = (self.present[at], one.reasons, one.counters)
            groups[key] = groups.get(key, 0) | 1 << at
        return tuple(groups.values())

    def candidate_visit(self, kind: Kind, start: int) -> Visit:
        """Return the visit of a kind at a tick, eligible where that tick is a candidate; no visit has such an id."""
        found = self._eligible.get(kind)
        if found is None:
            found = self._eligible[kind] = self._by_candidates(kind)
        counters = sum(group for starts, group in found if starts[start >> 3] >> (start & 7) & 1)
        return Visit(
            id=f"\0{start}",
            start=start,
            until=start + kind.span,
            counters=counters,
            agents=kind.skilled & self.agents_present(start, kind.duration) if kind.agents_needed else 0,
            agents_needed=kind.agents_needed,
        )

    def _by_candidates(self, kind: Kind) -> tuple[tuple[bytes, int], ...]:
        """Return counters with the same candidates as sets, each with these as bytes: one byte tells of one tick."""
        groups: dict[int, int] = {}
        for counter, starts in self.candidates(kind):
            groups[starts] = groups.get(starts, 0) | 1 << counter
        size = self.horizon.length // 8 + 1
        return tuple((starts.to_bytes(size, "little"), group) for starts, group in groups.items())

    def grid(self, counter: int, step: int) -> int:
        """Return the start grid of a counter: every `step` ticks from the beginning of each open interval (rule 1)."""
        key = (self._hours_at[counter], step)
        found = self._grids.get(key)
        if found is None:
            hours = self._distinct_hours[key[0]]
            anchors = ((begin if begin >= 0 else begin % step, end) for begin, end in hours.intervals.tolist())
            at = ticks.points((begin for begin, end in anchors if begin < end), self.horizon.length)
            found = self._grids[key] = ticks.comb(at, hours.open, step)
        return found

    def fitting(self, counter: int, duration: int) -> int:
        """Return the ticks t with all of `[t, t + duration)` open and not closed at a counter."""
        key = (self.room_at[counter], duration)
        found = self._fitting.get(key)
        if found is None:
            found = self._fitting[key] = ticks.erode(self.rooms[key[0]], duration)
        return found

    @property
    def counters_by_room(self) -> Iterable[tuple[int, int]]:
        """The ticks of each distinct room, and the counters that have it."""
        return zip(self.rooms, self._counters_of_room, strict=True)

    def room(self, counter: int) -> int:
        """Return the ticks at which a counter is open and not closed."""
        return self.rooms[self.room_at[counter]]

    def open(self, counter: int) -> int:
        """Return the ticks at which a counter is open, closures aside."""
        return self._distinct_hours[self._hours_at[counter]].open

    def closed(self, counter: int) -> int:
        """Return the ticks of a counter's closures, open or not."""
        return self._distinct_closed[self.room_at[counter]]

    def flexibility(self, counter: int) -> int:
        """Return how many sorts of visits a counter takes: reasons times channels times modalities."""
        of = self.instance.counters[counter]
        reasons = len(self.instance.reasons) if of.reasons is None else len(of.reasons)
        channels = len(Channel) if of.channels is None else len(of.channels)
        return reasons * channels * (len(Modality) if of.modalities is None else len(of.modalities))

    @cached_property
    def agent_flexibility(self) -> tuple[int, ...]:
        """How many sorts of visits each agent serves: reasons times counters."""
        reasons, counters = len(self.instance.reasons), len(self.instance.counters)
        return tuple(
            (reasons if agent.reasons is None else len(agent.reasons))
            * (counters if agent.counters is None else len(agent.counters))
            for agent in self.instance.agents or ()
        )

    def bookable(self, now: datetime) -> tuple[int, int]:
        """Return the ticks `[low, high)` that the lead time and the horizon allow; they may lie outside the horizon."""
        rules = self.instance.rules
        low = self.horizon.earliest(now, rules.min_lead_minutes)
        if rules.max_lead_days is None:
            return low, self.horizon.length
        last = day_from(now.astimezone(self.instance.zone).date(), rules.max_lead_days)
        return low, self.horizon.at(self.horizon.clock.instant(last + 1, 0))

    def staffed(self, kind: Kind, counter: int) -> int:
        """Return the ticks where enough agents for the kind are present and allowed at a counter, busy or not."""
        bound = self.agent_counters is not None
        key = (kind, counter if bound else None)
        found = self._staffed.get(key)
        if found is None:
            agents = [a for a in ticks.members(kind.skilled) if self._may_work(a, counter)]
            present = [ticks.erode(self.present[a], kind.duration) for a in agents]
            found = self._staffed[key] = ticks.at_least(present, kind.agents_needed, self.horizon_mask)
        return found

    @cached_property
    def horizon_mask(self) -> int:
        """Every tick of the horizon."""
        return (1 << self.horizon.length) - 1

    # What an appointment may use

    def forget(self) -> None:
        """Forget which counters are open and who is there at single moments, which only makes questions faster."""
        self._counters_open.clear()
        self._agents_present.clear()

    def visits(self) -> list[Visit]:
        """Return every live appointment, in list order."""
        return self.live.visits(self, np.arange(len(self.live)))

    def allowed(self, reason: str, channel: str, modality: Modality) -> int:
        """Return the counters that allow a reason, channel and modality."""
        key = (reason, channel, modality)
        if key not in self._allowed:
            self._allowed[key] = _bits(c.allows(*key) for c in self.instance.counters)
        return self._allowed[key]

    def skilled(self, reason: str) -> int:
        """Return the agents that may serve a reason."""
        if reason not in self._skilled:
            agents = self.instance.agents or ()
            self._skilled[reason] = _bits(a.reasons is None or reason in a.reasons for a in agents)
        return self._skilled[reason]

    def counters_open(self, start: int, duration: int) -> int:
        """Return the counters that are open and not closed for all of `[start, start + duration)`."""
        found = self._counters_open.get((start, duration))
        if found is None:
            fits = (room for room in range(len(self.rooms)) if self._contains("room", room, duration, start))
            found = self._counters_open[start, duration] = sum(self._counters_of_room[room] for room in fits)
        return found

    def agents_present(self, start: int, duration: int) -> int:
        """Return the agents present and not absent for all of `[start, start + duration)`."""
        found = self._agents_present.get((start, duration))
        if found is None:
            alike = ((ticks.lowest(group), group) for group in self.agents_alike)
            there = (group for agent, group in alike if self._contains("agent", agent, duration, start))
            found = self._agents_present[start, duration] = sum(there)
        return found

    def _contains(self, what: str, at: int, duration: int, start: int) -> bool:
        """Tell whether a room or a presence contains `[start, start + duration)`, by reading one byte."""
        key = (what, at, duration)
        found = self._points.get(key)
        if found is None:
            whole = self.rooms[at] if what == "room" else self.present[at]
            found = ticks.erode(whole, duration).to_bytes(self.horizon.length // 8 + 1, "little")
            self._points[key] = found
        return bool(found[start >> 3] >> (start & 7) & 1)

    def _may_work(self, agent: int, counter: int) -> bool:
        return self.agent_counters is None or bool(self.agent_counters[agent] >> counter & 1)

    # How it is built

    @property
    def _with_openings(self) -> list[Agent]:
        return [agent for agent in self.instance.agents or () if agent.openings]

    def _horizon(self, clock: WallClock, live: Columns, first: int, last: int) -> Horizon:
        begin, end = clock.instant(self._days[0], 0), clock.instant(self._days[1] + 1, 0)
        tick = 5 if clock.five_minutes and all_fives(self.instance, live) else 1
        return Horizon(clock=clock, tick=tick, origin=begin, length=(end - begin) // tick, first=first, last=last)

    def _hours(self, instants: list[Interval]) -> Hours:
        at, length = self.horizon.at, self.horizon.length
        rows = np.array([(at(begin), min(at(end), length)) for begin, end in instants], np.int32)
        return Hours(self._mask(instants), rows.reshape(-1, 2))

    def _mask(self, instants: Iterable[Interval]) -> int:
        """Return disjoint intervals of instants as ticks within the horizon."""
        clipped = (self.horizon.clipped(begin, end) for begin, end in instants)
        return ticks.mask(((begin, end) for begin, end in clipped if begin < end), self.horizon.length)

    def _set_rooms(self, hours: dict[Calendar, Hours], closed: Sequence[Interval]) -> None:
        """Assign numbers to the distinct hours and rooms, and tell which counter has which."""
        numbers = {calendar: number for number, calendar in enumerate(hours)}
        closures = closures_of_counters(self.instance)
        rooms: dict[tuple[int, tuple[int, ...]], int] = {}
        self._distinct_hours = tuple(hours.values())
        self._hours_at = tuple(numbers[calendar_of(self.instance, counter)] for counter in self.instance.counters)
        keys = list(zip(self._hours_at, closures, strict=True))
        self.room_at = tuple(rooms.setdefault(key, len(rooms)) for key in keys)
        shut = {which: self._mask(merged(closed[at] for at in which)) for which in set(closures)}
        self._distinct_closed = tuple(shut[which] for _, which in rooms)
        self.rooms = tuple(self._distinct_hours[number].open & ~shut[which] for number, which in rooms)
        self._counters_of_room = [0] * len(rooms)
        for counter, room in enumerate(self.room_at):
            self._counters_of_room[room] |= 1 << counter

    @cached_property
    def open_somewhere(self) -> int:
        """The ticks at which some counter is open."""
        union = 0
        for hours in self._distinct_hours:
            union |= hours.open
        return union

    def _present(self, agent: Agent, own: list[Interval] | None) -> int:
        """Return when an agent is here, absences aside: by their own openings, or whenever some counter is open."""
        if own is not None:
            return self._mask(own)
        here = self.open_somewhere
        clock = self.horizon.clock
        for day, ranges in by_day(agent.exceptions).items():
            if self._days[0] <= day <= self._days[1]:
                whole = [(clock.instant(day, 0), clock.instant(day, MINUTES_PER_DAY))]
                instead = merged((clock.instant(day, start), clock.instant(day, end)) for start, end in ranges)
                here = here & ~self._mask(whole) | self._mask(instead)
        return here

    def _agent_counters(self) -> tuple[int, ...] | None:
        agents = self.instance.agents or ()
        if all(agent.counters is None for agent in agents):
            return None
        return tuple(_bits(a.counters is None or c.id in a.counters for c in self.instance.counters) for a in agents)


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << at for at, flag in enumerate(flags) if flag)


def _longest(instance: Instance) -> int:
    """Return the most minutes a visit may occupy."""
    return max((r.duration_minutes + r.buffer_minutes for r in instance.reasons), default=0)
