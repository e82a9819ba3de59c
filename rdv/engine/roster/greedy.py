"""A roster shift by shift, each time the one that is worth most: soon there, however many shifts are possible.

It takes over where the solver finds nothing in time, and is what that begins with the next time.
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping

from rdv.engine.roster.day import Day, Interval
from rdv.engine.roster.model import Key, Model
from rdv.engine.roster.values import RosterAgent, RosterInstance


def greedy(model: Model) -> set[Key]:
    """Return shifts that keep every maximum; counters that have to be open are worth more than anyone expected."""
    chosen: set[Key] = set()
    minutes: dict[str, int] = defaultdict(int)
    for at, day in enumerate(model.days):
        keys = [key for key in model.shifts if key[0] == at]
        chosen |= _Picker(model.instance, day, minutes, model.most_a_day, weekly=model.weekly).picked(keys)
    return chosen


class _Picker:
    """One day's state while shifts are picked."""

    def __init__(
        self,
        instance: RosterInstance,
        day: Day,
        minutes: dict[str, int],
        most_a_day: Mapping[str, int],
        *,
        weekly: bool,
    ) -> None:
        self.rules, self.weights, self.day = instance.rules, instance.weights, day
        self.agents: dict[str, RosterAgent] = {one.id: one for one in instance.agents}
        self.minutes, self.weekly, self.instance = minutes, weekly, instance
        self.most_a_day = most_a_day
        self.today: dict[str, int] = defaultdict(int)
        self.taken: dict[str, list[Interval]] = defaultdict(list)
        self.open: dict[tuple[int, int], int] = defaultdict(int)  # by place and block
        self.left = dict(day.wanted)
        self.pause = self.rules.break_minutes // day.block
        self.able: dict[tuple[str, int], list[str]] = defaultdict(list)
        for pairs, reasons in day.sorts.items():
            for pair in pairs:
                self.able[pair] += reasons
        self.lacking = dict.fromkeys(day.open_blocks, self.rules.least_open)

    def picked(self, keys: list[Key]) -> set[Key]:
        """Pick until nothing is worth it; a value that has fallen since is looked at again first."""
        heap = [(-self._worth(key), key) for key in keys]
        heapq.heapify(heap)
        chosen: set[Key] = set()
        while heap and heap[0][0] < 0:
            _, key = heapq.heappop(heap)
            if not self._fits(key):
                continue
            worth = self._worth(key)
            if heap and -worth > heap[0][0]:
                if worth > 0:
                    heapq.heappush(heap, (-worth, key))
                continue
            if worth > 0:
                self._take(key)
                chosen.add(key)
        return chosen

    def _fits(self, key: Key) -> bool:
        _, agent, place, (first, last) = key
        length = (last - first) * self.day.block
        known = self.agents[agent]
        most = min(known.most_minutes_a_day, self.most_a_day.get(agent, known.most_minutes_a_day))
        if self.today[agent] + length > most:
            return False
        if self.weekly and self.minutes[agent] + length > self.instance.left_in_week(known, self.day.date):
            return False
        if any(first < end + self.pause and begin < last + self.pause for begin, end in self.taken[agent]):
            return False
        room = len(self.day.places[place].counters)
        return all(self.open[place, block] < room for block in range(first, last))

    def _worth(self, key: Key) -> int:
        _, agent, place, (first, last) = key
        return sum(self._of_block(agent, place, block) for block in range(first, last))

    def _of_block(self, agent: str, place: int, block: int) -> int:
        free, worth = self.day.block, -self.weights.worked
        for booked, value in ((True, self.weights.booked), (False, self.weights.served)):
            for reason in self.able.get((agent, place), ()):
                part = min(free, self.left.get((block, reason, booked), 0))
                free -= part
                worth += part * value
        lacking = self.lacking.get(block, 0) > 0
        return worth + (self.weights.booked * self.day.block * 2 if lacking else 0)

    def _take(self, key: Key) -> None:
        _, agent, place, (first, last) = key
        length = (last - first) * self.day.block
        self.today[agent] += length
        self.minutes[agent] += length
        self.taken[agent].append((first, last))
        for block in range(first, last):
            self.open[place, block] += 1
            self.lacking[block] = self.lacking.get(block, 0) - 1
            free = self.day.block
            for booked in (True, False):
                for reason in self.able.get((agent, place), ()):
                    part = min(free, self.left.get((block, reason, booked), 0))
                    if part:
                        self.left[block, reason, booked] -= part
                        free -= part
