"""Limits that contradict each other, or are misspelt, are refused by name."""

import msgspec
import pytest

from lambdas.telemetry.thresholds import Thresholds


def test_all_limits_may_be_left_out() -> None:
    assert msgspec.json.decode(b"{}", type=Thresholds) == Thresholds()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"z": 2.5}', "z must be at least 3"),
        ('{"alpha": 0}', "alpha must be above 0 and at most 1, not 0"),
        ('{"alpha": 1.5}', "alpha must be"),
        ('{"warm_up": 0}', "warm_up must be at least 1"),
        ('{"min_deviation": 0}', "min_deviation must be above 0"),
        ('{"low": 5, "high": 5}', "low must be below high, not 5"),
        ('{"max_rate_per_second": -1}', "max_rate_per_second must be above 0"),
        ('{"stuck_after_readings": 1}', "stuck_after_readings must be at least 2"),
        ('{"stuck_tolerance": -0.1}', "stuck_tolerance must not be below 0"),
        ('{"clear_after": 0}', "clear_after must be at least 1"),
        ('{"relearn_after": 0}', "relearn_after must be at least 1"),
        ('{"skew_seconds": 0}', "skew_seconds must be above 0"),
        ('{"hihg": 5}', "unknown field `hihg`"),
        ('{"low": "cold"}', "Expected `float | null`"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(text, type=Thresholds)
    assert message in str(refused.value)
