"""Wall-clock rules become the instants that a walk through the days, minute by minute, finds."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdv.engine.calendar import EPOCH, Calendar, WallClock, merged, open_intervals, wall_interval
from rdv.engine.values import DayException, Opening, WallRange

# The last ones change their clocks at midnight, by half an hour, or left a whole day out (Samoa, 2011-12-30).
ZONES = (
    "Europe/Paris",
    "America/Miquelon",
    "Pacific/Noumea",
    "America/Guadeloupe",
    "America/Cayenne",
    "Indian/Reunion",
    "Indian/Mayotte",
    "Pacific/Tahiti",
    "Pacific/Marquesas",
    "America/Sao_Paulo",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
CHANGES = (
    date(2026, 10, 25),
    date(2027, 3, 28),
    date(2027, 3, 14),
    date(2026, 11, 1),
    date(2017, 10, 15),
    date(2018, 2, 18),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2011, 12, 30),
)
days = st.sampled_from(CHANGES).flatmap(lambda day: st.integers(-2, 2).map(lambda n: day + timedelta(days=n)))
minutes = st.integers(0, 1440)
ranges = st.tuples(minutes, minutes).map(sorted).filter(lambda pair: pair[0] < pair[1]).map(tuple)
hours = st.sampled_from([(0, 1440), (0, 60), (1380, 1440), (540, 720), (90, 210), (120, 180)]) | ranges


def minute_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(minutes=1)


def first_showing(zone: str, day: date, minute: int) -> int:
    """Return the first minute at which the clocks show a wall-clock time or, if none does, have passed it."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 - wall-clock time
    about = minute_of(wall.replace(tzinfo=UTC))
    shown = [
        (at, (EPOCH + timedelta(minutes=at)).astimezone(ZoneInfo(zone)).replace(tzinfo=None))
        for at in range(about - 1500, about + 1500)
    ]
    exact = [at for at, local in shown if local == wall]
    return exact[0] if exact else next(at for at, local in shown if local >= wall)


@given(st.sampled_from(ZONES), days, minutes)
def test_a_wall_clock_time_means_the_first_minute_that_shows_it(zone: str, day: date, minute: int) -> None:
    assert WallClock(ZoneInfo(zone)).instant(day.toordinal(), minute) == first_showing(zone, day, minute)


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("Europe/Paris", "2027-03-27T09:00", "2027-03-27T08:00Z"),
        ("Europe/Paris", "2027-03-28T02:30", "2027-03-28T01:00Z"),  # the gap of spring
        ("Europe/Paris", "2026-10-25T02:30", "2026-10-25T00:30Z"),  # the first of two
        ("America/Miquelon", "2027-03-14T02:30", "2027-03-14T05:00Z"),
        ("America/Miquelon", "2026-11-01T01:30", "2026-11-01T03:30Z"),
        ("Pacific/Noumea", "2027-03-28T02:30", "2027-03-27T15:30Z"),  # no change of the clocks
        ("Pacific/Marquesas", "2027-03-28T00:00", "2027-03-28T09:30Z"),
        ("America/Sao_Paulo", "2017-10-15T00:00", "2017-10-15T03:00Z"),  # midnight is left out
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00Z"),  # the day is left out
    ],
)
def test_known_wall_clock_times(zone: str, wall: str, instant: str) -> None:
    moment = datetime.fromisoformat(wall)
    found = WallClock(ZoneInfo(zone)).instant(moment.toordinal(), 60 * moment.hour + moment.minute)
    assert found == minute_of(datetime.fromisoformat(instant))


@st.composite
def openings(draw: st.DrawFn) -> Opening:
    start, end = draw(hours)
    if draw(st.booleans()):
        return Opening(start_minute=start, end_minute=end, date=draw(days))
    begin = draw(st.none() | days)
    return Opening(
        start_minute=start,
        end_minute=end,
        weekdays=draw(st.frozensets(st.integers(1, 7), min_size=1)),
        from_date=begin,
        until_date=draw(st.none() | days),
        every_weeks=1 if begin is None else draw(st.sampled_from([1, 2, 3])),
        nth_of_month=draw(st.none() | st.frozensets(st.sampled_from([1, 2, 3, 4, 5, -1, -2]))),
    )


