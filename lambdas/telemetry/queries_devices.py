"""What callers may learn of devices: which there are, and how each was when last heard."""

import re
from collections.abc import Callable
from typing import Annotated, NamedTuple

import msgspec

from lambdas.core import cursor
from lambdas.core.http import invalid, not_found
from lambdas.core.table_store import Table
from lambdas.telemetry import keys
from lambdas.telemetry.detectors import band
from lambdas.telemetry.device_state import DeviceState, Series
from lambdas.telemetry.device_store import DeviceStore, Loaded
from lambdas.telemetry.queries_anomalies import AnomalyView, open_anomalies
from lambdas.telemetry.records import Location
from lambdas.telemetry.thresholds import Thresholds

DEVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


class Known(NamedTuple):
    """A device that was heard, at a version."""

    state: DeviceState
    version: int


ThresholdsOf = Callable[[str, str], Thresholds]
"""The limits of a metric, by type of device and metric."""


class DeviceQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many devices, from where the last page ended."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=256)] | None = None


class DeviceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A device as it presented itself; `registered` is when it was first heard of."""

    device: str
    type: str
    firmware: str | None = None
    location: Location | None = None
    registered: str


class DevicePage(msgspec.Struct, frozen=True, kw_only=True):
    """Devices in order of id; `cursor` asks for the next page, null: there is none."""

    devices: list[DeviceEntry]
    cursor: str | None


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """A reading from `low` to `high` is normal, `expected` the most normal of all."""

    low: float
    expected: float
    high: float


class MetricView(msgspec.Struct, frozen=True, kw_only=True):
    """The reading with the latest time; no band while the detector is still learning it."""

    value: float
    time: str
    band: Band | None


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """Records of the device: received = accepted + duplicates. What was refused is not among them:
    of a record that cannot be read nobody knows the device."""

    received: int
    accepted: int
    duplicates: int


class DeviceView(DeviceEntry, frozen=True, kw_only=True):
    """A device as last heard: `seen` is the arrival of its latest record."""

    seen: str
    counters: Counters
    metrics: dict[str, MetricView]
    anomalies: list[AnomalyView]
    """Those that go on."""


def devices(table: Table, query: DeviceQuery) -> DevicePage:
    """A page of the registry."""
    place = cursor.decode(query.cursor, frozenset({"device"}))
    if place and not DEVICE_ID.fullmatch(place["device"]):
        raise invalid("cursor", "not a cursor of this list")
    items = list(
        table.query(keys.REGISTRY, after=place["device"] if place else None, limit=query.limit + 1)
    )
    page = [msgspec.convert(item, DeviceEntry) for item in items[: query.limit]]
    more = len(items) > query.limit
    return DevicePage(
        devices=page, cursor=cursor.encode({"device": page[-1].device}) if more else None
    )


def device(table: Table, device_id: str, thresholds_of: ThresholdsOf) -> DeviceView:
    """Raises a 404 Problem for a device that was never heard."""
    state = loaded(DeviceStore(table), device_id).state
    return DeviceView(
        device=state.device,
        type=state.type,
        firmware=state.firmware,
        location=state.location,
        registered=keys.iso(state.registered),
        seen=keys.iso(state.arrived),
        counters=Counters(
            received=state.received, accepted=state.accepted, duplicates=state.duplicates
        ),
        metrics={
            name: _metric(series, thresholds_of(state.type, name))
            for name, series in sorted(state.series.items())
        },
        anomalies=open_anomalies(table, state),
    )


def loaded(store: DeviceStore, device_id: str) -> Known:
    """The device's state and its version. Raises a 404 Problem for a device never heard."""
    found = store.load(device_id) if DEVICE_ID.fullmatch(device_id) else Loaded()
    state = found.state
    if state is None:
        raise not_found("device")
    return Known(state, found.version)


def _metric(series: Series, thresholds: Thresholds) -> MetricView:
    return MetricView(
        value=series.last,
        time=keys.iso(series.last_time),
        band=_band(series, thresholds),
    )


def _band(series: Series, thresholds: Thresholds) -> Band | None:
    edges = band(series.detector, thresholds)
    if edges is None:
        return None
    return Band(low=edges[0], expected=series.detector.level, high=edges[1])
