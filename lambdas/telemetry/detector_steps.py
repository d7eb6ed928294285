"""One reading with all that can be wrong with it, step by step; `detectors` has the whole story."""

import math

from lambdas.telemetry.detector_series import EXCURSIONS, Finding, Kind, SeriesState
from lambdas.telemetry.thresholds import Thresholds

RANGE = EXCURSIONS.index("range")
NONE = -1

# The tail follows the 0.99 quantile: growing 99 times as fast as it shrinks, it rests where one
# reading of a hundred lies above it. 0.1 is how fast: seven readings beyond it double it, and 700
# below it halve it.
GROW = math.exp(0.1 * 0.99)
SHRINK = math.exp(-0.1 * 0.01)
TAIL = 2.5758293035489004**2  # the same quantile of a normal distribution of variance 1
MOST_GROWTH = 5
"""Steps that one anomaly may widen the tail by: the band is a third wider after it, no more."""

CLIP = 9.0
"""Squared: beyond three standard deviations a reading counts as if it were three off."""
UNCLIPPED = 8
"""The first readings, from which no deviation is known yet."""
RELATIVE_DEVIATION = 1e-3
SMALLEST_DEVIATION = 1e-9
FARTHEST = 1e150
"""Deviations are cut here, so that a square stays finite."""


def limits(thresholds: Thresholds) -> tuple[float, float, float]:
    """The lowest and highest value, and the fastest change per millisecond."""
    rate = thresholds.max_rate_per_second
    return (
        -math.inf if thresholds.low is None else thresholds.low,
        math.inf if thresholds.high is None else thresholds.high,
        math.inf if rate is None else rate / 1000,
    )


def is_calm(state: SeriesState, thresholds: Thresholds) -> bool:
    """Whether the band is learnt and no anomaly is open."""
    return (
        state.excursion == NONE
        and state.stuck_started < 0
        and state.readings >= thresholds.warm_up
        and not state.beyond
    )


def deviation(state: SeriesState, thresholds: Thresholds) -> float:
    """The standard deviation that the band is made of; above 0."""
    return max(math.sqrt(max(state.variance, state.tail / TAIL)), _smallest(state, thresholds))


def _smallest(state: SeriesState, thresholds: Thresholds) -> float:
    if thresholds.min_deviation is not None:
        return thresholds.min_deviation
    return min(max(RELATIVE_DEVIATION * abs(state.level), SMALLEST_DEVIATION), FARTHEST)


def weigh(
    state: SeriesState,
    thresholds: Thresholds,
    time: int,
    value: float,
    findings: list[Finding],
) -> None:
    """Take one reading into the state and add what it tells to the findings."""
    if time < state.last_time:
        _weigh_late(state, thresholds, time, value, findings)
        return
    released = _follow_run(state, thresholds, time, value, findings)
    if not state.readings or released:
        state.level = value
    kind: Kind | None = None
    expected, score = state.level, 0.0
    off = max(-FARTHEST, min(FARTHEST, value - state.level))
    width = deviation(state, thresholds)
    outside = state.readings >= thresholds.warm_up and abs(off) > thresholds.z * width
    low, high, rate = limits(thresholds)
    if not low <= value <= high:
        kind, (expected, score) = "range", _beyond_range(thresholds, value)
        state.range_seen = max(state.range_seen, time)
    elif not released and _is_too_fast(state, rate, time, value):
        kind, expected = "rate", state.last
        score = abs(value - state.last) / (rate * (time - state.last_time))
    elif outside:
        kind, score = "spike", abs(off) / width
    if kind != "range" and state.stuck_started < 0:
        _learn(state, thresholds, off, width, outside)
    _follow_excursion(state, thresholds, kind, time, value, expected, score, findings)
    state.last_time, state.last = time, value


def _weigh_late(
    state: SeriesState,
    thresholds: Thresholds,
    time: int,
    value: float,
    findings: list[Finding],
) -> None:
    """Only a range breach later than any known one is news: the others belong to told anomalies."""
    low, high, _ = limits(thresholds)
    if low <= value <= high or time <= state.range_seen:
        return
    state.range_seen = time
    expected, score = _beyond_range(thresholds, value)
    _follow_excursion(state, thresholds, "range", time, value, expected, score, findings)


