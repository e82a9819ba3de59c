"""What must hold whatever the office: more never offers less, booking takes and cancelling gives back, weeks shift."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from rdv.engine.document import parse_instance
from rdv.engine.slots import Office, solve
from rdv.engine.values import Agent, Appointment, Counter, DayException, Instance, Opening
from tests.engine.random_instances import documents

BOTH = documents(agents=False) | documents(agents=True)
WEEK = timedelta(days=7)


def offers(instance: Instance) -> list[dict[datetime, int]]:
    """Return what each query is offered, with how many fit."""
    return [dict(zip(answer.starts, answer.remaining, strict=True)) for answer in solve(instance).answers]


def seated(document: dict[str, Any]) -> Instance:
    """Return an instance in which everybody can be received: otherwise more room brings more appointments back."""
    instance = parse_instance(document)
    instance = replace(instance, queries=tuple(replace(query, replacing=None) for query in instance.queries))
    stranded = solve(instance).stranded
    return replace(instance, appointments=tuple(a for a in instance.appointments if a.id not in stranded))


def none_is_lost(before: Instance, after: Instance) -> bool:
    pairs = zip(offers(before), offers(after), strict=True)
    return all(start in now and now[start] >= count for was, now in pairs for start, count in was.items())


@given(BOTH)
def test_one_more_counter_takes_no_start_away(document: dict[str, Any]) -> None:
    instance = seated(document)
    assert none_is_lost(instance, replace(instance, counters=(*instance.counters, Counter(id="new"))))


@given(documents(agents=True))
def test_one_more_agent_takes_no_start_away(document: dict[str, Any]) -> None:
    instance = seated(document)
    assert none_is_lost(instance, replace(instance, agents=(*(instance.agents or ()), Agent(id="new"))))


@given(BOTH)
def test_one_more_opening_takes_no_start_away(document: dict[str, Any]) -> None:
    instance = seated(document)
    # On a day of its own: what adjoins another opening becomes one with it, and moves the grid.
    day = max(query.to_date for query in instance.queries) + timedelta(days=2)
    more = Opening(date=day, start_minute=600, end_minute=700)
    wider = tuple(replace(query, to_date=day) for query in instance.queries)
    before = replace(instance, queries=wider)
    assert none_is_lost(before, replace(before, openings=(*before.openings, more)))


@given(BOTH, st.data())
def test_booking_adds_no_start_and_cancelling_gives_back_what_was(
    document: dict[str, Any], data: st.DataObject
) -> None:
    instance = seated(document)
    before = offers(instance)
    at = next((n for n, found in enumerate(before) if found), None)
    event("nothing is offered" if at is None else "something is booked")
    if at is None:
        return
    query = instance.queries[at]
    office = Office(instance, query.from_date, query.to_date)
    start = data.draw(st.sampled_from(sorted(before[at])))
    place = office.seat(query, start)
    assert place is not None
    # A pin without a counter binds to none; written down with one it would, and take away what there was.
    moved = tuple(
        replace(a, counter=place.moves[a.id].counter, agents=place.moves[a.id].agents)
        if a.id in place.moves and not a.pinned
        else a
        for a in instance.appointments
    )
    reason = next(r for r in instance.reasons if r.id == query.reason)
    new = Appointment(
        id="new",
        reason=query.reason,
        start=start,
        duration_minutes=reason.duration_minutes,
        buffer_minutes=reason.buffer_minutes,
        channel=query.channel,
        modality=query.modality,
        counter=place.place.counter,
        agents=place.place.agents,
    )
    booked = replace(instance, appointments=(*moved, new))
    for was, now in zip(before, offers(booked), strict=True):
        assert all(start in was and was[start] >= count for start, count in now.items())
    assert offers(replace(booked, appointments=moved)) == before


@given(BOTH)
def test_a_week_later_everything_is_a_week_later(document: dict[str, Any]) -> None:
    instance = parse_instance(document)
    first = min(query.from_date for query in instance.queries)
    # Weeks away from any change of the clocks, as in four of the seven scenes.
    if not date(2027, 2, 1) < first < date(2027, 3, 5) or instance.zone.key == "America/Miquelon":
        return
    later = [{start - WEEK: count for start, count in found.items()} for found in offers(a_week_later(instance))]
    assert later == offers(instance)


def a_week_later(instance: Instance) -> Instance:
    return replace(
        instance,
        now=instance.now + WEEK,
        openings=tuple(map(_opening, instance.openings)),
        exceptions=tuple(map(_exception, instance.exceptions)),
        closures=tuple(map(_range, instance.closures)),
        counters=tuple(map(_owner, instance.counters)),
        agents=None
        if instance.agents is None
        else tuple(replace(_owner(a), absences=tuple(map(_range, a.absences))) for a in instance.agents),
        appointments=tuple(
            replace(a, start=a.start + WEEK, expires_at=a.expires_at and a.expires_at + WEEK)
            for a in instance.appointments
        ),
        queries=tuple(replace(q, from_date=q.from_date + WEEK, to_date=q.to_date + WEEK) for q in instance.queries),
    )


def _owner(owner: Any) -> Any:
    openings, exceptions = tuple(map(_opening, owner.openings)), tuple(map(_exception, owner.exceptions))
    return replace(owner, openings=openings, exceptions=exceptions)


def _opening(opening: Opening) -> Opening:
    return replace(opening, date=opening.date and opening.date + WEEK)


def _exception(exception: DayException) -> DayException:
    return replace(exception, date=exception.date + WEEK)


def _range(wall: Any) -> Any:
    return replace(wall, from_date=wall.from_date + WEEK, to_date=wall.to_date + WEEK)
