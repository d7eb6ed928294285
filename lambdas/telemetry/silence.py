"""Devices that say nothing any more: each silence is told once, and ends with the next record.

How long a device is silent is measured up to the latest record that ingest has worked on. While
ingest stands still, what the devices say waits in the stream, and none of them is silent for that;
when no device says anything, that is for the alarm of the stream to tell.
"""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

from lambdas.core import observability
from lambdas.telemetry.device_state import EVERY_METRIC, SILENCE, SILENT, Anomaly
from lambdas.telemetry.device_store import DeviceStore, Loaded, StateMoved, state_write
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.device_writes import anomaly_writes

_THREADS = 8
_MINUTE = 60_000


class SweepIncomplete(Exception):
    """Some silences could not be told; they are silent still, so the next sweep finds them."""


def sweep(store: DeviceStore, types: DeviceTypes, silent_minutes: float, now: dt.datetime) -> int:
    """Tell of every device that has said nothing for as long as its type may, while others have;
    returns how many.

    `silent_minutes` is for types that say nothing of it. No device's failure stops the others.
    Raises SweepIncomplete at the end if any failed.
    """
    now_ms = round(now.timestamp() * 1000)
    shortest = types.shortest_silence(silent_minutes)
    until = min(now_ms, store.latest_arrival())
    if now_ms - until >= shortest * _MINUTE:
        behind = round((now_ms - until) / _MINUTE)
        observability.logger().warning("no device was heard", extra={"minutes": behind})

    def tell(found: Loaded) -> bool | None:
        try:
            return _tell(store, types, silent_minutes, found, until, now)
        except Exception:
            observability.logger().exception("silence not told")
            return None

    with ThreadPoolExecutor(_THREADS) as pool:
        suspects = store.silent_since(until - round(shortest * _MINUTE))
        outcomes = list(pool.map(observability.carried(tell), suspects))
    told, failed = outcomes.count(True), outcomes.count(None)
    if failed:
        raise SweepIncomplete(f"{failed} devices left, {told} told of")
    return told


def _tell(
    store: DeviceStore,
    types: DeviceTypes,
    silent_minutes: float,
    found: Loaded,
    until: int,
    now: dt.datetime,
) -> bool:
    """Whether the device is silent, and nobody told of it yet."""
    state = found.state
    assert state is not None
    limit = types.silent_minutes(state.type, silent_minutes)
    minutes = (until - state.arrived) / _MINUTE
    if minutes < limit or SILENCE in state.open:
        return False
    state.open[SILENCE] = state.arrived
    silent = Anomaly(EVERY_METRIC, SILENT, state.arrived, round(minutes, 3), limit, minutes / limit)
    told = anomaly_writes(state, [silent], observability.trace_header(), now)
    try:
        store.save(state_write(state, found.version), *told)
    except StateMoved:
        return False  # it has just said something
    return True
