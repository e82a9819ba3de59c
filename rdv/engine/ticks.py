"""Sets of ticks as Python integers: bit i stands for the i-th tick of a horizon.

Only arithmetic lives here: no dates, no counters. Intersection, union and difference are `&`, `|` and `& ~`; the
functions below are the operations that Python has no operator for. Each one costs O(log k) operations on whole
integers, never a loop over ticks.

Theory, with the ticks of one morning, 09:00 = tick 0, ticks of 5 minutes, open 09:00-09:30 and 09:40-10:00:

* *mask*. The sum of `2**end - 2**begin` over disjoint intervals is exactly the set of their ticks, so a mask is one
  subtraction: `(2**6 + 2**12) - (2**0 + 2**8)` = `0b1111_00111111`, read from the right.
* *erosion*. Where does a visit of 3 ticks start? Where ticks t, t+1 and t+2 are all in the set: `m & m>>1 & m>>2`.
  Doubling needs only two steps: `m &= m>>1` says "2 ticks from here", then `m &= m>>1` says "3 from here". In general
  the run known so far doubles until the last step fills the rest. Here: `0b0011_00001111`, 09:00 to 09:15 and
  09:40, 09:45.
* *comb*. From each anchor every `step` ticks while the set lasts: a carry that ripples through the set. It doubles
  too: a tooth is carried over `step` ticks where all of them are in the set, then over `2*step`, and so on.
  Anchors 0 and 8, step 2: `0b0101_00010101`.

Bits are listed by searching the binary text; clearing the lowest bit again and again (`m & -m`) would copy the whole
integer each time and is quadratic.
"""

from collections.abc import Iterable


def interval(begin: int, end: int) -> int:
    """Return the ticks `[begin, end)`; `0 <= begin <= end`."""
    return (1 << end) - (1 << begin)


def mask(intervals: Iterable[tuple[int, int]], length: int) -> int:
    """Return the ticks of disjoint intervals, each within `[0, length]`, in any order."""
    begins, ends = bytearray(length // 8 + 1), bytearray(length // 8 + 1)
    for begin, end in intervals:
        begins[begin >> 3] |= 1 << (begin & 7)
        ends[end >> 3] |= 1 << (end & 7)
    return int.from_bytes(ends, "little") - int.from_bytes(begins, "little")


def points(ticks: Iterable[int], length: int) -> int:
    """Return the set of the given ticks, each within `[0, length]`."""
    bits = bytearray(length // 8 + 1)
    for tick in ticks:
        bits[tick >> 3] |= 1 << (tick & 7)
    return int.from_bytes(bits, "little")


def erode(ticks: int, width: int) -> int:
    """Return the ticks t with all of `[t, t + width)` in the set; `width >= 1`."""
    known = 1
    while known < width:
        step = min(known, width - known)
        ticks &= ticks >> step
        known += step
    return ticks


def dilate(ticks: int, width: int) -> int:
    """Return the ticks t with some of `[t, t + width)` in the set, from tick 0 on; `width >= 1`."""
    known = 1
    while known < width:
        step = min(known, width - known)
        ticks |= ticks >> step
        known += step
    return ticks


def comb(anchors: int, inside: int, step: int) -> int:
    """Set every `step`-th tick from each anchor while no tick in between is outside the set; `step >= 1`."""
    teeth = anchors & inside
    carried = erode(inside, step + 1) << step  # t with all of [t - step, t] inside
    while carried:
        teeth |= carried & (teeth << step)
        carried &= carried << step
        step *= 2
    return teeth


def at_least(masks: Iterable[int], count: int, every: int) -> int:
    """Return the ticks that are in at least `count` of the masks; `every` is the answer to `count == 0`."""
    reached = [every] + [0] * count
    for one in masks:
        for level in range(count, 0, -1):
            reached[level] |= reached[level - 1] & one
    return reached[count]


def lowest(ticks: int) -> int:
    """Return the first tick of a set that is not empty."""
    return (ticks & -ticks).bit_length() - 1


def size(length: int) -> int:
    """Return how many bytes a set over so many ticks takes: Python keeps 30 bits in four of them."""
    return length * 4 // 30


def members(ticks: int, offset: int = 0) -> list[int]:
    """Return the ticks of the set, ascending, each plus `offset`."""
    text = bin(ticks)[:1:-1]
    if 4 * ticks.bit_count() > len(text):
        return [at for at, bit in enumerate(text, offset) if bit == "1"]
    found = []
    at = text.find("1")
    while at >= 0:
        found.append(at + offset)
        at = text.find("1", at + 1)
    return found


def run_around(ticks: int, at: int) -> tuple[int, int]:
    """Return the maximal interval of the set that contains a tick of it."""
    begin = (~ticks & ((1 << at) - 1)).bit_length()
    after = ticks >> at
    return begin, at + (~after & (after + 1)).bit_length() - 1


def runs(ticks: int) -> list[tuple[int, int]]:
    """Return the maximal intervals of the set, ascending."""
    before = ticks << 1
    return list(zip(members(ticks & ~before), members(before & ~ticks), strict=True))
