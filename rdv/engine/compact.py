"""The `compact` policy: of the feasible starts, those that waste no time.

A visit put into a gap of free time leaves what is before it and what is after it. A rest is *useful* when it is
empty or long enough for the office's shortest visit; a rest that is neither is lost for ever. A start is *tight* when,
on some counter, in the witness, it touches the beginning or the end of its gap and the other rest is useful.

Example: free 09:00-10:30, shortest visit 30 minutes, a visit of 45 minutes. 09:00 is tight (45 useful minutes are left
after it), so is 09:45 (45 before it); 09:15 and 09:30 are not, they leave a quarter of an hour on one side.

Tight starts of the whole day are kept, so usagers keep a choice at both ends of every gap; a half-day (before and from
12:00) without any keeps its first feasible start, so no day loses its last offer.
"""

from rdv.engine import ticks
from rdv.engine.book import Book
from rdv.engine.compile import Compiled
from rdv.engine.kind import Kind

NOON = 12 * 60


def compact(book: Book, kind: Kind, feasible: int, first: int, last: int) -> int:
    """Return the starts to offer out of the feasible ones of the local days `first` to `last`."""
    kept = feasible & _tight(book, kind)
    for begin, end in _half_days(book.compiled, first, last):
        half = feasible & ticks.interval(begin, end)
        if half and not half & kept:
            kept |= half & -half
    return kept


def _tight(book: Book, kind: Kind) -> int:
    """Return the ticks that are tight on some counter, in the witness as it stands."""
    compiled = book.compiled
    shortest = min(r.duration_minutes + r.buffer_minutes for r in compiled.instance.reasons) // compiled.horizon.tick
    found = 0
    for counter, starts in compiled.candidates(kind):
        free = compiled.room(counter) & ~book.busy(counter)
        enough = ticks.erode(free, shortest)
        begins = free & ~(free << 1)
        ends = ~(free >> kind.span)  # the tick after the visit is taken or closed
        useful_before, useful_after = begins | enough << shortest, ends | enough >> kind.span
        here = starts & ticks.erode(free, kind.duration) & ticks.erode(~book.busy(counter), kind.span)
        found |= here & (begins & useful_after | ends & useful_before)
    return found


def _half_days(compiled: Compiled, first: int, last: int) -> list[tuple[int, int]]:
    horizon = compiled.horizon
    halves = []
    for day in range(max(first, horizon.first), min(last, horizon.last) + 1):
        begin, end = horizon.days(day, day)
        noon = min(max(horizon.at(horizon.clock.instant(day, NOON)), begin), end)
        halves += [(begin, noon), (noon, end)]
    return [(begin, end) for begin, end in halves if begin < end]
