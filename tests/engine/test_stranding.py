"""Too many visits for counters that are alike: the smallest set is stranded, the newest first."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from rdv.engine.stranding import place_alike
from rdv.engine.visits import Problem, Visit

spans = st.tuples(st.integers(0, 7), st.integers(1, 4)).map(lambda span: (span[0], span[0] + span[1]))


def visit(at: int, span: tuple[int, int], counters: int = 0b11, counter: int | None = None) -> Visit:
    return Visit(id=str(at), start=span[0], until=span[1], counters=counters, counter=counter)


def fit(visits: list[Visit]) -> bool:
    """Tell whether no more overlap than there are counters."""
    return all(
        sum(v.start <= moment < v.until for v in visits if v.counters == group) <= group.bit_count()
        for group in {v.counters for v in visits}
        for moment in range(12)
    )


def by_trying(visits: list[Visit]) -> tuple[str, ...]:
    """Return the stranded by trying every set, the smallest first, of these the newest."""
    for size in range(len(visits) + 1):
        found = [
            gone
            for gone in combinations(range(len(visits)), size)
            if fit([v for n, v in enumerate(visits) if n not in gone])
        ]
        if found:
            return tuple(str(at) for at in max(found, key=lambda gone: gone[::-1]))
    raise AssertionError("nobody always fits")


@given(st.lists(st.tuples(spans, st.sampled_from([0b11, 0b11, 0b100]), st.sampled_from([None, 0, 1])), max_size=9))
def test_who_is_stranded_is_what_trying_every_set_finds(drawn: list[tuple[tuple[int, int], int, int | None]]) -> None:
    visits = [visit(at, span, counters, counter) for at, (span, counters, counter) in enumerate(drawn)]
    placement = place_alike(Problem(visits=tuple(visits), counter_count=3))
    assert placement is not None
    assert placement.stranded == by_trying(visits)
    seated = [(v, placement.seats[v.id].counter) for v in visits if v.id in placement.seats]
    assert len(seated) + len(placement.stranded) == len(visits)
    assert all(v.counters >> counter & 1 for v, counter in seated)
    for (one, here), (other, there) in combinations(seated, 2):
        assert here != there or one.until <= other.start or other.until <= one.start


def test_who_can_stay_stays() -> None:
    visits = [visit(0, (0, 2), counter=1), visit(1, (0, 2), counter=0), visit(2, (0, 2), counter=0)]
    placement = place_alike(Problem(visits=tuple(visits), counter_count=2))
    assert placement is not None
    assert {name: seat.counter for name, seat in placement.seats.items()} == {"0": 1, "1": 0}
    assert placement.stranded == ("2",)


def test_sets_that_overlap_and_visits_with_agents_are_for_others_to_decide() -> None:
    assert place_alike(Problem(visits=(visit(0, (0, 1)), visit(1, (0, 1), 0b10)), counter_count=2)) is None
    served = Visit(id="0", start=0, until=1, counters=1, agents=1, agents_needed=1)
    assert place_alike(Problem(visits=(served,), counter_count=1, agent_count=1)) is None
