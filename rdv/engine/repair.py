"""Making room by moving others: augmenting chains over the seats of a problem.

To seat a visit at a counter, whoever sits there at its time has to go elsewhere, which may push others on, until the
last of the chain finds a free seat. The search goes depth first through the counters with the fewest to move, never
tries a visit at a counter twice within one chain, and stops after a number of steps. Finding nothing proves nothing.

Example: A and B take anything, C takes only r1. On A sits an r1, on B an r2. A second r2 wants in: the r1 moves from A
to C, and A is free.
"""

from collections.abc import Sequence

from rdv.engine.seating import Seating, bits
from rdv.engine.visits import Seat, Visit

MAX_DEPTH = 8
MAX_BLOCKERS = 3


class Steps:
    """How much searching is left, and which visits the present chain has tried at which counters."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.tried: set[tuple[str, int]] = set()

    def spend(self) -> bool:
        """Use one step; False when there is none left."""
        self.left -= 1
        return self.left >= 0


def seat_directly(seating: Seating, visit: Visit, order: Sequence[int] | None = None) -> bool:
    """Seat a visit where nobody has to move, at the first such counter of an order."""
    span = seating.span(visit)
    for counter in bits(visit.counters) if order is None else order:
        if seating.is_free(counter, span):
            agents = seating.agents_for(visit, counter)
            if agents is not None:
                seating.take(visit, Seat(counter, agents))
                return True
    return False


def seat_by_moving(seating: Seating, visit: Visit, steps: Steps) -> bool:
    """Seat a visit, moving others where that makes room; nothing is changed when it fails."""
    before = seating.snapshot()
    steps.tried.clear()
    if _seat(seating, visit, steps, MAX_DEPTH):
        return True
    seating.restore(before)
    return False


def _seat(seating: Seating, visit: Visit, steps: Steps, depth: int) -> bool:
    if seat_directly(seating, visit):
        return True
    if depth == 0:
        return False
    span = seating.span(visit)
    choices = (
        sorted(
            (len(blockers), counter, blockers)
            for counter in bits(visit.counters)
            if (visit.id, counter) not in steps.tried
            for blockers in (seating.blockers(counter, span),)
            if 0 < len(blockers) <= MAX_BLOCKERS and all(b.counters & ~(1 << counter) for b in blockers)
        )
        if steps.left > 0
        else []
    )
    for _, counter, blockers in choices:
        if not steps.spend():
            return False
        steps.tried.add((visit.id, counter))
        before = seating.snapshot()
        if _push(seating, visit, (counter, blockers), steps, depth):
            return True
        seating.restore(before)
    return False


def _push(seating: Seating, visit: Visit, at: tuple[int, Sequence[Visit]], steps: Steps, depth: int) -> bool:
    counter, blockers = at
    for blocker in blockers:
        seating.leave(blocker)
    agents = seating.agents_for(visit, counter)
    if agents is None:
        return False
    seating.take(visit, Seat(counter, agents))
    for blocker in blockers:
        steps.tried.add((blocker.id, counter))
        if not _seat(seating, blocker, steps, depth - 1):
            return False
    return True
