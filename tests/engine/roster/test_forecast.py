"""What to expect: weighted averages of past weeks by weekday and block."""

from datetime import date, timedelta

from rdv.engine.roster.forecast import beyond, forecast, past_days
from rdv.engine.roster.values import Demand, Visit

MONDAY = date(2027, 3, 1)


def visit(day: date, start: int = 540, minutes: int = 30, reason: str = "tax") -> Visit:
    return Visit(date=day, start_minute=start, end_minute=start + minutes, reason=reason)


def mondays(count: int) -> list[date]:
    return [MONDAY - timedelta(days=7 * n) for n in range(1, count + 1)]


def test_a_day_is_expected_to_be_like_the_same_weekday_before() -> None:
    past = mondays(3)
    found = forecast([visit(day) for day in past], past, [MONDAY], block_minutes=30)
    assert found == (Demand(date=MONDAY, start_minute=540, reason="tax", minutes=30),)


def test_a_visit_over_two_blocks_counts_in_both() -> None:
    past = mondays(1)
    found = forecast([visit(past[0], start=555)], past, [MONDAY], block_minutes=30)
    assert [(one.start_minute, one.minutes) for one in found] == [(540, 15), (570, 15)]


def test_the_latest_weeks_count_more() -> None:
    past = mondays(2)
    [latest] = forecast([visit(past[0], minutes=60)], past, [MONDAY], block_minutes=60)
    [older] = forecast([visit(past[1], minutes=60)], past, [MONDAY], block_minutes=60)
    assert latest.minutes == 32  # 60 / (1 + 0.9)
    assert older.minutes == 28  # 60 · 0.9 / (1 + 0.9)


def test_days_without_an_opening_do_not_lower_what_is_expected() -> None:
    past = mondays(4)
    found = forecast([visit(day) for day in past[:2]], past[:2], [MONDAY], block_minutes=30)
    assert [one.minutes for one in found] == [30]


def test_a_weekday_without_a_past_is_like_the_average_day() -> None:
    past = mondays(1)
    tuesday = MONDAY + timedelta(days=1)
    [one] = forecast([visit(past[0])], past, [tuesday], block_minutes=30)
    assert (one.date, one.minutes) == (tuesday, 30)


def test_nothing_is_expected_without_a_past() -> None:
    assert forecast([], [], [MONDAY], block_minutes=30) == ()


def test_whole_weeks_before_today_are_looked_at() -> None:
    assert past_days(MONDAY, 1) == [MONDAY - timedelta(days=n) for n in range(7, 0, -1)]


def test_what_is_booked_is_taken_off_what_is_expected() -> None:
    expected = [
        Demand(date=MONDAY, start_minute=540, reason="tax", minutes=75),
        Demand(date=MONDAY, start_minute=570, reason="tax", minutes=30),
        Demand(date=MONDAY, start_minute=540, reason="land", minutes=20),
    ]
    left = beyond(expected, [visit(MONDAY), visit(MONDAY)], block_minutes=30)
    assert [(one.reason, one.minutes) for one in left] == [("tax", 15), ("tax", 30), ("land", 20)]
