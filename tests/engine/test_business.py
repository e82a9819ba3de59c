"""An office's business at random: hold, confirm, move, cancel, let expire, close, be absent; each step leaves it right.

The engine is used as a server uses it: each situation is compiled from the one before. What it answers must be what
brute force finds, the plan must pass the referee (every result of these tests does), and pins stay.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rdv.engine.referee import minute_of
from rdv.engine.slots import Office
from rdv.engine.values import (
    Agent,
    Appointment,
    Closure,
    Counter,
    Instance,
    Opening,
    Query,
    Reason,
    Rules,
    Status,
    WallRange,
)
from tests.engine.slot_oracle import Oracle

ZONE = ZoneInfo("Europe/Paris")
DAY = date(2027, 3, 2)
MOST = 5  # appointments at a time: brute force tries every plan
QUERIES = tuple(Query(reason=reason, from_date=DAY, to_date=DAY) for reason in ("short", "long"))
RANGES = st.tuples(st.integers(0, 3), st.integers(1, 2)).map(lambda r: (540 + 15 * r[0], 540 + 15 * (r[0] + r[1])))


class Business(RuleBasedStateMachine):
    """One office on one morning."""

    @initialize(agents=st.sampled_from([None, 2, 3]), tied=st.booleans(), exposed=st.booleans())
    def open_office(self, agents: int | None, tied: bool, exposed: bool) -> None:
        staff = [
            Agent(id=f"x{n}", counters=frozenset({"A", "B"}) if tied and not n else None) for n in range(agents or 0)
        ]
        self.number = 0
        self.instance = Instance(
            zone=ZONE,
            now=datetime(2027, 3, 1, 8, tzinfo=ZONE),
            rules=Rules(step_minutes=15),
            openings=(Opening(start_minute=540, end_minute=615, weekdays=frozenset({2})),),
            reasons=(
                Reason(id="short", duration_minutes=15),
                Reason(id="long", duration_minutes=30, buffer_minutes=15),
            ),
            counters=(Counter(id="A"), Counter(id="B", reasons=frozenset({"short"})), Counter(id="C", exposed=exposed)),
            agents=None if agents is None else tuple(staff),
        )
        self.office = Office(self.instance, DAY, DAY)

    def now_is(self, **changes: Any) -> None:
        self.instance = replace(self.instance, **changes)
        self.office = Office(self.instance, DAY, DAY, before=self.office)

    def seat(self, query: Query, data: st.DataObject) -> Appointment | None:
        """Seat a new appointment at an offered start, and move whoever has to move for it."""
        starts = self.office.answer(query, remaining=False).starts
        if not starts:
            return None
        start = data.draw(st.sampled_from(starts))
        seated = self.office.seat(query, start)
        assert seated is not None, "what is offered can be had"
        reason = next(r for r in self.instance.reasons if r.id == query.reason)
        others = []
        for one in self.instance.appointments:
            moved = seated.moves.get(one.id)
            assert moved is None or not one.pinned or moved.counter == one.counter, "who is pinned stays"
            others.append(one if moved is None else replace(one, counter=moved.counter, agents=moved.agents))
        self.number += 1
        self.instance = replace(self.instance, appointments=tuple(others))
        return Appointment(
            id=str(self.number),
            reason=query.reason,
            start=start,
            duration_minutes=reason.duration_minutes,
            buffer_minutes=reason.buffer_minutes,
            counter=seated.place.counter,
            agents=seated.place.agents,
        )

    def live(self) -> list[Appointment]:
        return [a for a in self.instance.appointments if a.takes_room(self.instance.now)]

    @precondition(lambda self: len(self.live()) < MOST)
    @rule(query=st.sampled_from(QUERIES), data=st.data(), pinned=st.sampled_from([False, False, True]))
    def hold(self, query: Query, data: st.DataObject, pinned: bool) -> None:
        before = self.office
        if (new := self.seat(query, data)) is not None:
            expires = self.instance.now + timedelta(minutes=10)
            new = replace(new, status=Status.HELD, expires_at=expires, pinned=pinned)
            self.now_is(appointments=(*self.instance.appointments, new))
            if not pinned and before.leaves_one_less(query, new.start):
                answer = self.office.answer(query)
                left = dict(zip(answer.starts, answer.remaining, strict=True)).get(new.start, 0)
                assert (left + 1,) == before.remaining(query, [new.start])

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.live()))
        self.exchange(chosen, replace(chosen, status=Status.BOOKED, expires_at=None))

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.live()))
        if (
            new := self.seat(Query(reason=chosen.reason, from_date=DAY, to_date=DAY, replacing=chosen.id), data)
        ) is not None:
            self.exchange(chosen, replace(new, id=chosen.id))

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.live()))
        self.exchange(chosen, replace(chosen, status=Status.CANCELLED))

    def exchange(self, old: Appointment, new: Appointment) -> None:
        self.now_is(appointments=tuple(new if a.id == old.id else a for a in self.instance.appointments))

    @rule(minutes=st.sampled_from([5, 10]))
    def wait(self, minutes: int) -> None:
        self.now_is(now=self.instance.now + timedelta(minutes=minutes))

    @rule(counters=st.sampled_from([None, frozenset({"A"}), frozenset({"B"})]), minutes=RANGES)
    def close(self, counters: frozenset[str] | None, minutes: tuple[int, int]) -> None:
        closed = Closure(from_date=DAY, from_minute=minutes[0], to_date=DAY, to_minute=minutes[1], counters=counters)
        self.now_is(closures=(closed,))

    @rule()
    def reopen(self) -> None:
        self.now_is(closures=())

    @precondition(lambda self: self.instance.agents)
    @rule(minutes=RANGES, gone=st.booleans())
    def be_absent(self, minutes: tuple[int, int], gone: bool) -> None:
        absence = WallRange(from_date=DAY, from_minute=minutes[0], to_date=DAY, to_minute=minutes[1])
        first, *others = self.instance.agents or ()
        self.now_is(agents=(replace(first, absences=(absence,) if gone else ()), *others))

    @invariant()
    def the_answers_are_what_brute_force_finds(self) -> None:
        if not hasattr(self, "instance"):
            return
        oracle = Oracle(self.instance)
        for query in QUERIES:
            answer = self.office.answer(query)
            assert dict(zip(map(minute_of, answer.starts), answer.remaining, strict=True)) == oracle.offered(query)

    @invariant()
    def the_plan_passes_the_referee_and_strands_the_fewest(self) -> None:
        if hasattr(self, "instance"):
            assert set(self.office.result().stranded) == Oracle(self.instance).stranded


TestBusiness = Business.TestCase
TestBusiness.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=10)
