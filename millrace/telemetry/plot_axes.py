"""Where the ticks of a chart's axes stand, and what is written there."""

import datetime as dt
import math

_MINUTE = 60_000
_STEPS = [
    *(1000 * seconds for seconds in (1, 2, 5, 10, 15, 30)),
    *(_MINUTE * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(60 * _MINUTE * hours for hours in (1, 2, 3, 6, 12)),
    *(24 * 60 * _MINUTE * days for days in (1, 2, 7, 14, 28, 91)),
]
"""Distances of ticks on the axis of time, in ms."""


def value_ticks(low: float, high: float, wanted: int = 5) -> list[tuple[float, str]]:
    """About `wanted` round values from `low` to `high`, with their texts."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) + (step / power == 2.5)
    return [(n * step, f"{n * step:,.{digits}f}") for n in range(first, last + 1)]


def time_ticks(begin: int, end: int, wanted: int = 8) -> list[tuple[int, str]]:
    """About `wanted` round moments (UTC) from `begin` to `end` (ms), with their texts."""
    rough = (end - begin) / wanted
    step = next((step for step in _STEPS if step >= rough), _STEPS[-1])
    form = "%H:%M:%S" if step < _MINUTE else "%H:%M" if step < 24 * 60 * _MINUTE else "%d %b"
    first = -(-begin // step) * step
    return [(at, moment(at).strftime(form)) for at in range(first, end + 1, step)]


def moment(milliseconds: int) -> dt.datetime:
    """The moment in UTC."""
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)


def milliseconds(told: str) -> int:
    """The moment of an RFC 3339 text, in ms since the epoch."""
    return round(dt.datetime.fromisoformat(told).timestamp() * 1000)
