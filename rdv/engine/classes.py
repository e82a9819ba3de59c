"""Who sits in which class of counters, while it is being rearranged; for visits that need no agents.

Counters that no visit can tell apart form a *class*. Visits that overlap at most k-fold can be dealt out to k counters
in order of their beginnings, so it is enough to know in which class each sits: a class of k counters takes any visits
of which no more than k are there at one tick. And visits that are there at the same time and may sit in the same
classes are alike: they are a *shape*, of which there are so many in each class.

How many counters of a class are free at each tick is kept in bit planes (bit i of every tick's number in one set), so
that a visit comes, goes and asks in a few operations on integers, however long it stays.

Room is made by ejecting, as in `ejection.py`: to let a visit into a class that is full at some ticks, visits that are
there at these ticks leave it and wait, until nobody waits. Who had to eject others *weighs* one more from then on, so
that those who are hard to seat are left in peace and the search does not go round in circles. It proves nothing.

Example: A and B take anything, C only r1. In {A, B} are an r1 from 09:00 and an r2 from 09:15; C is free. A second r2
wants in from 09:00 to 09:30: {A, B} is full from 09:15. The r1 leaves it, and finds C free.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from math import inf
from random import Random
from typing import NamedTuple, TypeVar

from rdv.engine.seating import bits, dealt
from rdv.engine.visits import Visit

NEVER = inf
MOST_UNIONS = 64  # of sets of classes: more are not looked at


T = TypeVar("T", bound=Hashable)


class Shape(NamedTuple):
    """The ticks a visit occupies, and the classes it may sit in."""

    span: int
    classes: int


class Free:
    """How many counters of a class are free at each tick: bit i of the numbers is `planes[i]`.

    `none`: the ticks at which none is.
    """

    __slots__ = ("none", "planes")

    def __init__(self, size: int, ticks: int) -> None:
        """Start with all `size` counters free at every tick of a set."""
        self.planes = [ticks if size >> bit & 1 else 0 for bit in range(size.bit_length())]
        self.none = 0

    def take(self, span: int, count: int = 1) -> None:
        """So many counters less are free for a span in which there are."""
        planes = self.planes
        for one in bits(count):
            borrow = span
            for bit in range(one, len(planes)):
                planes[bit] ^= borrow
                borrow &= planes[bit]
                if not borrow:
                    break
        some = 0
        for plane in planes:
            some |= plane
        self.none |= span & ~some

    def give(self, span: int, count: int = 1) -> None:
        """So many counters more are free for a span."""
        planes = self.planes
        for one in bits(count):
            carry = span
            for bit in range(one, len(planes)):
                planes[bit] ^= carry
                carry &= ~planes[bit]
                if not carry:
                    break
        self.none &= ~span

    def least(self, span: int) -> int:
        """Return how many counters at least are free at each tick of a span."""
        found, among = 0, span
        for bit in range(len(self.planes) - 1, -1, -1):
            without = among & ~self.planes[bit]
            if without:
                among = without
            else:
                found |= 1 << bit
        return found


class Classes:
    """A problem's visits by class; every change can be undone."""

    def __init__(
        self, visits: Sequence[Visit], counters: Mapping[str, int], counter_count: int, *, base: int, asked: int
    ) -> None:
        """Take everybody's counters; `base`: a tick nobody begins before; `asked`: counters to be told apart too."""
        self._base = base
        self._parts = _parts(visits, counter_count, asked)
        self.sizes = [part.bit_count() for part in self._parts]
        class_of = {counter: at for at, part in enumerate(self._parts) for counter in bits(part)}
        end = max((visit.until for visit in visits), default=base)
        self._afterwards = 1 << max(end - base, 0)  # a tick at which nobody is there
        self._ticks = 2 * self._afterwards - 1
        self._classes_of: dict[int, int] = {}
        self._unions: dict[int, list[int]] = {}
        self._left_in: dict[int, Free] = {}
        self._free = [Free(size, self._ticks) for size in self.sizes]
        self._inside = [Counter[Shape]() for _ in self.sizes]
        self._journal: list[tuple[Shape, int, int]] = []
        for visit in visits:
            self._enter(self.shape(visit), class_of[counters[visit.id]])
        self._journal.clear()

    def are_whole_in(self, counters: int) -> bool:
        """Tell whether a set of counters is made of whole classes."""
        return all(part & counters in {0, part} for part in self._parts)

    def shapes(self) -> Counter[Shape]:
        """Return how many there are of each shape."""
        return sum(self._inside, Counter[Shape]())

    def shape(self, visit: Visit) -> Shape:
        """Return the shape of a visit; where nobody else is, one tick stands for all that it occupies."""
        span = (1 << max(visit.until - self._base, 0)) - (1 << max(visit.start - self._base, 0))
        return Shape(span & self._ticks or self._afterwards, self._classes(visit.counters))

    def _classes(self, counters: int) -> int:
        found = self._classes_of.get(counters)
        if found is None:
            found = sum(1 << at for at, part in enumerate(self._parts) if part & counters)
            self._classes_of[counters] = found
        return found

    def room(self, visit: Visit) -> int:
        """Return how many copies of a visit there is room for, with everybody where they are now."""
        span, classes = self.shape(visit)
        return sum(self._free[at].least(span) for at in bits(classes))

    def at_most(self, visit: Visit) -> int:
        """Return how many copies of a visit may fit at most.

        Hall's condition: visits that can only sit in a set of classes are never more than these have counters. A copy
        needs the same counter all the time, so of each class it can have those that nobody bound to it ever needs.
        """
        span, classes = self.shape(visit)
        unbound = sum(self._left(1 << at).least(span) for at in bits(classes))
        return min(unbound, *(self._left(union).least(span) for union in self._unions_with(classes)))

    def _left(self, classes: int) -> Free:
        """Return how many counters of a set of classes are left by those who have no others."""
        found = self._left_in.get(classes)
        if found is None:
            size = sum(self.sizes[at] for at in bits(classes))
            found = self._left_in[classes] = Free(size, self._ticks)
            for inside in self._inside:
                for shape, count in inside.items():
                    if not shape.classes & ~classes:
                        found.take(shape.span, count)
        return found

    def _unions_with(self, classes: int) -> list[int]:
        """Return what a set of classes makes with those that others choose from: no other set can be too full.

        A set that has nothing in common with it leaves it no less.
        """
        found = self._unions.get(classes)
        if found is None:
            others = {shape.classes for inside in self._inside for shape in inside}
            found = self._unions[classes] = unions_with(classes, others, at_most=MOST_UNIONS)
        return found

    def has_more_unions(self, visit: Visit) -> bool:
        """Tell whether there are more sets of classes than `at_most` looks at."""
        return len(self._unions_with(self.shape(visit).classes)) == MOST_UNIONS

    def let_in(self, visit: Visit, count: int, steps: int) -> int:
        """Let in as many copies of a visit, up to `count`, as are found to fit; return how many.

        Others may move for it. `steps`: who may be ejected for one copy.
        """
        shape = self.shape(visit)
        found = 0
        for at in bits(shape.classes):
            here = min(self._free[at].least(shape.span), count - found)
            self._enter(shape, at, here)
            found += here
        while found < count and self._add(shape, steps):
            found += 1
        self._journal.clear()
        return found

    def let_out(self, visit: Visit, count: int) -> None:
        """Let so many visits of this shape go, whoever they are."""
        shape = self.shape(visit)
        for at in reversed(bits(shape.classes)):
            gone = min(self._inside[at][shape], count)
            self._leave(shape, at, gone)
            count -= gone
        self._journal.clear()

    def rearrange(self, inside: Sequence[Counter[Shape]]) -> None:
        """Put everybody, and maybe newcomers, where they are said to be."""
        self._inside = [Counter[Shape]() for _ in self.sizes]
        self._free = [Free(size, self._ticks) for size in self.sizes]
        for at, shapes in enumerate(inside):
            for shape, count in shapes.items():
                self._enter(shape, at, count)
        self._journal.clear()

    def dealt(self, visits: Sequence[Visit]) -> dict[str, int]:
        """Return a counter for each of the visits that are in: as many as can stay where they stand."""
        return deal([(visit, self.shape(visit)) for visit in visits], self._inside, list(map(bits, self._parts)))

    def _enter(self, shape: Shape, at: int, count: int = 1) -> None:
        if count:
            self._inside[at][shape] += count
            self._free[at].take(shape.span, count)
            self._journal.append((shape, at, count))

    def _leave(self, shape: Shape, at: int, count: int = 1) -> None:
        if count:
            self._inside[at][shape] -= count
            if not self._inside[at][shape]:
                del self._inside[at][shape]
            self._free[at].give(shape.span, count)
            self._journal.append((shape, at, -count))

    def _undo(self, mark: int) -> None:
        """Take back every change since a mark."""
        changes = self._journal[mark:]
        for shape, at, count in reversed(changes):
            if count > 0:
                self._leave(shape, at, count)
            else:
                self._enter(shape, at, -count)
        del self._journal[mark:]

    def _directly(self, shape: Shape) -> int | None:
        """Return a class that has room for a visit, None when none has."""
        for at in bits(shape.classes):
            if not self._free[at].none & shape.span:
                return at
        return None

    def _add(self, shape: Shape, steps: int) -> bool:
        """Let one more in, ejecting others where need be, until nobody waits; nothing is changed when it fails."""
        mark = len(self._journal)
        random = Random(0)  # noqa: S311 - decides ties, guards nothing
        weight: Counter[Shape] = Counter()
        waiting = [shape]
        for _ in range(steps):
            one = waiting.pop(random.randrange(len(waiting)))
            at = self._directly(one)
            if at is None:
                weight[one] += 1
                ways = [(*self._cheapest(one, at, weight), random.random(), at) for at in bits(one.classes)]
                cost, leaving, _, at = min(ways, key=lambda way: (way[0], way[2]))
                if cost == NEVER:
                    break
                for other in leaving:
                    self._leave(other, at)
                waiting += leaving
            self._enter(one, at)
            if not waiting:
                return True
        self._undo(mark)
        return False

    def _cheapest(self, one: Shape, at: int, weight: Counter[Shape]) -> tuple[float, list[Shape]]:
        """Return who would leave a class for a visit, and what they weigh; NEVER where somebody has no other class.

        At each tick that is full it is who weighs least, and of these who frees most.
        """
        blocked = self._free[at].none & one.span
        inside = self._inside[at]
        cost, leaving = 0, list[Shape]()
        while blocked:
            first = blocked & -blocked
            there = [
                (weight[other] + (self._directly(other) is None), -(other.span & blocked).bit_count(), other)
                for other, count in inside.items()
                if other.span & first and other.classes != 1 << at and other != one and leaving.count(other) < count
            ]
            if not there:
                return NEVER, []
            weighs, _, other = min(there)
            leaving.append(other)
            cost += weighs
            blocked &= ~other.span
        return cost, leaving


