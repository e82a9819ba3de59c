from collections import Counter
from datetime import date
from random import Random

from rdv.models.reason_tree import ReasonNode
from rdv.usecases.demo_organisation import MOST_AGENTS, MOST_COUNTERS, Ids, Organisation, organise, served_branches

TODAY = date(2027, 3, 1)


def node(identity: int, parent: int | None, label: str, *, bookable: bool = False, served: bool = True) -> ReasonNode:
    return ReasonNode(
        id=identity,
        code=f"r{identity}",
        parent_id=parent,
        labels={"fr": label},
        level=1 if parent is None else 2,
        audience="INDIVIDUAL",
        duration_minutes=30,
        buffer_minutes=0,
        agents_required=1,
        modalities=("IN_PERSON",),
        bookable=bookable,
        office_kinds=frozenset({"SIP"}),
        served=served,
    )


REASONS = {
    n.id: n
    for n in (
        node(1, None, "Payer"),
        node(2, None, "Taxe foncière"),
        node(3, None, "Cadastre, mais ailleurs"),
        node(4, 1, "Un délai", bookable=True),
        node(5, 2, "Une valeur", bookable=True),
        node(6, 3, "Un plan", bookable=True, served=False),
    )
}
IDS = Ids(counters=range(10, 10 + MOST_COUNTERS), agents=range(100, 100 + MOST_AGENTS))


def organised(seed: int, *, has_openings: bool = False) -> Organisation:
    random = Random(seed)  # noqa: S311 - no secret
    return organise(7, REASONS, IDS, random, today=TODAY, has_openings=has_openings)


def test_the_same_seed_makes_the_same_office_and_another_one_another() -> None:
    assert organised(1) == organised(1)
    assert organised(1) != organised(2)


def test_only_branches_with_a_leaf_that_is_served_count() -> None:
    assert [branch.id for branch in served_branches(REASONS.values())] == [1, 2]


def test_offices_have_three_to_eight_counters() -> None:
    assert {len(organised(seed).counters) for seed in range(200)} == set(range(3, 9))


def test_the_largest_office_has_every_specialisation() -> None:
    largest = next(o for o in map(organised, range(200)) if len(o.counters) == MOST_COUNTERS)
    assert [(c.id, c.exposed, c.reason_ids, c.channels, c.modalities) for c in largest.counters] == [
        (10, True, None, None, ["IN_PERSON"]),
        (11, True, [2], None, None),
        (12, True, None, None, ["PHONE", "VIDEO"]),
        (13, True, None, None, None),
        (14, True, None, ["OFFICE"], None),
        (15, False, None, None, None),
        (16, True, None, None, None),
        (17, True, None, None, None),
    ]


def test_about_a_third_of_the_offices_has_agents() -> None:
    assert Counter(organised(seed).staffed for seed in range(300)) == {False: 203, True: 97}


def test_a_staffed_office_has_an_agent_more_than_counters_and_the_others_none() -> None:
    for office in map(organised, range(50)):
        assert len(office.agents) == (len(office.counters) + 1 if office.staffed else 0)


def test_one_agent_in_three_knows_half_of_the_branches() -> None:
    largest = next(o for o in map(organised, range(200)) if len(o.agents) == MOST_AGENTS)
    assert [agent.reason_ids is None for agent in largest.agents] == [True, True, False] * 3
    assert all(agent.reason_ids in (None, [1], [2]) for agent in largest.agents)


def test_agents_have_names_of_nobody() -> None:
    largest = next(o for o in map(organised, range(200)) if len(o.agents) == MOST_AGENTS)
    assert [name[:6] + name[7:] for name in (a.display_name for a in largest.agents)] == [
        f"Agent . {number:02}" for number in range(1, 10)
    ]


def test_the_first_agent_is_away_on_one_coming_day() -> None:
    for office in map(organised, range(50)):
        absences = [c for c in office.closures if c.agent_id is not None]
        assert [c.agent_id for c in absences] == ([100] if office.staffed else [])


def test_one_day_differs_and_the_first_counter_is_closed_on_another() -> None:
    office = organised(1)
    [odd] = office.exceptions
    [closed, *_] = office.closures
    assert (odd.start_minute, odd.end_minute) == (13 * 60 + 30, 15 * 60)
    assert closed.counter_ids == [10]
    assert (closed.from_date, closed.from_minute) == (closed.to_date, 0)
    assert len({odd.on_date, closed.from_date}) == 2
    assert all(0 < (day - TODAY).days < 30 and day.isoweekday() <= 5 for day in (odd.on_date, closed.from_date))


def test_hours_are_given_only_to_an_office_without_any() -> None:
    assert [o for o in organised(1, has_openings=True).openings if o.agent_id is None] == []
    morning, afternoon = (o for o in organised(1).openings if o.agent_id is None)
    assert (morning.start_minute, morning.end_minute) == (8 * 60 + 30, 12 * 60)
    assert (afternoon.start_minute, afternoon.end_minute) == (13 * 60 + 30, 16 * 60)
    assert len(afternoon.weekdays) == 4
    assert set(morning.weekdays) < set(afternoon.weekdays)


def test_an_office_that_serves_nothing_is_organised_all_the_same() -> None:
    random = Random(3)  # noqa: S311 - no secret
    office = organise(7, {}, IDS, random, today=TODAY, has_openings=False)
    assert office.counters[1].reason_ids is None
