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
from rdv.engine.classes import unions_with
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


class Counting:
    """Counts for one kind after another; what is the same for several is worked out once."""

    def __init__(self, compiled: Compiled, components: Components, staying: Flags) -> None:
        """`staying` are the rows of the components in which everybody can stay."""
        self._compiled = compiled
        self._components = components
        self._staying = staying
        self._kinds: dict[Kind, Counted] = {}
        self._full: dict[int, tuple[int, int]] = {}

    def of(self, kind: Kind) -> Counted:
        """Count for a kind."""
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = self._counted(kind)
        return found

    def _counted(self, kind: Kind) -> Counted:
        compiled = self._compiled
        own = kind.counters & compiled.exposed
        out = 0
        others = {may for _, may in _allowed(compiled)}
        for counters in unions_with(own, others, at_most=MOST_UNIONS):
            needed, open_and_needed = self._full_at(counters)
            out |= ticks.dilate(needed, kind.span) | ticks.dilate(open_and_needed, kind.duration)
        exact = _exact(compiled, self._components, self._staying, kind, own)
        starts = np.flatnonzero(flags_of(exact & ~out, compiled.horizon.length)) if exact else np.zeros(0, np.intp)
        counts = _least(self._left(own), kind.span)[starts] if len(starts) else starts
        return Counted(
            out=out,
            exact=exact,
            starts=array("i", starts.astype(np.intc).tobytes()),
            counts=array("h", counts.astype(np.short).tobytes()),
        )

    def _full_at(self, counters: int) -> tuple[int, int]:
        """Return when all of some counters, and all of those that are open, are needed by those who have no others."""
        found = self._full.get(counters)
        if found is None:
            compiled = self._compiled
            open_ = np.zeros(compiled.horizon.length, np.int32)
            for room, alike in compiled.counters_by_room:
                if share := (alike & counters).bit_count():
                    open_ += share * flags_of(room, compiled.horizon.length).astype(np.int32)
            inside = open_ - _load(compiled, self._bound_to(counters), compiled.live.fits_until)
            found = self._full[counters] = (set_of(self._left(counters) <= 0), set_of(inside <= 0))
        return found

    def _left(self, counters: int) -> Ints:
        """Return how many of some counters those leave at each tick who have no others."""
        return counters.bit_count() - _load(self._compiled, self._bound_to(counters), self._compiled.live.until)

    def _bound_to(self, counters: int) -> Flags:
        """Flag who can stay and has no counter beside these: not always all, since hours are not looked at."""
        compiled = self._compiled
        inside = np.array([not may & ~counters for _, may in _allowed(compiled)], np.bool_)
        no_other = inside[compiled.live.sort] | compiled.live.columns.pinned
        return self._staying & _stands_in(compiled, counters) & no_other


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
