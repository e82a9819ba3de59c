"""The `compact` policy: starts so chosen that little time is lost to gaps nobody fits into.

A visit put into a gap of free time leaves a rest before it and a rest after it. A rest is *fillable* when visits of the
office's reasons can fill it to the tick: with visits of 20 and 30 minutes 50 are fillable, 10 and 25 are not. On a
counter, as the witness stands, a start is

* *tight* when the visit touches an end of its gap and the other rest is fillable: nothing is lost, one gap is left;
* *even* when both rests are fillable: nothing is lost, but two gaps are left;
* *near* when the visit touches an end of its gap, whatever the other rest.

Starts need not be on the grid: after a visit of 20 minutes the next one begins 20 minutes later, whatever the step.

A day offers its tight starts; without any, its near ones; without these, what `all` would. A day that is less than half
full keeps a real choice: at least `CHOICE` starts, some in each half of the day, filled up from the other sorts in the
order above and last from what `all` would offer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rdv.engine import ticks
from rdv.engine.book import Book
from rdv.engine.compile import Compiled
from rdv.engine.kind import Kind

NOON = 12 * 60
CHOICE = 5  # starts that a day less than half full offers at least, where there are as many


@dataclass(slots=True)
class _Sorts:
    """Starts by how much they lose, and which days are less than half full."""

    tight: int = 0
    even: int = 0
    near: int = 0
    half_empty: dict[int, bool] = field(default_factory=dict)  # by a day's first tick


def off_grid(kind: Kind) -> Kind:
    """Return a kind that may start at any tick."""
    return replace(kind, step=1)


def compact(book: Book, kind: Kind, feasible: int, window: tuple[int, int], days: tuple[int, int]) -> int:
    """Return the starts to offer on the local days `days`, both included, within a window of ticks.

    `feasible` are the starts that `all` would offer. The returned ones are starts of `off_grid(kind)`.
    """
    inside = ticks.interval(*window)
    sorts = book.derived.get(kind)
    if sorts is None:
        sorts = book.derived[kind] = _sorts(book, off_grid(kind))
    offered = 0
    for begin, noon, end in _days(book.compiled, *days):
        day = ticks.interval(begin, end) & inside
        pools = [pool & day for pool in (sorts.tight, sorts.even, sorts.near, feasible)]
        found = pools[0] or pools[2] or pools[3]
        if begin not in sorts.half_empty:
            sorts.half_empty[begin] = _half_empty(book, kind, begin, end)
        if pools[3] and sorts.half_empty[begin]:
            found = _with_choice(found, pools, (ticks.interval(begin, noon), ticks.interval(noon, end)))
        offered |= found
    return offered


def _sorts(book: Book, kind: Kind) -> _Sorts:
    """Return the starts that are free on some counter, in the witness as it stands, by sort."""
    compiled = book.compiled
    spans = sorted(
        {(r.duration_minutes + r.buffer_minutes) // compiled.horizon.tick for r in compiled.instance.reasons}
    )
    found = _Sorts()
    for counter, starts in compiled.candidates(kind):
        free = compiled.room(counter) & ~book.busy(counter)
        here = starts & book.free(kind, counter)
        begins, ends = free & ~(free << 1), ~free & free << 1
        fillable_before, fillable_after = _from_begin(free, begins, spans), _to_end(free, ends, spans) >> kind.span
        at_begin, at_end = here & begins, here & ends >> kind.span
        found.tight |= at_begin & fillable_after | at_end & fillable_before
        found.even |= here & fillable_before & fillable_after
        found.near |= at_begin | at_end
    return found


def _from_begin(free: int, begins: int, spans: Sequence[int]) -> int:
    """Return the ticks up to which visits can fill a gap from its beginning."""
    steps = [(span, ticks.erode(free, span)) for span in spans]
    reached, fresh = begins, begins
    while fresh:
        new = 0
        for span, fits in steps:
            new |= (fresh & fits) << span
        fresh = new & ~reached
        reached |= fresh
    return reached


def _to_end(free: int, ends: int, spans: Sequence[int]) -> int:
    """Return the ticks from which visits can fill a gap to its end."""
    steps = [(span, ticks.erode(free, span)) for span in spans]
    reached, fresh = ends, ends
    while fresh:
        new = 0
        for span, fits in steps:
            new |= fresh >> span & fits
        fresh = new & ~reached
        reached |= fresh
    return reached


def _half_empty(book: Book, kind: Kind, begin: int, end: int) -> bool:
    """Tell whether the office's counters, or those of the kind, are less than half booked from `begin` to `end`."""
    compiled = book.compiled
    day = ticks.interval(begin, end)
    for counters in (compiled.exposed, compiled.exposed & kind.counters):
        rooms = [(compiled.room(counter) & day, book.busy(counter)) for counter in ticks.members(counters)]
        booked = sum((room & busy).bit_count() for room, busy in rooms)
        if 2 * booked < sum(room.bit_count() for room, _ in rooms):
            return True
    return False


def _with_choice(found: int, pools: Sequence[int], halves: Sequence[int]) -> int:
    """Add starts from the pools, in their order, until each half of the day has one and there are enough in all."""
    for half in halves:
        for pool in pools:
            if not found & half and pool & half:
                found |= pool & half & -(pool & half)
    for pool in pools:
        more = ticks.members(pool & ~found)
        missing = CHOICE - found.bit_count()
        if missing > 0:
            # Spread over the day, so that there is something for everybody.
            chosen = more[:: max(len(more) // missing, 1)][:missing]
            found |= sum(1 << start for start in chosen)
    return found


def _days(compiled: Compiled, first: int, last: int) -> list[tuple[int, int, int]]:
    """Return the beginning, the noon and the end of each local day, as ticks."""
    horizon = compiled.horizon
    found = []
    for day in range(max(first, horizon.first), min(last, horizon.last) + 1):
        begin, end = horizon.days(day, day)
        found.append((begin, min(max(horizon.at(horizon.clock.instant(day, NOON)), begin), end), end))
    return found
