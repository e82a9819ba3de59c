"""What an office keeps back of what the engine would offer: quotas, time kept for a channel, what others do for it.

All are rules of one local day. A quota counts live appointments and holds of a node with everything under it. Of the
time kept for a channel, what that channel has not used yet stays free: others are offered a start only while the day's
open time, less what is booked, less what is kept for others and not used, is enough for it.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property

from rdv.engine import ticks
from rdv.engine.slots import Office
from rdv.engine.values import Answer, Query, WhyNot
from rdv.models.situation import Situation

MOST_A_DAY = 10_000
ENTRY_BYTES = 120  # of a day and its number
QUOTA, KEPT, DELEGATED = "QUOTA", "KEPT", "DELEGATED"  # codes of `why` beside the engine's


class Rationing:
    """What quotas, kept time and delegations leave of each day of a compiled situation."""

    def __init__(self, situation: Situation, engine: Office) -> None:
        """Remember them; nothing is counted before a day is asked about."""
        self._situation = situation
        self._engine = engine
        self._open_on: dict[date, int] = {}
        self._sums: dict[int | str, dict[date, int]] = {}  # of quotas, by node, and of channels

    @property
    def bytes(self) -> int:
        """About how much memory this takes by now."""
        return ENTRY_BYTES * sum(map(len, [self._open_on, *list(self._sums.values())]))

    def left(self, query: Query, day: date) -> tuple[int, str]:
        """Return how many more appointments of a query's sort a day takes, and what would be the limit."""
        found = [(self._of_quota(query, day), QUOTA), (self._of_kept_time(query, day), KEPT)]
        # Who is moved stays where they are booked, although others are received elsewhere.
        mine = () if query.replacing is not None else self._situation.delegated
        if any(one.whole and one.covers(int(query.reason), query.channel, day) for one in mine):
            found.append((0, DELEGATED))
        return min((max(count, 0), code) for count, code in found)

    def applied(self, answer: Answer, query: Query, *, explain: bool) -> Answer:
        """Return an answer without the starts of days that take no more."""
        limits = self._limits(query, answer.starts)
        kept = [at for at, start in enumerate(answer.starts) if limits[start.date()][0]]
        lost = Counter(start.date() for start in answer.starts if not limits[start.date()][0])
        why = [
            WhyNot(date=day, code=limits[day][1], starts=n, detail=limits[day][1]) for day, n in lost.items() if explain
        ]
        return Answer(
            starts=tuple(answer.starts[at] for at in kept),
            remaining=tuple(answer.remaining[at] for at in kept),
            why=tuple(sorted((*answer.why, *why), key=lambda one: one.date)),
        )

    def limited(self, query: Query, counts: Mapping[datetime, int]) -> dict[datetime, int]:
        """Return counts, by start, none larger than what is left of its day."""
        limits = self._limits(query, counts)
        return {start: min(count, limits[start.date()][0]) for start, count in counts.items()}

    def _limits(self, query: Query, starts: Iterable[datetime]) -> dict[date, tuple[int, str]]:
        return {day: self.left(query, day) for day in {start.date() for start in starts}}

    def _of_quota(self, query: Query, day: date) -> int:
        found = MOST_A_DAY
        for node, (most, leaves) in self._quotas.items():
            if int(query.reason) in leaves:
                again = bool(self._replaced(query, day, leaves))
                found = min(found, most - self._booked(node, leaves).get(day, 0) + again)
        return found

    def _of_kept_time(self, query: Query, day: date) -> int:
        kept = self._situation.quotas.kept_percent
        if not kept:
            return MOST_A_DAY
        channels = self._situation.listed.columns.channel.names
        used = Counter({channel: self._used(channel).get(day, 0) for channel in channels})
        used.subtract(self._replaced(query, day))
        open_minutes = self._open_minutes(day)
        unused = sum(
            max(open_minutes * percent // 100 - used[channel], 0)
            for channel, percent in kept.items()
            if channel != query.channel
        )
        reason = self._situation.reasons[int(query.reason)]
        return (open_minutes - used.total() - unused) // (reason.duration_minutes + reason.buffer_minutes)

    def _replaced(self, query: Query, day: date, reasons: Container[int] | None = None) -> dict[str, int]:
        """Return the minutes, by channel, of who is to be moved, if booked that day for such a reason."""
        listed = self._situation.listed
        row = None if query.replacing is None else listed.columns.row_of(query.replacing)
        if row is None or not listed.on(day)[row]:
            return {}
        one = listed.columns[row]
        if reasons is not None and int(one.reason) not in reasons:
            return {}
        return {one.channel: one.duration_minutes + one.buffer_minutes}

    @cached_property
    def _quotas(self) -> dict[int, tuple[int, frozenset[int]]]:
        """How many a day a node gets, and the reasons under it."""
        tree = self._situation.tree
        return {node: (most, frozenset(tree.leaves(node))) for node, most in self._situation.quotas.most_a_day.items()}

    def _booked(self, node: int, leaves: frozenset[int]) -> dict[date, int]:
        """Return how many are booked for the reasons under a node, by day."""
        found = self._sums.get(node)
        if found is None:
            listed = self._situation.listed
            found = self._sums[node] = listed.by_day(listed.columns.reason.among(set(map(str, leaves))))
        return found

    def _used(self, channel: str) -> dict[date, int]:
        """Return the minutes a channel has booked, with what counters are needed for afterwards, by day."""
        found = self._sums.get(channel)
        if found is None:
            listed = self._situation.listed
            minutes = listed.columns.duration + listed.columns.buffer
            found = self._sums[channel] = listed.by_day(minutes * listed.columns.channel.among({channel}))
        return found

    def _open_minutes(self, day: date) -> int:
        found = self._open_on.get(day)
        if found is None:
            compiled = self._engine.compiled
            window = ticks.interval(*compiled.horizon.days(day.toordinal(), day.toordinal()))
            rooms = (compiled.room(at) & window for at in ticks.members(compiled.exposed))
            found = self._open_on[day] = compiled.horizon.tick * sum(room.bit_count() for room in rooms)
        return found


def first_with_room(rationing: Rationing, engine: Office, query: Query, now: datetime) -> tuple[datetime, int] | None:
    """Return the earliest start that quotas leave, and how many could start then."""
    while query.from_date <= query.to_date:
        found = engine.first(query, now=now)
        if found is None:
            return None
        left, _ = rationing.left(query, found[0].date())
        if left:
            return found[0], min(found[1], left)
        query = replace(query, from_date=date.fromordinal(found[0].date().toordinal() + 1))
    return None
