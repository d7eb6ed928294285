"""What is remembered of a series (one metric of one device), and what is found in it. Pure."""

from typing import Literal

import msgspec

Kind = Literal["range", "rate", "spike", "stuck"]

EXCURSIONS: tuple[Kind, ...] = ("range", "rate", "spike")
"""The anomalies of which a series has one at a time. Their positions are stored: only append."""


class Finding(msgspec.Struct, frozen=True):
    """The begin of an anomaly or, with `ended`, its end; there is nothing in between."""

    kind: Kind
    time: int
    """Of the reading that tells it: milliseconds since the epoch."""
    value: float
    expected: float | None
    """What was normal: the level (spike), the reading before (rate), the limit (range)."""
    score: float
    """How abnormal: standard deviations off the level (spike), times the limit (rate), how far
    beyond the limit in parts of the span between both (range); 1 for stuck, 0 for an end."""
    ended: bool = False
    started: int = 0
    """When the anomaly began: the time of its begin's finding."""


class SeriesState(msgspec.Struct, array_like=True):
    """What is remembered of a series, ~100 bytes packed. `SeriesState()` knows nothing yet."""

    readings: int = 0
    """That the band was learnt from; not counted past the warm-up."""
    level: float = 0.0
    variance: float = 0.0
    tail: float = 0.0
    """The squared deviation that 99 of 100 stay below."""
    last_time: int = -1
    last: float = 0.0
    run_value: float = 0.0
    """The first of the present run of equal readings, and how many there are."""
    run: int = 0
    excursion: int = -1
    """Which of EXCURSIONS is open; -1 for none."""
    excursion_started: int = -1
    normal: int = 0
    """Normal readings in a row during the excursion."""
    beyond: int = 0
    """Readings in a row outside the band."""
    stuck_started: int = -1
    """When the open stuck anomaly began; -1 for none."""
    moving: int = 0
    """Readings in a row during it that moved."""
    range_seen: int = -1
    """The latest time of a reading out of range."""
