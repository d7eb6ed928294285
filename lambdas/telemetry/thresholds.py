"""What counts as abnormal in one metric of one type of device. Data, not code. Pure."""

import msgspec


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits of one metric; every field may be left out.

    Raises ValueError (msgspec.ValidationError when decoded) for limits that contradict each other;
    an unknown field is refused, since a misspelt limit would silently guard nothing.
    """

    z: float = 6.0
    """A reading that many standard deviations from the level is a spike; at least 3."""
    alpha: float = 0.05
    """The weight of a new reading in level and deviation: it remembers some 2/alpha readings."""
    warm_up: int = 30
    """Readings before the first spike is told; they are averaged evenly."""
    min_deviation: float | None = None
    """The deviation below which no band gets, in the metric's unit: at least a few steps of the
    sensor's resolution. Without it, a thousandth of the level, which is nothing for a metric that
    rests at 0: set it there, or its every first stir is an anomaly."""
    low: float | None = None
    """Below it the metric is physically impossible or unsafe."""
    high: float | None = None
    """Above it the metric is physically impossible or unsafe."""
    max_rate_per_second: float | None = None
    """The fastest change, in the metric's unit, between two readings in a row."""
    stuck_after_readings: int | None = None
    """So many equal readings in a row are a stuck sensor; None for metrics that may rest."""
    stuck_tolerance: float = 0.0
    """Readings that far from the first of a run still count as equal to it."""
    clear_after: int = 5
    """Normal readings in a row that end an anomaly."""
    relearn_after: int = 30
    """Abnormal readings in a row after which the new level is believed: it becomes the normal."""
    skew_seconds: float = 60.0
    """How far the device's clock may be ahead of the arrival of its record."""

    def __post_init__(self) -> None:
        for wrong, wanted in (
            (not 3 <= self.z < 1e6, f"z must be at least 3 (and below a million), not {self.z}"),
            (not 0 < self.alpha <= 1, f"alpha must be above 0 and at most 1, not {self.alpha}"),
            (self.warm_up < 1, f"warm_up must be at least 1, not {self.warm_up}"),
            (_at_most_zero(self.min_deviation), "min_deviation must be above 0"),
            (
                self.low is not None and self.high is not None and self.low >= self.high,
                f"low must be below high, not {self.low} and {self.high}",
            ),
            (_at_most_zero(self.max_rate_per_second), "max_rate_per_second must be above 0"),
            (
                self.stuck_after_readings is not None and self.stuck_after_readings < 2,
                f"stuck_after_readings must be at least 2, not {self.stuck_after_readings}",
            ),
            (self.stuck_tolerance < 0, "stuck_tolerance must not be below 0"),
            (self.clear_after < 1, f"clear_after must be at least 1, not {self.clear_after}"),
            (self.relearn_after < 1, f"relearn_after must be at least 1, not {self.relearn_after}"),
            (self.skew_seconds <= 0, "skew_seconds must be above 0"),
        ):
            if wrong:
                raise ValueError(wanted)


def _at_most_zero(value: float | None) -> bool:
    return value is not None and value <= 0