exceptions = st.builds(
    lambda day, openings: DayException(date=day, ranges=tuple(openings)), days, st.lists(hours, max_size=2)
)


@given(
    st.sampled_from(ZONES),
    days,
    st.lists(openings(), max_size=4),
    st.lists(exceptions, max_size=2),
    st.lists(exceptions, max_size=2),
)
def test_open_intervals_are_those_of_a_walk_through_the_days(
    zone: str, first: date, rules: list[Opening], own: list[DayException], general: list[DayException]
) -> None:
    calendar = Calendar(tuple(rules), tuple(own), tuple(general))
    last = first + timedelta(days=2)
    clock = WallClock(ZoneInfo(zone))
    found = open_intervals(calendar, clock, first.toordinal(), last.toordinal())
    walked = {at for day in around(first, last, 10) for at in open_minutes(zone, calendar, day)}
    begin, end = first_showing(zone, first, 0), first_showing(zone, last, 1440)
    assert {at for low, high in found for at in range(max(low, begin), min(high, end))} == {
        at for at in walked if begin <= at < end
    }
    assert all(low - 1 not in walked for low, _ in found if low > begin - 9 * 1440)
    assert found == merged(found)


def around(first: date, last: date, margin: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(-margin, (last - first).days + margin + 1)]


def open_minutes(zone: str, calendar: Calendar, day: date) -> set[int]:
    own = [e for e in calendar.own if e.date == day] or [e for e in calendar.fallback if e.date == day]
    given = [(o.start_minute, o.end_minute) for o in calendar.openings if o.date == day]
    if own:
        given += [one for exception in own for one in exception.ranges]
    else:
        given += [(o.start_minute, o.end_minute) for o in calendar.openings if o.date is None and takes_place(o, day)]
    return {at for start, end in given for at in range(first_showing(zone, day, start), first_showing(zone, day, end))}


def takes_place(opening: Opening, day: date) -> bool:
    begin = opening.from_date
    if begin is not None:
        monday = begin - timedelta(days=begin.isoweekday() - 1)
        if day < begin or (day - monday).days // 7 % opening.every_weeks:
            return False
    if opening.until_date is not None and day > opening.until_date:
        return False
    month = [day.replace(day=1) + timedelta(days=n) for n in range(31)]
    alike = [one for one in month if one.month == day.month and one.weekday() == day.weekday()]
    nth = {alike.index(day) + 1, alike.index(day) - len(alike)}
    return day.isoweekday() in opening.weekdays and (opening.nth_of_month is None or bool(nth & opening.nth_of_month))


def test_an_office_that_never_closes_has_its_beginning_where_it_began() -> None:
    always = Opening(start_minute=0, end_minute=1440, weekdays=frozenset(range(1, 8)), from_date=date(2027, 1, 1))
    clock = WallClock(ZoneInfo("Europe/Paris"))
    first = date(2027, 3, 2).toordinal()
    ((begin, end),) = open_intervals(Calendar((always,)), clock, first, first)
    assert begin == minute_of(datetime.fromisoformat("2027-01-01T00:00+01:00"))
    assert end == minute_of(datetime.fromisoformat("2027-03-03T00:00+01:00"))


@given(st.sampled_from(ZONES), days, minutes, days, minutes)
def test_a_wall_clock_range_is_cut_to_the_days_asked_for(
    zone: str, begin: date, start: int, until: date, end: int
) -> None:
    if (begin, start) >= (until, end):
        begin, start, until, end = until, end, begin, start
    if (begin, start) == (until, end):
        return
    wall = WallRange(from_date=begin, from_minute=start, to_date=until, to_minute=end)
    clock, first = WallClock(ZoneInfo(zone)), begin.toordinal()
    low, high = wall_interval(wall, clock, first, first + 1)
    whole = range(first_showing(zone, begin, start), first_showing(zone, until, end))
    shown = range(first_showing(zone, begin, 0), first_showing(zone, begin + timedelta(days=1), 1440))
    assert set(range(low, high)) == set(whole) & set(shown)
