"""What the detectors tell: once at the begin of an anomaly, once at its end, and nothing else."""

import random

import pytest

from lambdas.telemetry.detectors import Finding, SeriesState, band, observe
from lambdas.telemetry.thresholds import Thresholds

SECOND = 1000
NOW = 1_763_706_000_000


class Series:
    """A sensor at 20 with a deviation of 1, a reading a second, and what is told of it."""

    def __init__(self, thresholds: Thresholds | None = None, calm: int = 100) -> None:
        self.thresholds = thresholds or Thresholds()
        self.state = SeriesState()
        self.told: list[Finding] = []
        self._rng = random.Random(7)
        self._time = NOW
        self.calm(calm)
        assert self.told == []

    def read(self, *values: float) -> list[Finding]:
        """Readings in order; what they tell."""
        found = []
        for value in values:
            self._time += SECOND
            found += observe(self.state, self.thresholds, [(self._time, value)])
        self.told += found
        return found

    def calm(self, count: int, level: float = 20.0) -> list[Finding]:
        return self.read(*(level + self._rng.gauss(0, 1) for _ in range(count)))

    def late(self, seconds: float, value: float) -> list[Finding]:
        reading = (self._time - int(seconds * SECOND), value)
        return observe(self.state, self.thresholds, [reading])


def kinds(found: list[Finding]) -> list[str]:
    return [f"{finding.kind} ends" if finding.ended else finding.kind for finding in found]


def test_an_ordinary_life_tells_nothing_and_the_band_holds_it() -> None:
    series = Series(calm=20_000)
    edges = band(series.state, series.thresholds)
    assert edges is not None
    assert 11 < edges[0] < 16
    assert 24 < edges[1] < 29


def test_a_spike_is_told_once_with_what_was_expected_and_ends_after_calm() -> None:
    series = Series()
    (begin,) = series.read(60, 61, 59)
    assert (begin.kind, begin.value, begin.ended) == ("spike", 60, False)
    assert begin.started == begin.time
    assert begin.expected == pytest.approx(20, abs=1)
    assert begin.score == pytest.approx(40, rel=0.5)
    assert series.calm(4) == []
    (end,) = series.calm(1)
    assert (end.kind, end.ended, end.started) == ("spike", True, begin.time)


def test_a_flicker_at_the_edge_is_one_anomaly() -> None:
    series = Series()
    found = series.read(*([60, 20, 20, 20, 20] * 6), 20)
    assert kinds(found) == ["spike", "spike ends"]


def test_nothing_is_a_spike_before_the_warm_up_is_over() -> None:
    series = Series(Thresholds(warm_up=50), calm=40)
    assert series.read(60) == []
    assert band(series.state, series.thresholds) is None
    assert Series(Thresholds(warm_up=50), calm=60).read(60) != []


def test_a_wild_reading_does_not_poison_the_band() -> None:
    series = Series()
    before = band(series.state, series.thresholds)
    series.read(1e6)
    after = band(series.state, series.thresholds)
    assert before is not None
    assert after is not None
    assert after[0] == pytest.approx(before[0], abs=0.5)
    assert after[1] == pytest.approx(before[1], abs=0.5)


@pytest.mark.parametrize("level", [21.0, 60.0, 20_000.0, -1e9])
def test_a_new_level_is_believed_in_the_end_and_is_then_guarded_as_the_old_was(
    level: float,
) -> None:
    series = Series(Thresholds(relearn_after=30))
    found = series.calm(40, level)
    assert kinds(found) == ([] if level == 21 else ["spike", "spike ends"])
    assert series.calm(2000, level) == []
    # A wide jump is forgotten slowly, by the tail; a tenth of the jump is an anomaly again.
    assert kinds(series.read(level + max(30.0, abs(level - 20) / 10))) == ["spike"]


def test_a_value_out_of_range_is_told_even_of_the_first_reading() -> None:
    series = Series(Thresholds(low=0, high=50), calm=0)
    (begin,) = series.read(55)
    assert (begin.kind, begin.expected) == ("range", 50)
    assert begin.score == pytest.approx(0.1)
    (low,) = Series(Thresholds(low=0), calm=0).read(-3)
    assert (low.kind, low.expected, low.score) == ("range", 0, 3)


def test_values_out_of_range_are_never_believed() -> None:
    series = Series(Thresholds(low=0, high=50))
    assert kinds(series.read(*[60] * 500)) == ["range"]
    assert kinds(series.calm(10)) == ["range ends"]


