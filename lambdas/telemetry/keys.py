"""Keys of the telemetry table. Pure.

device#<id>          state, anomaly#<start>#<metric>#<kind>, event#<event id>
devices              <id>: the registry
rollup#<id>#minute   <start of the window>; the same with #hour
"""

import datetime as dt
import zlib

from lambdas.core.outbox import timestamp
from lambdas.telemetry.rollups import Step

STATE = "state"
REGISTRY = "devices"
ANOMALY_PREFIX = "anomaly#"
SILENCE_INDEX = "by-silence"
"""Hash `watch` (one of WATCHES), range `seen`."""
DAY_INDEX = "by-day"
"""Hash `day` ("2026-11-21"), range `at`."""
WATCHES = tuple(f"{number:02x}" for number in range(16))


def device_pk(device: str) -> str:
    return f"device#{device}"


def rollup_pk(device: str, step: Step) -> str:
    return f"rollup#{device}#{step}"


def window_sk(start_ms: int) -> str:
    """ "2026-11-21T06:25Z"."""
    return dt.datetime.fromtimestamp(start_ms // 1000, dt.UTC).strftime("%Y-%m-%dT%H:%MZ")


def window_start(sk: str) -> int:
    """The start of the window in milliseconds since the epoch: the inverse of `window_sk`."""
    return int(dt.datetime.fromisoformat(sk).timestamp()) * 1000


def anomaly_sk(started_ms: int, metric: str, kind: str) -> str:
    return f"{ANOMALY_PREFIX}{iso(started_ms)}#{metric}#{kind}"


def iso(time_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return timestamp(dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC))


def day_of(time_ms: int) -> str:
    """ "2026-11-21"."""
    return iso(time_ms)[:10]


def watch_of(device: str) -> str:
    """The part of the silence index that the device is in."""
    return WATCHES[zlib.crc32(device.encode()) % len(WATCHES)]


def seen_at(arrived_ms: int) -> str:
    """When the device was last heard of, down to five minutes, so that the index changes rarely."""
    return iso(arrived_ms - arrived_ms % 300_000)
