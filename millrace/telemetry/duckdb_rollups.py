"""The rollups as DuckDB computes them from the raw files: a second opinion, in SQL.

The files are what a lake's reader sees; nothing of the service's own code is used.
"""

import bisect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

STEPS = {"minute": 60_000, "hour": 3_600_000}

_COLUMNS = """{
    device: 'VARCHAR', time: 'BIGINT', sequence: 'BIGINT', metrics: 'MAP(VARCHAR, DOUBLE)',
    arrival: 'BIGINT', shard: 'VARCHAR', position: 'VARCHAR'
}"""

# A position is a number of up to 56 digits, and for an aggregated record its place behind a slash.
_RAW = f"""
CREATE TABLE raw AS
SELECT *, lpad(split_part(position, '/', 1), 60, '0') AS place,
       coalesce(try_cast(split_part(position, '/', 2) AS INTEGER), 0) AS sub
FROM read_json($files, format = 'newline_delimited', columns = {_COLUMNS})
WHERE starts_with(device, $prefix)
"""

# A counter that began anew uses its numbers again, but not at the same time.
_ONCE = """
CREATE TABLE once AS
SELECT * FROM raw
QUALIFY row_number() OVER (PARTITION BY device, sequence, time ORDER BY place, sub) = 1
"""

_ROLLUPS = """
WITH readings AS (
    SELECT device, time, place, sub, unnest(map_entries(metrics)) AS reading FROM once
)
SELECT device, reading.key AS metric, time - time % $step AS start,
       count(*), min(reading.value), max(reading.value), fsum(reading.value),
       arg_max(reading.value, (time, place, sub)), max(time),
       list_sort(list(reading.value))
FROM readings GROUP BY ALL
"""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What the files hold: rows, records (each position once), and distinct ones."""

    rows: int
    records: int
    accepted: int
    devices: int


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A metric of a device in the window that begins at `start` (ms)."""

    device: str
    metric: str
    start: int
    count: int
    min: float
    max: float
    sum: float
    last: float
    last_time: int
    values: list[float]
    """All of them, in rising order."""

    def quantile(self, share: float) -> float:
        """The exact value at a share (0 to 1), between two neighbours if need be."""
        place = share * (self.count - 1)
        below = int(place)
        above = min(below + 1, self.count - 1)
        return self.values[below] + (place - below) * (self.values[above] - self.values[below])

    def rank_error(self, share: float, value: float) -> float:
        """How far from `share` the value is in rank; float32 may have rounded it."""
        near = 1e-6 * abs(value)
        low = bisect.bisect_left(self.values, value - near) / self.count
        high = bisect.bisect_right(self.values, value + near) / self.count
        return max(0.0, low - share, share - high)


class RawFiles:
    """Raw files (.jsonl.gz) of any span, loaded once; duplicates are dropped as readers must.

    Only devices whose id begins with `prefix` are looked at.
    """

    def __init__(self, files: Iterable[Path], prefix: str = "") -> None:
        import duckdb

        self._db: Any = duckdb.connect(":memory:", config={"threads": 2})
        self._db.execute(_RAW, {"files": sorted(map(str, files)), "prefix": prefix})
        self._db.execute(_ONCE)

    def counts(self) -> Counts:
        rows, records, devices = self._db.execute(
            "SELECT count(*), count(DISTINCT (shard, position)), count(DISTINCT device) FROM raw"
        ).fetchone()
        (accepted,) = self._db.execute("SELECT count(*) FROM once").fetchone()
        return Counts(rows=rows, records=records, accepted=accepted, devices=devices)

    def rollups(self, step: str) -> Iterator[Row]:
        """Every window of one step, "minute" or "hour"."""
        found = self._db.execute(_ROLLUPS, {"step": STEPS[step]})
        while chunk := found.fetchmany(10_000):
            for row in chunk:
                yield msgspec.convert(row, Row)
