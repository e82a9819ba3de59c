"""Small offices to be planned, as tests need them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import strategies as st

from rdv.engine.roster.plan import Budget
from rdv.engine.roster.values import (
    Demand,
    RosterAgent,
    RosterCounter,
    RosterInstance,
    RosterRules,
    Shift,
)

MONDAY = date(2027, 3, 1)
MORNING = ((540, 720),)
SHORT = RosterRules(block_minutes=60, shortest_minutes=60, longest_minutes=180, break_minutes=60)
SOON = Budget(seconds=20, rounds=3, workers=1)


def agent(name: str = "ann", ranges: Any = MORNING, days: tuple[date, ...] = (MONDAY,), **limits: Any) -> RosterAgent:
    return RosterAgent(id=name, presence=dict.fromkeys(days, ranges), **limits)


def counter(
    name: str = "c1", ranges: Any = MORNING, days: tuple[date, ...] = (MONDAY,), **limits: Any
) -> RosterCounter:
    return RosterCounter(id=name, openings=dict.fromkeys(days, ranges), **limits)


def wanted(minutes: Mapping[int, int], reason: str = "tax", day: date = MONDAY) -> tuple[Demand, ...]:
    return tuple(Demand(date=day, start_minute=at, reason=reason, minutes=many) for at, many in minutes.items())


def office(
    *agents: RosterAgent, counters: tuple[RosterCounter, ...] = (counter(),), demand: Any = (), **more: Any
) -> RosterInstance:
    return RosterInstance(
        agents=agents,
        counters=counters,
        demand=demand or wanted({540: 60, 600: 60, 660: 60}),
        **{"rules": SHORT, **more},
    )


SKILLS = st.sampled_from([None, frozenset({"tax"}), frozenset({"land"})])
HOURS = st.sampled_from([MORNING, ((540, 660),), ((600, 720),), ()])


@st.composite
def tiny(draw: st.DrawFn) -> RosterInstance:
    people = [
        agent(
            name,
            draw(HOURS),
            reasons=draw(SKILLS),
            counters=draw(st.sampled_from([None, frozenset({"c1"})])),
            preferred=draw(st.sampled_from([frozenset(), frozenset({"c1"})])),
            most_minutes_a_day=draw(st.sampled_from([60, 120, 420])),
        )
        for name in ("ann", "bob")
    ]
    places = tuple(
        counter(name, draw(st.sampled_from([MORNING, ((540, 660),)])), reasons=draw(SKILLS)) for name in ("c1", "c2")
    )
    amounts = st.sampled_from([0, 25, 60, 100])
    demand = tuple(
        one for reason in ("tax", "land") for one in wanted({at: draw(amounts) for at in (540, 600, 660)}, reason)
    )
    rules = replace(
        SHORT,
        shortest_minutes=draw(st.sampled_from([60, 120])),
        break_minutes=draw(st.sampled_from([0, 60])),
        least_open=draw(st.sampled_from([0, 0, 1])),
    )
    previous = draw(
        st.sampled_from([(), (Shift(date=MONDAY, start_minute=540, end_minute=660, agent="bob", counter="c1"),)])
    )
    return RosterInstance(agents=tuple(people), counters=places, demand=demand, rules=rules, previous=previous)
