"""Online detection in one series: one metric of one device. Pure.

A series has a *level* and a *variance*, exponentially weighted moving averages (Roberts 1959,
"Control chart tests based on geometric moving averages"; the incremental variance is that of
Finch 2009, "Incremental calculation of weighted mean and variance"). What lies far out is clipped
before it is averaged (Huber 1964, "Robust estimation of a location parameter"), so that a wild
reading does not poison the band. Beside them runs the *tail*, the 99 % quantile of the squared
deviation, by a multiplicative stochastic update (Yazidi & Hammer 2017, "Multiplicative update
methods for incremental quantile estimation"), which a reading moves by the same small step however
far out it lies. The band is as wide as the wider of the two says: a series whose ordinary life is
bursts gets a wide one, and a quiet quarter of an hour does not make it narrow.

Same readings, same findings, however they are split into calls.
"""

from collections.abc import Iterable

from lambdas.telemetry import detector_steps as steps
from lambdas.telemetry.detector_series import Finding, Kind, SeriesState
from lambdas.telemetry.thresholds import Thresholds

__all__ = ["Finding", "Kind", "SeriesState", "band", "observe"]


def observe(
    state: SeriesState, thresholds: Thresholds, readings: Iterable[tuple[int, float]]
) -> list[Finding]:
    """Take readings, (ms since the epoch, finite value) in order of arrival, into `state`.

    A reading older than the one before it is late: it can only be out of range, and moves neither
    band nor rate nor run. A level shift is told as a spike (or rate); after `relearn_after`
    readings outside the band it is believed: the band widens and moves at once, the anomaly ends,
    and the band is narrow again after some 5/alpha readings. Nothing is learnt while a sensor is
    stuck, and its first reading afterwards is taken for the level without a question.
    """
    findings: list[Finding] = []
    level, variance, tail = state.level, state.variance, state.tail
    last_time, last, run_value, run = state.last_time, state.last, state.run_value, state.run
    alpha, keep, shrink = thresholds.alpha, 1.0 - thresholds.alpha, steps.SHRINK
    low, high, rate = steps.limits(thresholds)
    rated, tolerance = thresholds.max_rate_per_second is not None, thresholds.stuck_tolerance
    counts, most_run = False, 0
    if thresholds.stuck_after_readings is not None:
        counts, most_run = True, thresholds.stuck_after_readings - 1
    calm = steps.is_calm(state, thresholds)
    for time, value in readings:
        deviation = value - level
        square = deviation * deviation
        # Nearly every reading has nothing wrong with it and is taken in here; `steps.weigh` does
        # the very same with it, slower, and all else.
        if (
            calm
            and square <= tail
            and time >= last_time
            and low <= value <= high
            and (not rated or abs(value - last) <= rate * (time - last_time))
            and (run < most_run or not counts or not abs(value - run_value) <= tolerance)
        ):
            if counts:
                if abs(value - run_value) <= tolerance:
                    run += 1
                else:
                    run_value = value
                    run = 1
            level += alpha * deviation
            variance = keep * (variance + alpha * square)
            tail *= shrink
            last_time = time
            last = value
            continue
        state.level, state.variance, state.tail = level, variance, tail
        state.last_time, state.last, state.run_value, state.run = last_time, last, run_value, run
        steps.weigh(state, thresholds, time, value, findings)
        level, variance, tail = state.level, state.variance, state.tail
        last_time, last, run_value, run = state.last_time, state.last, state.run_value, state.run
        calm = steps.is_calm(state, thresholds)
    state.level, state.variance, state.tail = level, variance, tail
    state.last_time, state.last, state.run_value, state.run = last_time, last, run_value, run
    return findings


def band(state: SeriesState, thresholds: Thresholds) -> tuple[float, float] | None:
    """Between what the next reading is normal; None before the end of the warm-up."""
    if state.readings < thresholds.warm_up:
        return None
    half = thresholds.z * steps.deviation(state, thresholds)
    low, high, _ = steps.limits(thresholds)
    return max(low, state.level - half), min(high, state.level + half)
