"""What an office offers over a long time, in numbers: for previews of a year, where single starts do not matter.

An `Outlook` is one situation without its lead time and horizon, since a preview looks further ahead than usagers may
book. It serves one thread at a time, as `Office` does.
"""

from collections import Counter
from collections.abc import Container, Hashable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime

from rdv.engine import ticks
from rdv.engine.slots import Office
from rdv.engine.values import Answer, Instance, Place, Query

Range = tuple[date, int, int]  # a local day, and minutes of it


class Outlook:
    """An office's situation for the local dates `first` to `last`."""

    def __init__(self, instance: Instance, first: date, last: date) -> None:
        """Compile; what is offered is counted from the instance's `now` on."""
        rules = replace(instance.rules, min_lead_minutes=0, max_lead_days=None)
        self.instance = replace(instance, rules=rules)
        self.first, self.last = first, last
        self.office = Office(self.instance, first, last)
        self._counts: dict[Hashable, dict[date, int]] = {}

    def disturbed(self) -> tuple[tuple[str, ...], dict[str, Place]]:
        """Return who is stranded, and a place for whoever may have to leave theirs: the others can stay."""
        return self.office.disturbed()

    def starts(self, query: Query) -> dict[date, int]:
        """Return how many starts each local day of the outlook offers, days without any left out.

        The query's dates do not matter; queries of one kind are counted once. Raises KeyError for an unknown reason.
        """
        kind = self.office.compiled.kind(query.reason, query.channel, query.modality)
        found = self._counts.get(kind)
        if found is None:
            whole = replace(query, from_date=self.first, to_date=self.last, replacing=None)
            found = self._counts[kind] = self._by_day(self.office.offered(whole, now=self.instance.now))
        return found

    def answer(self, query: Query, *, explain: bool = False) -> Answer:
        """Return the starts of a query, without counts."""
        return self.office.answer(query, explain=explain, remaining=False)

    def ranges(self, counter: str) -> list[Range]:
        """Return when a counter is open and not closed, day by day; nothing for one that is not there."""
        at = self.office.compiled.counter_at.get(counter)
        return [] if at is None else list(self._local(self.office.compiled.room(at) & self._window()))

    def presence(self, agent: str) -> list[Range]:
        """Return when an agent is there and not absent, day by day."""
        compiled = self.office.compiled
        return list(self._local(compiled.present[compiled.agent_at[agent]] & self._window()))

    def differs(self, counter: str, other: "Outlook") -> bool:
        """Tell whether a counter's time is not the same in another outlook of the same dates."""
        return self._room(counter) != other._room(counter)  # noqa: SLF001 - the same class

    def present_minutes(self) -> dict[str, int]:
        """Return how long each agent is there, in minutes."""
        compiled = self.office.compiled
        window, tick = self._window(), compiled.horizon.tick
        return {name: (compiled.present[at] & window).bit_count() * tick for name, at in compiled.agent_at.items()}

    def served_minutes(self, stranded: Container[str], places: Mapping[str, Place]) -> dict[str, int]:
        """Return how long each agent receives, buffers included, in minutes; `places` beat where visits stand."""
        minutes: Counter[str] = Counter()
        for one in self.instance.appointments:
            if one.id in stranded or not self.first <= one.start.astimezone(self.instance.zone).date() <= self.last:
                continue
            place = places.get(one.id)
            for agent in place.agents if place else one.agents:
                minutes[agent] += one.duration_minutes + one.buffer_minutes
        return minutes

    def _room(self, counter: str) -> tuple[int, int]:
        compiled = self.office.compiled
        at = compiled.counter_at.get(counter)
        # Both outlooks may begin at different ticks: what is compared begins at the window.
        begin, _ = compiled.horizon.days(self.first.toordinal(), self.last.toordinal())
        return compiled.horizon.tick, 0 if at is None else (compiled.room(at) & self._window()) >> begin

    def _window(self) -> int:
        return ticks.interval(*self.office.compiled.horizon.days(self.first.toordinal(), self.last.toordinal()))

    def _by_day(self, offered: int) -> dict[date, int]:
        horizon = self.office.compiled.horizon
        starts = ticks.members(offered)
        found: Counter[date] = Counter()
        at = 0
        for day in range(self.first.toordinal(), self.last.toordinal() + 1):
            _, end = horizon.days(day, day)
            begin = at
            while at < len(starts) and starts[at] < end:
                at += 1
            if at > begin:
                found[date.fromordinal(day)] = at - begin
        return found

    def _local(self, room: int) -> Iterator[Range]:
        horizon = self.office.compiled.horizon
        for begin, end in ticks.runs(room):
            start, stop = horizon.moment(begin), horizon.moment(end)
            while start.date() < stop.date():
                yield start.date(), _minute(start), 24 * 60
                midnight = horizon.clock.instant(start.date().toordinal() + 1, 0)
                start = horizon.moment(horizon.at(midnight))
            if _minute(start) < _minute(stop):
                yield start.date(), _minute(start), _minute(stop)


def _minute(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute
