"""Which records are duplicates: every number once, until a counter starts again."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lambdas.telemetry.seen import RANGES, Epoch, all_new, is_new

_numbers = st.lists(st.integers(0, 60), min_size=1, max_size=80)


@given(_numbers)
def test_a_number_is_new_once_in_whatever_order(numbers: list[int]) -> None:
    epochs: list[Epoch] = []
    seen: set[int] = set()
    for number in numbers:  # all of one moment, so that no counter seems to start again
        assert is_new(epochs, number, 1000, 1000) == (number not in seen)
        seen.add(number)
    (epoch,) = epochs
    pairs = list(zip(epoch.ranges[::2], epoch.ranges[1::2], strict=True))
    assert [n for low, high in pairs for n in range(low, high + 1)] == sorted(seen)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(pairs))


@given(_numbers, _numbers)
def test_taking_many_at_once_is_taking_each(before: list[int], numbers: list[int]) -> None:
    one: list[Epoch] = []
    other: list[Epoch] = []
    for number in before:
        is_new(one, number, 1000, 1000)
        is_new(other, number, 1000, 1000)
    rising = sorted({max(before) + 1 + number for number in numbers})
    assert all_new(one, rising, 1000)
    assert all(is_new(other, number, 1000, 1000) for number in rising)
    assert [epoch.ranges for epoch in one] == [epoch.ranges for epoch in other]


@given(_numbers, _numbers)
def test_what_does_not_rise_is_not_taken_at_once(before: list[int], numbers: list[int]) -> None:
    epochs: list[Epoch] = []
    for number in before:
        is_new(epochs, number, 1000, 1000)
    known = list(epochs[0].ranges)
    if min(numbers) <= max(before) or sorted(set(numbers)) != numbers:
        assert not all_new(epochs, numbers, 1000)
        assert epochs[0].ranges == known


def test_with_too_many_gaps_the_oldest_is_given_up() -> None:
    epochs: list[Epoch] = []
    for number in range(0, 4 * RANGES, 2):
        assert is_new(epochs, number, 1000, 1000)
    assert len(epochs[0].ranges) == 2 * RANGES
    assert not is_new(epochs, 1, 1000, 1000)  # the gap that was given up
    assert is_new(epochs, 4 * RANGES - 3, 1000, 1000)


def test_a_counter_that_starts_again_is_believed_and_the_old_one_is_still_known() -> None:
    epochs: list[Epoch] = []
    assert all(is_new(epochs, n, 1000 + n, 1000 + n - 1) for n in range(100))
    assert not is_new(epochs, 5, 1005, 1099)  # the same record again
    assert is_new(epochs, 0, 5000, 1099)  # the device was switched off and on
    assert is_new(epochs, 1, 5001, 5000)
    assert not is_new(epochs, 1, 5001, 5001)
    assert not is_new(epochs, 50, 1050, 5001)  # late, from before
    assert is_new(epochs, 100, 1100, 5001)  # late, and never seen
