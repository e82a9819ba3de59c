"""Too many visits for counters and agents: the smallest set is stranded, the newest first."""

from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from rdv.engine.seating import bits
from rdv.engine.stranding import place
from rdv.engine.visits import Problem, Visit

NOBODY = -1
spans = st.tuples(st.integers(0, 7), st.integers(1, 4)).map(lambda span: (span[0], span[0] + span[1]))


def visit(at: int, span: tuple[int, int], counters: int = 0b11, counter: int | None = None) -> Visit:
    return Visit(id=str(at), start=span[0], until=span[1], counters=counters, counter=counter)


def seats_for(visits: list[Visit], taken: frozenset[tuple[str, int, int]] = frozenset()) -> bool:
    """Tell whether all find a counter and an agent of their own, by trying them one after another."""
    if not visits:
        return True
    one, *others = visits
    for counter in bits(one.counters):
        for agent in bits(one.agents) if one.agents_needed else (NOBODY,):
            needs = {("counter", counter, tick) for tick in range(one.start, one.until)}
            needs |= {("agent", agent, tick) for tick in range(one.start, one.until) if agent != NOBODY}
            if not needs & taken and seats_for(others, taken | needs):
                return True
    return False


def by_trying(visits: list[Visit]) -> tuple[str, ...]:
    """Return the stranded by trying every set, the smallest first, of these the newest."""
    for size in range(len(visits) + 1):
        found = [
            gone
            for gone in combinations(range(len(visits)), size)
            if seats_for([v for n, v in enumerate(visits) if n not in gone])
        ]
        if found:
            return tuple(str(at) for at in max(found, key=lambda gone: gone[::-1]))
    raise AssertionError("nobody always fits")


@given(
    st.lists(
        st.tuples(spans, st.sampled_from([0b11, 0b11, 0b110, 0b100]), st.sampled_from([0, 0b1, 0b11, 0b10])), max_size=7
    )
)
def test_who_is_stranded_is_what_trying_every_set_finds(drawn: list[tuple[tuple[int, int], int, int]]) -> None:
    visits = [
        replace(visit(at, span, counters), agents=agents, agents_needed=bool(agents))
        for at, (span, counters, agents) in enumerate(drawn)
    ]
    placement = place(Problem(visits=tuple(visits), counter_count=3, agent_count=2), seconds=60)
    assert placement is not None
    assert placement.stranded == by_trying(visits)
    seated = [(v, placement.seats[v.id]) for v in visits if v.id in placement.seats]
    assert len(seated) + len(placement.stranded) == len(visits)
    assert all(v.counters >> seat.counter & 1 and not seat.agents & ~v.agents for v, seat in seated)
    assert all(seat.agents.bit_count() == v.agents_needed for v, seat in seated)
    for (one, here), (other, there) in combinations(seated, 2):
        apart = here.counter != there.counter and not here.agents & there.agents
        assert apart or one.until <= other.start or other.until <= one.start


def test_of_several_agents_those_who_are_kept_and_those_who_serve_stay() -> None:
    kept = Visit(id="kept", start=0, until=2, counters=1, agents=0b111, agents_needed=2, must_agents=1, served_by=0b101)
    other = Visit(id="other", start=0, until=2, counters=0b110, agents=0b111, agents_needed=1, served_by=0b10)
    late = replace(other, id="late", served_by=0)
    placement = place(Problem(visits=(kept, other, late), counter_count=3, agent_count=3), seconds=60)
    assert placement is not None
    assert placement.stranded == ("late",)
    assert {name: seat.agents for name, seat in placement.seats.items()} == {"kept": 0b101, "other": 0b10}


def test_time_that_runs_out_is_told() -> None:
    visits = tuple(visit(at, (0, 2)) for at in range(3))
    assert place(Problem(visits=visits, counter_count=2), seconds=0) is None


def test_who_can_stay_stays() -> None:
    visits = [visit(0, (0, 2), counter=1), visit(1, (0, 2), counter=0), visit(2, (0, 2), counter=0)]
    placement = place(Problem(visits=tuple(visits), counter_count=2), seconds=60)
    assert placement is not None
    assert {name: seat.counter for name, seat in placement.seats.items()} == {"0": 1, "1": 0}
    assert placement.stranded == ("2",)
