"""Rollups and their sketches merge in any order into that of all readings."""

import bisect
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.telemetry import keys, rollups, sketches
from lambdas.telemetry.rollups import Rollup, merged, of_readings
from tests.unit.telemetry.reference import same

_values = st.floats(-(2.0**99), 2.0**99, width=32)
_readings = st.lists(st.tuples(st.integers(0, 500), _values), min_size=1, max_size=120)


def rollup(readings: list[tuple[int, float]]) -> Rollup:
    by_time = sorted(readings, key=lambda one: one[0])
    return of_readings([time for time, _ in by_time], [value for _, value in by_time])


@given(_readings, st.data())
def test_any_cut_merged_in_any_order_is_the_rollup_of_all(
    readings: list[tuple[int, float]], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(readings) - 1)), max_size=5)))
    parts = [readings[a:b] for a, b in pairwise([0, *cuts, len(readings)]) if a < b]
    found = None
    for part in data.draw(st.permutations(parts)):
        found = rollup(part) if found is None else merged(found, rollup(part), "minute")
    assert found is not None
    largest = max(abs(value) for _, value in readings)
    assert same(found, readings) or abs(found.sum - sum(v for _, v in readings)) <= 1e-12 * largest
    for share in (0.0, 0.5, 0.95, 1.0):
        assert found.min <= found.quantile(share) <= found.max


@given(st.lists(_values, min_size=1, max_size=sketches.EXACT))
def test_few_values_are_kept_exactly_in_whatever_order_they_came(values: list[float]) -> None:
    one = sketches.packed(values, 24)
    other = b""
    for value in reversed(values):
        other = sketches.packed([value], 24, other)
    shares = [0.0, 0.1, 0.5, 0.9, 1.0]
    assert sketches.quantiles(one, shares) == sketches.quantiles(other, shares)


@pytest.mark.parametrize(("step", "count", "error"), [("minute", 600, 0.02), ("hour", 3600, 0.01)])
@pytest.mark.parametrize("spread", ["narrow", "skewed"])
def test_percentiles_err_little_in_rank_however_small_the_pieces(
    step: rollups.Step, count: int, error: float, spread: str
) -> None:
    chance = random.Random(4)
    values = [
        chance.gauss(230, 0.3) if spread == "narrow" else chance.expovariate(0.2)
        for _ in range(count)
    ]
    found = of_readings([0], values[:1], step)
    for at in range(1, count, 7):
        piece = values[at : at + 7]
        found = merged(found, of_readings([0] * len(piece), piece, step), step)
    ordered = sorted(values)
    assert len(found.digest) < 400
    for share in (0.01, 0.05, 0.5, 0.95, 0.99):
        rank = bisect.bisect(ordered, found.quantile(share)) / count
        assert abs(rank - share) < error


def test_heavy_centroids_survive_packing() -> None:
    heavy = sketches.packed([1.0, 2.0] * 100_000, 4)
    assert sketches.quantiles(heavy, [0.25, 0.75]) == pytest.approx([1.0, 2.0], abs=0.2)
    again = sketches.merged(heavy, sketches.packed([3.0] * 50, 4), 4)
    assert sketches.quantiles(again, [1.0]) == pytest.approx([3.0], abs=1.1)


@given(st.integers(0, 4_000_000_000_000))
def test_a_window_key_leads_back_to_its_start(time_ms: int) -> None:
    start = rollups.start_of(time_ms, "minute")
    assert keys.window_start(keys.window_sk(start)) == start
