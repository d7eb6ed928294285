"""Trying again: as often as said, after pauses that grow and differ, and not after the last."""

import random

import pytest

from lambdas.core.patience import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, tries


def test_it_counts_the_tries_and_pauses_between_them_only() -> None:
    pauses: list[float] = []
    assert list(tries(4, pauses.append)) == [1, 2, 3, 4]
    assert len(pauses) == 3


def test_whoever_succeeds_waits_no_more() -> None:
    pauses: list[float] = []
    for number in tries(9, pauses.append):
        if number == 3:
            break
    assert len(pauses) == 2


def test_pauses_are_random_parts_of_a_time_that_doubles_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: (low, high))
    pauses: list[tuple[float, float]] = []
    list(tries(9, pauses.append))  # type: ignore[arg-type]
    assert {low for low, _ in pauses} == {0}
    longest = [high for _, high in pauses]
    assert longest[:3] == [
        FIRST_PAUSE_SECONDS * 2,
        FIRST_PAUSE_SECONDS * 4,
        FIRST_PAUSE_SECONDS * 8,
    ]
    assert longest[-1] == max(longest) == LONGEST_PAUSE_SECONDS