def test_a_spike_that_leaves_the_range_becomes_a_breach_of_it() -> None:
    series = Series(Thresholds(low=0, high=50))
    assert kinds(series.read(40, 60, 40)) == ["spike", "spike ends", "range"]


def test_a_change_that_is_too_fast_is_told_with_the_reading_before() -> None:
    series = Series(Thresholds(max_rate_per_second=8))
    (last,) = (series.state.last,)
    (begin,) = series.read(last + 16)
    assert (begin.kind, begin.expected) == ("rate", last)
    assert begin.score == pytest.approx(2)
    assert kinds(series.calm(10)) == ["rate ends"]


def test_a_change_over_a_long_time_is_not_too_fast_and_one_moment_has_no_rate() -> None:
    series = Series(Thresholds(max_rate_per_second=8, z=1000))
    series._time += 60 * SECOND
    assert series.read(50) == []
    assert series.late(0, 20) == []


def test_a_stuck_sensor_is_told_once_and_ends_when_it_has_moved_for_a_while() -> None:
    series = Series(Thresholds(stuck_after_readings=10))
    held = series.state.last
    found = series.read(*[held] * 60)
    assert kinds(found) == ["stuck"]
    assert found[0].time == NOW + (100 + 9) * SECOND  # the tenth reading alike
    assert (found[0].value, found[0].expected, found[0].score) == (held, None, 1)
    assert series.calm(4) == []
    (end,) = series.calm(1)
    assert (end.kind, end.ended, end.started) == ("stuck", True, found[0].time)
    assert series.calm(500) == []


def test_a_sensor_may_come_back_anywhere_after_it_was_stuck() -> None:
    series = Series(Thresholds(stuck_after_readings=10, max_rate_per_second=8))
    series.read(*[20.0] * 20)
    assert kinds(series.calm(50, level=45)) == ["stuck ends"]


def test_a_metric_that_may_rest_is_never_stuck() -> None:
    assert Series().read(*[20.0] * 1000) == []


def test_readings_within_the_tolerance_of_the_first_are_equal() -> None:
    thresholds = Thresholds(stuck_after_readings=10, stuck_tolerance=0.05)
    assert kinds(Series(thresholds).read(*[20.0, 20.04] * 10)) == ["stuck"]
    assert Series(thresholds).read(*[20.0, 20.06] * 10) == []


def test_stuck_and_a_spike_are_told_beside_each_other() -> None:
    series = Series(Thresholds(stuck_after_readings=10))
    assert kinds(series.read(*[60] * 20)) == ["spike", "stuck"]


def test_a_stuck_sensor_whose_limit_was_taken_away_is_no_longer_stuck() -> None:
    series = Series(Thresholds(stuck_after_readings=10))
    series.read(*[20.0] * 20)
    series.thresholds = Thresholds()
    assert kinds(series.read(20.0)) == ["stuck ends"]


def test_a_late_reading_changes_nothing_unless_it_is_out_of_range() -> None:
    series = Series(Thresholds(low=0, high=50, max_rate_per_second=8, stuck_after_readings=3))
    twin = Series(series.thresholds)
    for value in (20.0, 49.0, 1.0):
        assert series.late(30, value) == []
    assert series.state == twin.state
    (begin,) = series.late(30, 70)
    assert (begin.kind, begin.time) == ("range", NOW + 70 * SECOND)
    assert kinds(series.calm(5)) == ["range ends"]


def test_a_late_reading_of_a_breach_that_was_told_is_not_told_again() -> None:
    series = Series(Thresholds(low=0, high=50))
    series.read(60, 60, 60)
    series.calm(20)
    assert kinds(series.told) == ["range", "range ends"]
    assert series.late(21.5, 60) == []


def test_a_constant_series_is_not_alarmed_by_its_sensors_last_digit() -> None:
    series = Series(calm=0)
    assert series.read(*[20.0] * 300, 20.1, 20.0, 19.9) == []
    assert kinds(series.read(23.0)) == ["spike"]
    fine = Series(Thresholds(min_deviation=0.001), calm=0)
    assert kinds(fine.read(*[20.0] * 300, 20.1)) == ["spike"]


def test_a_series_whose_ordinary_life_is_bursts_gets_a_wide_band() -> None:
    rng = random.Random(3)
    series = Series(calm=0)
    values = [20 + rng.gauss(0, 1) * (30 if rng.random() < 0.05 else 1) for _ in range(20_000)]
    series.read(*values[:10_000])
    begins = [finding for finding in series.read(*values[10_000:]) if not finding.ended]
    bursts = sum(abs(value - 20) > 6 for value in values[10_000:])
    assert bursts > 300
    assert len(begins) < bursts / 50
