"""What holds for any readings and any thresholds."""

import itertools
import math
import random
from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lambdas.telemetry import detector_steps
from lambdas.telemetry.detectors import Finding, SeriesState, band, observe
from lambdas.telemetry.records import MAX_VALUE
from lambdas.telemetry.thresholds import Thresholds

Readings = list[tuple[int, float]]

# Coarse values make equal ones, jumps and returns likely; the odd ones come as they like.
VALUES = st.one_of(
    st.integers(-4, 4).map(float),
    st.floats(19, 21).map(lambda value: round(value, 2)),
    st.floats(-MAX_VALUE, MAX_VALUE),
)
STEPS = st.sampled_from([0, 1, 1000, 1000, 1000, 60_000, -1, -5000])
READINGS = st.lists(st.tuples(STEPS, VALUES), max_size=120)
THRESHOLDS = st.builds(
    Thresholds,
    z=st.sampled_from([3.0, 6.0]),
    alpha=st.sampled_from([0.01, 0.05, 0.3, 1.0]),
    warm_up=st.sampled_from([1, 5, 30]),
    min_deviation=st.sampled_from([None, 0.01, 1.0]),
    low=st.sampled_from([None, -3.0]),
    high=st.sampled_from([None, 20.5]),
    max_rate_per_second=st.sampled_from([None, 0.5, 5.0]),
    stuck_after_readings=st.sampled_from([None, 2, 4]),
    stuck_tolerance=st.sampled_from([0.0, 0.5]),
    clear_after=st.sampled_from([1, 3]),
    relearn_after=st.sampled_from([1, 6]),
)


def timed(steps: list[tuple[int, float]]) -> Readings:
    now, readings = 1_763_706_000_000, []
    for step, value in steps:
        now += step
        readings.append((now, value))
    return readings


def step_by_step(state: SeriesState, thresholds: Thresholds, readings: Readings) -> list[Finding]:
    """The plain way: every reading takes every step."""
    findings: list[Finding] = []
    for time, value in readings:
        detector_steps.weigh(state, thresholds, time, value, findings)
    return findings


@given(READINGS, THRESHOLDS, st.lists(st.integers(0, 120), max_size=6))
def test_the_same_readings_tell_the_same_however_they_are_split_and_stored_between(
    steps: list[tuple[int, float]], thresholds: Thresholds, cuts: list[int]
) -> None:
    readings, whole = timed(steps), SeriesState()
    told = observe(whole, thresholds, readings)
    state, parts = SeriesState(), []
    edges = [0, *sorted(cuts), len(readings)]
    for begin, end in itertools.pairwise(edges):
        parts += observe(state, thresholds, readings[begin:end])
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=SeriesState)
    assert parts == told
    assert state == whole


@given(READINGS, THRESHOLDS)
def test_the_fast_way_and_the_plain_way_are_the_same_to_the_last_bit(
    steps: list[tuple[int, float]], thresholds: Thresholds
) -> None:
    readings, fast, plain = timed(steps), SeriesState(), SeriesState()
    assert observe(fast, thresholds, readings) == step_by_step(plain, thresholds, readings)
    assert fast == plain


@given(READINGS, THRESHOLDS)
def test_begins_and_ends_alternate_and_an_end_names_its_begin(
    steps: list[tuple[int, float]], thresholds: Thresholds
) -> None:
    open_: dict[str, int] = {}
    for finding in observe(SeriesState(), thresholds, timed(steps)):
        if finding.ended:
            assert open_.pop(finding.kind) == finding.started
        else:
            assert finding.kind not in open_
            assert finding.started == finding.time
            open_[finding.kind] = finding.started
        # A jump is one anomaly, whatever it is called.
        assert Counter(kind != "stuck" for kind in open_)[True] <= 1


@given(READINGS, THRESHOLDS)
def test_the_state_stays_finite_and_small(
    steps: list[tuple[int, float]], thresholds: Thresholds
) -> None:
    state = SeriesState()
    findings = observe(state, thresholds, timed(steps))
    for number in (state.level, state.variance, state.tail, *(f.score for f in findings)):
        assert math.isfinite(number)
    assert state.variance >= 0
    assert len(msgspec.msgpack.encode(state)) <= 150
    edges = band(state, thresholds)
    assert edges is None or edges[0] <= edges[1]


@given(st.integers(0, 9999), st.floats(-1e6, 1e6))
def test_findings_do_not_depend_on_where_the_zero_of_the_scale_is(seed: int, zero: float) -> None:
    rng = random.Random(seed)
    noise = [rng.uniform(-3, 3) for _ in range(300)]
    thresholds = Thresholds(min_deviation=0.5)
    values = [*noise, 40.0, *noise[:50]]
    here = observe(SeriesState(), thresholds, timed([(1000, v) for v in values]))
    there = observe(SeriesState(), thresholds, timed([(1000, zero + v) for v in values]))
    assert [(f.kind, f.time) for f in here] == [(f.kind, f.time) for f in there]
    assert [f.kind for f in here if not f.ended][-1] == "spike"
