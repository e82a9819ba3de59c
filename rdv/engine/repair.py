"""Making room by moving others: augmenting chains over the seats of a problem.

To seat a visit at a counter, whoever sits there at its time has to go elsewhere, which may push others on, until the
last of the chain finds a free seat; where agents are short, whoever one of them serves is pushed on in the same way.
The search goes depth first through the seats with the fewest to move, never tries a visit at a seat twice within one
chain, and stops after a number of steps. Finding nothing proves nothing.

Example: A and B take anything, C takes only r1. On A sits an r1, on B an r2. A second r2 wants in: the r1 moves from A
to C, and A is free.
"""

from collections.abc import Iterator, Sequence

from rdv.engine.seating import Seating, bits
from rdv.engine.visits import Seat, Visit

DEPTHS = (1, 2, 3, 4)  # short chains first: they are the most, and move the fewest
MAX_BLOCKERS = 3
NOBODY = -1  # no particular agent


class Steps:
    """How much searching is left, and which visits the present chain has tried at which counters with which agent."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.tried: set[tuple[str, int, int]] = set()

    def spend(self) -> bool:
        """Use one step; False when there is none left."""
        self.left -= 1
        return self.left >= 0


def seat_directly(seating: Seating, visit: Visit, order: Sequence[int] | None = None) -> bool:
    """Seat a visit where nobody has to move, at the first such counter of an order."""
    for counter in seating.free(bits(visit.counters) if order is None else order, seating.span(visit)):
        agents = seating.agents_for(visit, counter)
        if agents is not None:
            seating.take(visit, Seat(counter, agents))
            return True
    return False


def seat_by_moving(seating: Seating, visit: Visit, steps: Steps) -> bool:
    """Seat a visit, moving others where that makes room; nothing is changed when it fails."""
    mark = seating.mark()
    for depth in DEPTHS:
        steps.tried.clear()
        if _seat(seating, visit, steps, depth):
            return True
        seating.undo(mark)
    return False


def _seat(seating: Seating, visit: Visit, steps: Steps, depth: int) -> bool:
    if seat_directly(seating, visit):
        return True
    if depth == 0 or steps.left <= 0:
        return False
    choices = sorted(
        (len(blockers), counter, agent, blockers)
        for counter, agent, blockers in _choices(seating, visit)
        if (visit.id, counter, agent) not in steps.tried and 0 < len(blockers) <= MAX_BLOCKERS
    )
    for _, counter, agent, blockers in choices:
        if not steps.spend():
            return False
        steps.tried.add((visit.id, counter, agent))
        mark = seating.mark()
        if _push(seating, visit, (counter, blockers), steps, depth):
            return True
        seating.undo(mark)
    return False


def _choices(seating: Seating, visit: Visit) -> Iterator[tuple[int, int, list[Visit]]]:
    """Yield counters, an agent to be made free there or NOBODY, and who would have to move."""
    for counter in bits(visit.counters):
        blockers = seating.blockers(counter, visit)
        if any(not b.counters & ~(1 << counter) for b in blockers):
            continue
        yield counter, NOBODY, blockers
        if visit.agents_needed:
            for agent in seating.agents_busy(visit, counter):
                served = seating.blockers_of_agent(agent, visit)
                if not any(b.must_agents >> agent & 1 for b in served):
                    yield (counter, agent, blockers + [b for b in served if b not in blockers])


def _push(seating: Seating, visit: Visit, at: tuple[int, Sequence[Visit]], steps: Steps, depth: int) -> bool:
    counter, blockers = at
    for blocker in blockers:
        seating.leave(blocker)
    agents = seating.agents_for(visit, counter)
    if agents is None:
        return False
    seating.take(visit, Seat(counter, agents))
    for blocker in blockers:
        steps.tried.add((blocker.id, counter, NOBODY))
        if not _seat(seating, blocker, steps, depth - 1):
            return False
    return True
