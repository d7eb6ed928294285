"""The items that tell of a device besides its state: registry, anomalies, and their events."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from lambdas.contracts.telemetry import AnomalyDetectedV1, DeviceRegisteredV1
from lambdas.core.outbox import Cause, event_write
from lambdas.core.table_store import Item, Write
from lambdas.telemetry import keys
from lambdas.telemetry.device_state import Anomaly, DeviceState

_LARGEST, _SMALLEST = 1e100, 1e-100
"""DynamoDB's numbers reach a little further, and a JSON number must be finite."""


def registry_write(state: DeviceState) -> Write:
    """The device in the registry, as it is now."""
    item: Item = {
        "pk": keys.REGISTRY,
        "sk": state.device,
        "device": state.device,
        "type": state.type,
        "registered": keys.iso(state.registered),
    }
    if state.firmware is not None:
        item["firmware"] = state.firmware
    if state.location is not None:
        item["location"] = {
            "lat": _decimal(state.location.lat),
            "lon": _decimal(state.location.lon),
        }
    return Write(put=item)


def registered_write(state: DeviceState, trace: str | None, now: dt.datetime) -> Write:
    """The event of the device's first record; counted in `state.events`."""
    event = DeviceRegisteredV1(
        device=state.device,
        device_type=state.type,
        firmware=state.firmware,
        registered=keys.iso(state.registered),
    )
    state.events += 1
    cause_id = f"{keys.device_pk(state.device)}#registered"
    return event_write(
        keys.device_pk(state.device),
        event,
        subject=subject(state.device),
        sequence=state.events,
        cause=Cause(id=cause_id, correlation_id=cause_id, trace=trace),
        now=now,
    )


def anomaly_writes(
    state: DeviceState, anomalies: Iterable[Anomaly], trace: str | None, now: dt.datetime
) -> list[Write]:
    """Items of anomalies that began or ended, in that order, and an event of each that began.

    One that began and ended here is one item. The events are counted in `state.events`.
    """
    begun: dict[tuple[str, str, int], Anomaly] = {}
    ended: dict[tuple[str, str, int], Anomaly] = {}
    for anomaly in anomalies:
        name = (anomaly.metric, anomaly.kind, anomaly.started)
        if anomaly.ended is None:
            begun[name] = anomaly
            ended.pop(name, None)  # began again in the very same millisecond
        elif name in begun:
            begun[name] = msgspec.structs.replace(begun[name], ended=anomaly.ended)
        else:
            ended[name] = anomaly
    writes = [_end(state.device, anomaly) for anomaly in ended.values()]
    for anomaly in begun.values():
        writes += [_item(state.device, anomaly), _event(state, anomaly, trace, now)]
    return writes


def subject(device: str) -> str:
    return f"device/{device}"


def _item(device: str, anomaly: Anomaly) -> Write:
    sk = keys.anomaly_sk(anomaly.started, anomaly.metric, anomaly.kind)
    started = keys.iso(anomaly.started)
    item: Item = {
        "pk": keys.device_pk(device),
        "sk": sk,
        "device": device,
        "metric": anomaly.metric,
        "kind": anomaly.kind,
        "started": started,
        "value": _decimal(anomaly.value),
        "score": _decimal(anomaly.score),
        "day": started[:10],
        "at": f"{started}#{device}#{anomaly.metric}#{anomaly.kind}",
    }
    if anomaly.expected is not None:
        item["expected"] = _decimal(anomaly.expected)
    if anomaly.ended is not None:
        item["ended"] = keys.iso(anomaly.ended)
    return Write(put=item)


def _end(device: str, anomaly: Anomaly) -> Write:
    assert anomaly.ended is not None
    return Write(
        key=(
            keys.device_pk(device),
            keys.anomaly_sk(anomaly.started, anomaly.metric, anomaly.kind),
        ),
        update="SET #ended = :ended",
        names={"ended": "ended"},
        values={"ended": keys.iso(anomaly.ended)},
    )


def _event(state: DeviceState, anomaly: Anomaly, trace: str | None, now: dt.datetime) -> Write:
    event = AnomalyDetectedV1(
        device=state.device,
        device_type=state.type,
        metric=anomaly.metric,
        kind=anomaly.kind,
        value=_finite(anomaly.value),
        expected=None if anomaly.expected is None else _finite(anomaly.expected),
        score=_finite(anomaly.score),
        started=keys.iso(anomaly.started),
    )
    state.events += 1
    pk = keys.device_pk(state.device)
    cause_id = f"{pk}#{keys.anomaly_sk(anomaly.started, anomaly.metric, anomaly.kind)}"
    return event_write(
        pk,
        event,
        subject=subject(state.device),
        sequence=state.events,
        cause=Cause(id=cause_id, correlation_id=cause_id, trace=trace),
        now=now,
    )


def _finite(value: float) -> float:
    if abs(value) < _SMALLEST:
        return 0.0
    return max(-_LARGEST, min(_LARGEST, value))


def _decimal(value: float) -> Decimal:
    return Decimal(repr(_finite(value)))
