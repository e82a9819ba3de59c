"""What counting alone tells of all starts of a kind at once, from columns, without looking at any visit.

Two facts, both about appointments that can stay where they stand:

* *out*: at some tick of the visit the counters it could have, or these and those that others could have instead, are
  all needed by appointments that have no others (Hall's condition). Such a start is not feasible, whatever is moved.
* *exact*: each appointment around can have either the very same counters as the visit or none of them, and the visit
  and those like it need no agents. Intervals that overlap at most k-fold need k counters, so the number of
  appointments at each tick decides, and how many more fit.

Everything else is decided visit by visit (`assignment.py`).
"""

from array import array
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from rdv.engine import ticks
from rdv.engine.columns import Flags, Ints
from rdv.engine.compile import Compiled
from rdv.engine.kind import Kind
from rdv.engine.live import Components, Sort, flags_of, set_of, within

MOST_UNIONS = 16  # of sets of counters: more are left to `classes.py`


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Counted:
    """The starts of a kind that are `out`, and those where counting is `exact`.

    `starts`: the exact ones that are feasible, ascending; `counts`: how many visits could start together at each. One
    is kept for each kind that was asked for: what remains at every tick would be as large as all the rest together.
    """

    out: int
    exact: int
    starts: "array[int]"
    counts: "array[int]"

    @property
    def feasible(self) -> int:
        """The exact starts at which a visit fits."""
        return self.exact & ~self.out

    def remaining(self, start: int) -> int:
        """Return how many visits could start together at an exact start: none where it is not feasible."""
        at = bisect_left(self.starts, start)
        return self.counts[at] if at < len(self.starts) and self.starts[at] == start else 0


def counted(compiled: Compiled, components: Components, staying: Flags, kind: Kind) -> Counted:
    """Count for a kind; `staying` are the rows of the components in which everybody can stay."""
    own = kind.counters & compiled.exposed
    left, out = _left(compiled, staying, kind, own)
    for union in _unions_with(compiled, own):
        out |= _left(compiled, staying, kind, union)[1]
    exact = _exact(compiled, components, staying, kind, own)
    starts = np.flatnonzero(flags_of(exact & ~out, compiled.horizon.length))
    counts = _least(left, kind.span)[starts]
    return Counted(
        out=out,
        exact=exact,
        starts=array("i", starts.astype(np.intc).tobytes()),
        counts=array("h", counts.astype(np.short).tobytes()),
    )


def _left(compiled: Compiled, staying: Flags, kind: Kind, counters: int) -> tuple[Ints, int]:
    """Return how many of some counters those leave at each tick who have no others, and the starts that are out."""
    bound = staying & _bound_to(compiled, counters)
    left = counters.bit_count() - _load(compiled, bound, compiled.live.until)
    open_ = np.zeros(compiled.horizon.length, np.int32)
    for counter in ticks.members(counters):
        open_ += flags_of(compiled.room(counter), compiled.horizon.length)
    inside = open_ - _load(compiled, bound, compiled.live.fits_until)
    return left, ticks.dilate(set_of(left <= 0), kind.span) | ticks.dilate(set_of(inside <= 0), kind.duration)


def _unions_with(compiled: Compiled, own: int) -> list[int]:
    """Return what a set of counters makes with those that appointments choose from, itself left out."""
    found = [own]
    others = {may for _, may in _allowed(compiled)}
    for union in found:
        more = {union | other for other in others if union & other}.difference(found)
        found += sorted(more)[: MOST_UNIONS - len(found)]
    return found[1:]


def _exact(compiled: Compiled, components: Components, staying: Flags, kind: Kind, own: int) -> int:
    """Return the starts at which the visit, and whoever around can have one of `own`, can have every one of them."""
    candidates = dict(compiled.candidates(kind))
    if kind.agents_needed or set(candidates) != set(ticks.members(own)):
        return 0
    starts = compiled.horizon_mask
    for one in candidates.values():
        starts &= one
    settled = staying & (_alike(compiled, own) | _apart(compiled, own))
    others = components.intervals(np.logical_not(components.all_of(settled)))
    return starts & ~ticks.dilate(ticks.mask(others, compiled.horizon.length), kind.span)


def _alike(compiled: Compiled, own: int) -> Flags:
    """Flag the rows that can have exactly the counters `own` and need nobody."""
    live = compiled.live
    always = compiled.horizon_mask
    for counter in ticks.members(own):
        always &= compiled.room(counter)
    nobody = compiled.instance.agents is None
    alike = [may == own and (nobody or not compiled.reasons[sort[0]].agents) for sort, may in _allowed(compiled)]
    rows = np.array(alike, np.bool_)[live.sort] & ~live.columns.pinned & _stands_in(compiled, compiled.exposed)
    return rows & within([always], np.zeros(len(live), np.int32), live.start, live.fits_until)


def _apart(compiled: Compiled, own: int) -> Flags:
    """Flag rows that can have no counter of `own`: not always all of them, since hours are not looked at."""
    apart = np.array([not may & own for _, may in _allowed(compiled)], np.bool_)
    return ~_stands_in(compiled, own) & (apart[compiled.live.sort] | compiled.live.columns.pinned)


def _bound_to(compiled: Compiled, own: int) -> Flags:
    """Flag rows that can have no counter outside `own`: not always all of them, since hours are not looked at."""
    inside = np.array([not may & ~own for _, may in _allowed(compiled)], np.bool_)
    return _stands_in(compiled, own) & (inside[compiled.live.sort] | compiled.live.columns.pinned)


def _allowed(compiled: Compiled) -> list[tuple[Sort, int]]:
    """Return the exposed counters that allow each sort of appointment; one may also stay where it stands."""
    return [(sort, compiled.allowed(*sort) & compiled.exposed) for sort in compiled.live.sorts]


def _stands_in(compiled: Compiled, counters: int) -> Flags:
    """Flag the rows that stand at one of some counters; every row that can stay stands somewhere."""
    return flags_of(counters, len(compiled.instance.counters)).astype(np.bool_)[compiled.live.counter]


def _load(compiled: Compiled, rows: Flags, ends: Ints) -> Ints:
    """Return how many of the flagged rows there are at each tick."""
    size = compiled.horizon.length + 1
    begun = np.bincount(compiled.live.start[rows], minlength=size)
    ended = np.bincount(ends[rows], minlength=size)
    return np.cumsum((begun - ended)[:-1], dtype=np.int32)


def _least(numbers: Ints, width: int) -> Ints:
    """Return the least of so many numbers from each place on, as far as there are."""
    least = numbers.copy()
    known = 1
    while known < width:
        step = min(known, width - known)
        least[:-step] = np.minimum(least[:-step], least[step:])
        known += step
    return least
