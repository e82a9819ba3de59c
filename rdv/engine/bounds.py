"""What certainly does not fit: Hall's condition, tick by tick, for visits and counters.

At one tick every live visit needs a counter of its own: if no matching of visits to counters exists there, nothing can
be rearranged to make one. Only the ticks at which a visit begins have to be looked at. The bound knows nothing of the
fact that a visit cannot change its counter half-way, nor of agents.
"""

from collections.abc import Sequence

from rdv.engine.seating import bits
from rdv.engine.visits import Visit


def may_fit(visits: Sequence[Visit], new: Sequence[Visit]) -> bool:
    """Tell whether at every tick the live visits and the new ones could have counters of their own."""
    everyone = [*visits, *new]
    begin, end = min(v.start for v in new), max(v.until for v in new)
    near = [v for v in everyone if v.start < end and v.until > begin]
    moments = {max(v.start, begin) for v in near}
    return all(_matches([v.counters for v in near if v.start <= at < v.until]) for at in sorted(moments))


def most_copies(visits: Sequence[Visit], new: Visit) -> int:
    """Return how many copies of a visit at most may fit, 0 to the number of its counters."""
    count = 0
    while count < new.counters.bit_count() and may_fit(visits, [new] * (count + 1)):
        count += 1
    return count


def _matches(choices: Sequence[int]) -> bool:
    """Tell whether each set of counters can give one counter of its own."""
    holder: dict[int, int] = {}

    def find(at: int, seen: set[int]) -> bool:
        for counter in bits(choices[at]):
            if counter not in seen:
                seen.add(counter)
                if counter not in holder or find(holder[counter], seen):
                    holder[counter] = at
                    return True
        return False

    # The choosiest first: fewer chains.
    order = sorted(range(len(choices)), key=lambda at: choices[at].bit_count())
    return all(find(at, set()) for at in order)