def unions_with(own: int, others: Collection[int], *, at_most: int) -> list[int]:
    """Return a set, and what it makes with others that it has something in common with, and so on."""
    found = [own]
    for union in found:
        more = {union | other for other in others if union & other}.difference(found)
        found += sorted(more)[: at_most - len(found)]
    return found


def deal(
    keyed: Sequence[tuple[Visit, T]], inside: Sequence[Counter[T]], parts: Sequence[Sequence[int]]
) -> dict[str, int]:
    """Return a counter for each visit, of which there are so many of each key in each class; who can stay stays.

    `parts`: the counters of each class.
    """
    class_of = {counter: at for at, part in enumerate(parts) for counter in part}
    left = [Counter(one) for one in inside]
    members: list[list[Visit]] = [[] for _ in parts]
    moving = []
    for visit, key in keyed:
        at = -1 if visit.counter is None else class_of.get(visit.counter, -1)
        if at < 0 or not left[at][key]:
            moving.append((visit, key))
        else:
            left[at][key] -= 1
            members[at].append(visit)
    for visit, key in moving:
        at = next(at for at, one in enumerate(left) if one[key])
        left[at][key] -= 1
        members[at].append(visit)
    found: dict[str, int] = {}
    for part, there in zip(parts, members, strict=True):
        found |= dealt(there, part)
    return found


def _parts(visits: Sequence[Visit], counter_count: int, asked: int) -> list[int]:
    """Return the classes as sets of counters, first those that the fewest visits may sit at."""
    sets = Counter(visit.counters for visit in visits)
    parts = [(1 << counter_count) - 1]
    for counters in [*sets, asked]:
        parts = [piece for part in parts for piece in (part & counters, part & ~counters) if piece]
    return sorted(parts, key=lambda part: (sum(n for counters, n in sets.items() if counters & part), part))
