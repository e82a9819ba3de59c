from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdv.schema.scalars import instant, instants

WINTER, SUMMER = (timezone(timedelta(hours=hours)) for hours in (1, 2))
EVENING = datetime(2027, 3, 27, 23, 30, tzinfo=WINTER)


@given(
    st.integers(0, 50_000_000),
    st.lists(st.integers(0, 2_000), max_size=5).map(sorted),
    st.integers(-14 * 60, 14 * 60),
)
def test_many_instants_are_written_as_each_is(first: int, minutes: list[int], offset: int) -> None:
    start = datetime.fromtimestamp(first * 60, timezone(timedelta(minutes=offset)))
    moments = [start + timedelta(minutes=later) for later in minutes]
    assert instants(moments) == [instant(moment) for moment in moments]


@pytest.mark.parametrize(
    "moments",
    [
        [],
        [EVENING, EVENING + timedelta(hours=1)],
        [datetime(2027, 3, 28, 1, 45, tzinfo=WINTER), datetime(2027, 3, 28, 3, 0, tzinfo=SUMMER)],
        [datetime(2027, 3, 28, 1, 45, tzinfo=UTC)],
    ],
    ids=["none", "over midnight", "a clock change", "UTC"],
)
def test_instants_of_several_days_or_offsets_are_written_as_each_is(moments: list[datetime]) -> None:
    assert instants(moments) == [instant(moment) for moment in moments]