def _follow_run(
    state: SeriesState,
    thresholds: Thresholds,
    time: int,
    value: float,
    findings: list[Finding],
) -> bool:
    """Count equal readings; whether this one ends a run that was told as stuck."""
    most = thresholds.stuck_after_readings
    told = state.stuck_started >= 0
    if most is None:
        _end_stuck(state, time, value, findings)
        return told
    released = False
    if state.run and abs(value - state.run_value) <= thresholds.stuck_tolerance:
        state.run = min(state.run + 1, most)
    else:
        released = told and state.run >= most
        state.run_value, state.run = value, 1
    if state.run < most:
        state.moving += told
        if state.moving >= thresholds.clear_after:
            _end_stuck(state, time, value, findings)
        return released
    state.moving = 0
    if not told:
        state.stuck_started = time
        findings.append(Finding("stuck", time, value, None, 1.0, started=time))
    return False


def _end_stuck(state: SeriesState, time: int, value: float, findings: list[Finding]) -> None:
    if state.stuck_started >= 0:
        findings.append(Finding("stuck", time, value, None, 0.0, True, state.stuck_started))
    state.stuck_started, state.moving = -1, 0


def _is_too_fast(state: SeriesState, rate: float, time: int, value: float) -> bool:
    if state.last_time < 0 or time == state.last_time:
        return False
    return abs(value - state.last) > rate * (time - state.last_time)


def _beyond_range(thresholds: Thresholds, value: float) -> tuple[float, float]:
    """The limit that a value broke, and by how much."""
    low, high = thresholds.low, thresholds.high
    limit = low if low is not None and value < low else high
    assert limit is not None
    span = high - low if low is not None and high is not None else max(abs(limit), 1.0)
    return limit, abs(value - limit) / span


def _learn(
    state: SeriesState, thresholds: Thresholds, off: float, width: float, outside: bool
) -> None:
    """Move level, variance and tail; not for what is outside the band, until it is believed."""
    square = off * off
    alpha = thresholds.alpha
    if warms_up := state.readings < thresholds.warm_up:
        state.readings += 1
        alpha = 1 / state.readings
    elif square <= state.tail:
        state.tail *= SHRINK
    elif state.beyond < MOST_GROWTH:
        state.tail = max(state.tail, _smallest(state, thresholds) ** 2) * GROW
    if outside:
        state.beyond += 1
        if state.beyond <= thresholds.relearn_after:
            return
    else:
        state.beyond = 0
        most = CLIP * width * width
        if square > most and not (warms_up and state.readings <= UNCLIPPED):
            square, off = most, math.copysign(math.sqrt(most), off)
    state.level += alpha * off
    state.variance = (1.0 - alpha) * (state.variance + alpha * square)
    if warms_up:
        state.tail = TAIL * state.variance


def _follow_excursion(
    state: SeriesState,
    thresholds: Thresholds,
    kind: Kind | None,
    time: int,
    value: float,
    expected: float,
    score: float,
    findings: list[Finding],
) -> None:
    """Open, keep or end the one anomaly; only a range breach takes over from another kind."""
    if kind is None:
        state.normal += state.excursion != NONE
        if state.normal >= thresholds.clear_after:
            _end_excursion(state, time, value, findings)
        return
    state.normal = 0
    code = EXCURSIONS.index(kind)
    if state.excursion == code or (state.excursion != NONE and code != RANGE):
        return
    _end_excursion(state, time, value, findings)
    state.excursion, state.excursion_started = code, time
    findings.append(Finding(kind, time, value, expected, score, started=time))


def _end_excursion(state: SeriesState, time: int, value: float, findings: list[Finding]) -> None:
    if state.excursion != NONE:
        kind, started = EXCURSIONS[state.excursion], state.excursion_started
        findings.append(Finding(kind, time, value, None, 0.0, True, started))
    state.excursion, state.excursion_started, state.normal = NONE, -1, 0
