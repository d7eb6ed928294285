"""The types of the simulated devices: how their metrics behave, and what is abnormal in them."""

from dataclasses import dataclass
from typing import Any

import msgspec

from lambdas.telemetry.thresholds import Thresholds


@dataclass(frozen=True)
class Metric:
    """A metric's ordinary life: `base` (devices differ by up to `spread`), a daily cycle of this
    `swing` and noise of this standard deviation, read with so many `digits`."""

    name: str
    base: float
    spread: float
    swing: float
    noise: float
    digits: int
    thresholds: Thresholds


STUCK_AFTER = 12

TYPES: dict[str, tuple[Metric, ...]] = {
    "pump": (
        Metric(
            *("temperature", 62.0, 4.0, 3.0, 0.4, 3),
            Thresholds(low=-20, high=110, stuck_after_readings=STUCK_AFTER),
        ),
        Metric(
            *("pressure", 3.1, 0.3, 0.1, 0.01, 4),
            Thresholds(low=0, high=10, max_rate_per_second=1.0),
        ),
    ),
    "freezer": (
        Metric(
            *("temperature", -20.0, 2.0, 0.8, 0.15, 3),
            Thresholds(low=-40, high=-5, stuck_after_readings=STUCK_AFTER),
        ),
        Metric(*("humidity", 45.0, 8.0, 5.0, 0.8, 2), Thresholds(low=0, high=100)),
    ),
    "meter": (
        Metric(
            *("voltage", 230.0, 2.0, 1.5, 0.6, 2),
            Thresholds(low=180, high=260, stuck_after_readings=STUCK_AFTER),
        ),
        Metric(
            *("power", 4.2, 1.5, 0.6, 0.05, 4),
            Thresholds(low=0, high=25, max_rate_per_second=3.0),
        ),
    ),
}


def parameter(**common: Any) -> dict[str, Any]:
    """The types as the SSM parameter holds them: {type: {"metrics": {metric: limits}}}.

    `common` are limits that all metrics get besides their own. The type "default" is there too,
    with `common` for every metric.
    """
    types: dict[str, Any] = {"default": {"metrics": {"*": dict(common)}}}
    for name, metrics in TYPES.items():
        types[name] = {"metrics": {m.name: _set_limits(m.thresholds) | common for m in metrics}}
    return types


def _set_limits(thresholds: Thresholds) -> dict[str, Any]:
    """Only what is not the default: a parameter has room for 4 KB."""
    usual = msgspec.to_builtins(Thresholds())
    limits: dict[str, Any] = msgspec.to_builtins(thresholds)
    return {name: value for name, value in limits.items() if value != usual[name]}
