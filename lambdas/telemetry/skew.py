"""Devices whose clock is ahead: their records have times after their own arrival. Pure.

A clock that is behind cannot be told from a record that was long on its way, so it is not judged.
A record far in the future is refused before (`from-the-future`), so only limits below that one
have a meaning.
"""

from lambdas.telemetry.device_state import EVERY_METRIC, Anomaly, DeviceState
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.records import Record

KIND = "clock-skew"
_OPEN = f"{EVERY_METRIC}#{KIND}"


def is_open(state: DeviceState) -> bool:
    """Whether the device's clock is known to be ahead."""
    return _OPEN in state.open


def follow(state: DeviceState, types: DeviceTypes, record: Record, arrival: int) -> bool:
    """Begin or end the anomaly by one record: it ends after `clear_after` good ones in a row.

    Returns whether it is open now; while it is, every record matters, else only those ahead.
    """
    thresholds = types.thresholds(record.type, EVERY_METRIC)
    ahead, limit = (record.time - arrival) / 1000, thresholds.skew_seconds
    started = state.open.get(_OPEN)
    if ahead > limit:
        state.calm = 0
        if started is None:
            state.open[_OPEN] = started = record.time
            state.pending.append(Anomaly(EVERY_METRIC, KIND, started, ahead, 0.0, ahead / limit))
    elif started is not None:
        state.calm += 1
        if state.calm >= thresholds.clear_after:
            del state.open[_OPEN]
            state.calm = 0
            ended = max(started, record.time)  # once set right, the clock may say less than then
            state.pending.append(Anomaly(EVERY_METRIC, KIND, started, ahead, 0.0, 0.0, ended))
            return False
    return started is not None
