"""Sets of ticks as integers do what Python sets of ticks do."""

from hypothesis import given
from hypothesis import strategies as st

from rdv.engine import ticks

LENGTH = 70  # more than one machine word
sets = st.sets(st.integers(0, LENGTH - 1)) | st.lists(st.tuples(st.integers(0, 69), st.integers(1, 30))).map(
    lambda runs: {at for begin, length in runs for at in range(begin, min(begin + length, LENGTH))}
)
widths = st.integers(1, 40)


def bits(members: set[int]) -> int:
    return sum(1 << at for at in members)


@given(st.integers(0, LENGTH), st.integers(0, LENGTH))
def test_an_interval_is_half_open(one: int, other: int) -> None:
    begin, end = sorted((one, other))
    assert ticks.interval(begin, end) == bits(set(range(begin, end)))


@given(sets)
def test_a_mask_is_the_union_of_its_intervals(members: set[int]) -> None:
    intervals = [(at, at + 1) for at in members if at - 1 not in members]
    grown = [(begin, next(at for at in range(begin, LENGTH + 1) if at not in members)) for begin, _ in intervals]
    assert ticks.mask(grown, LENGTH) == bits(members)
    assert ticks.mask(reversed(grown), LENGTH) == bits(members)
    assert ticks.runs(bits(members)) == sorted(grown)


@given(sets)
def test_points_and_members_are_inverse(members: set[int]) -> None:
    assert ticks.points(members, LENGTH) == bits(members)
    assert ticks.members(bits(members)) == sorted(members)
    assert ticks.members(bits(members), offset=7) == [at + 7 for at in sorted(members)]


@given(sets, widths)
def test_a_dilation_keeps_where_some_of_the_width_is_inside(members: set[int], width: int) -> None:
    kept = {at for at in range(LENGTH) if set(range(at, at + width)) & members}
    assert ticks.dilate(bits(members), width) == bits(kept)


@given(sets, widths)
def test_an_erosion_keeps_where_the_whole_width_is_inside(members: set[int], width: int) -> None:
    kept = {at for at in members if set(range(at, at + width)) <= members}
    assert ticks.erode(bits(members), width) == bits(kept)


@given(sets, widths)
def test_the_erosion_of_a_complement_keeps_where_nothing_of_the_width_is_inside(members: set[int], width: int) -> None:
    free = {at for at in range(LENGTH) if not members & set(range(at, at + width))}
    assert ticks.erode(~bits(members), width) & ticks.interval(0, LENGTH) == bits(free)


@given(sets, sets, widths)
def test_a_comb_steps_from_each_anchor_while_the_set_lasts(anchors: set[int], inside: set[int], step: int) -> None:
    teeth = set()
    for anchor in anchors:
        at = anchor
        while at in inside:
            teeth.add(at)
            if not set(range(at, at + step + 1)) <= inside:
                break
            at += step
    assert ticks.comb(bits(anchors), bits(inside), step) == bits(teeth)


@given(st.lists(sets, max_size=5), st.integers(0, 6))
def test_at_least_counts_the_masks_that_contain_a_tick(masks: list[set[int]], count: int) -> None:
    every = set(range(LENGTH))
    enough = {at for at in every if sum(at in one for one in masks) >= count}
    assert ticks.at_least([bits(one) for one in masks], count, bits(every)) == bits(enough)


@given(sets.filter(bool), st.data())
def test_the_run_around_a_member_is_maximal(members: set[int], data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(sorted(members)))
    begin, end = ticks.run_around(bits(members), at)
    assert begin <= at < end
    assert set(range(begin, end)) <= members
    assert not {begin - 1, end} & members
