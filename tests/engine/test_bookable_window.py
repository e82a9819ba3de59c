"""The clock changes an answer exactly when the window of what may be booked moves."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdv.engine.slots import Office
from rdv.engine.values import Counter, Instance, Opening, Policy, Query, Reason, Rules

ZONES = ("Europe/Paris", "America/Miquelon", "Pacific/Noumea")
FIRST = date(2027, 3, 26)  # the clocks change on the 28th in Europe
ALWAYS = Opening(start_minute=0, end_minute=1440, weekdays=frozenset(range(1, 8)))


def office(
    zone: str = "Europe/Paris", *, lead: int = 0, days: int | None = None, policy: Policy = Policy.ALL
) -> Office:
    rules = Rules(step_minutes=15, min_lead_minutes=lead, max_lead_days=days, policy=policy)
    instance = Instance(
        zone=ZoneInfo(zone),
        now=datetime(2027, 3, 26, tzinfo=ZoneInfo(zone)),
        rules=rules,
        openings=(ALWAYS,),
        reasons=(Reason(id="short", duration_minutes=15),),
        counters=(Counter(id="A"),),
    )
    return Office(instance, FIRST, FIRST + timedelta(days=5))


def query(first: int, last: int) -> Query:
    return Query(reason="short", from_date=FIRST + timedelta(days=first), to_date=FIRST + timedelta(days=last))


@given(
    st.builds(
        office,
        st.sampled_from(ZONES),
        lead=st.sampled_from([0, 7, 60, 3_000]),
        days=st.sampled_from([None, 0, 1, 3]),
        policy=st.sampled_from(Policy),
    ),
    st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda asked: query(*sorted(asked))),
    st.integers(-200_000, 600_000).map(lambda seconds: timedelta(seconds=seconds)),
)
def test_a_window_stays_until_the_moment_that_is_told_and_moves_then(
    one: Office, wanted: Query, later: timedelta
) -> None:
    now = one.instance.now + later
    until = one.bookable_until(wanted, now)
    window = one.bookable_window(wanted, now)
    last = until - datetime.resolution if until else now + timedelta(days=400)
    assert last >= now
    for moment in (now + (last - now) / 2, last):
        assert one.bookable_window(wanted, moment) == window
        assert one.answer(wanted, now=moment, explain=True) == one.answer(wanted, now=now, explain=True)
    if until is not None and window[0] < window[1]:
        assert one.bookable_window(wanted, until) != window


@pytest.mark.parametrize(
    ("lead", "days", "asked", "until"),
    [
        (0, None, (1, 2), "2027-03-27T00:00:00.000001+01:00"),
        (60, None, (1, 2), "2027-03-26T23:00:00.000001+01:00"),
        (60, None, (0, 2), "2027-03-26T08:00:00.000001+01:00"),
        (0, 1, (1, 2), "2027-03-27T00:00:00+01:00"),
    ],
)
def test_days_to_come_stay_as_they_are_until_it_is_too_late_for_one_or_another_comes_within_reach(
    lead: int, days: int | None, asked: tuple[int, int], until: str
) -> None:
    now = datetime(2027, 3, 26, 7, 56, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert office(lead=lead, days=days).bookable_until(query(*asked), now) == datetime.fromisoformat(until)
