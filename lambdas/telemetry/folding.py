"""What the records of one device make of its state, and what there is to write besides. Pure.

The same records give the same states, however they are cut into batches: each record is looked at
in order of arrival, and a record at or before the checkpoint of its lane changes nothing.
"""

import itertools
import operator

import msgspec

from lambdas.core.errors import Poison
from lambdas.telemetry import seen, skew
from lambdas.telemetry.batches import Arrived, Refused
from lambdas.telemetry.columns import take_readings
from lambdas.telemetry.device_state import EVERY_METRIC, SILENCE, SILENT, Anomaly, DeviceState
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.lanes import not_worked_on
from lambdas.telemetry.records import Record
from lambdas.telemetry.rollups import Windows
from lambdas.telemetry.windows import Closed, close_windows

_type = operator.attrgetter("type")

MOST_METRICS = 64
"""Of one device, ever: with more, its state would grow without end. See `_has_room`."""


class Fold(msgspec.Struct):
    """The state after some records, and what its writer writes with it."""

    state: DeviceState
    is_first: bool = False
    """The device was never seen before."""
    renewed: bool = False
    """Its type, firmware or location is not what the registry says."""
    closed: list[Closed] = []
    refused: list[Refused] = []
    accepted: int = 0
    duplicates: int = 0
    redelivered: int = 0
    anomalies: int = 0
    """That its writer told of."""

    @property
    def fresh(self) -> int:
        """Records that were no redeliveries."""
        return self.accepted + self.duplicates + len(self.refused)


def fold(state: DeviceState | None, arrived: list[Arrived], types: DeviceTypes) -> Fold:
    """Take the records (of one device, in order of arrival) into the state, which is changed."""
    is_first = state is None
    if state is None:
        first = arrived[0]
        state = DeviceState(first.record.device, first.record.type, first.arrival)
    result = Fold(state, is_first=is_first)
    fresh = not_worked_on(state.checkpoints, arrived)
    result.redelivered = len(arrived) - len(fresh)
    if not fresh:
        return result
    _break_silence(state, fresh[0].arrival)
    boundary = state.closed_before
    known_as = _particulars(state)
    accepted = _accept(state, fresh, types, result)
    result.duplicates = len(fresh) - len(accepted) - len(result.refused)
    result.accepted = len(accepted)
    state.accepted += result.accepted
    state.duplicates += result.duplicates
    late: Windows = {}
    for device_type, records in itertools.groupby(accepted, _type):
        state.type = device_type
        take_readings(state, list(records), types, boundary, late)
    result.closed = close_windows(state, late, boundary)
    _take_particulars(state, accepted)
    result.renewed = _particulars(state) != known_as
    return result


def _accept(
    state: DeviceState, fresh: list[Arrived], types: DeviceTypes, result: Fold
) -> list[Record]:
    """The records that are no duplicates and that the device has room for."""
    records = [one.record for one in fresh]
    arrivals = [one.arrival for one in fresh]
    state.arrived = max(state.arrived, max(arrivals))
    if _accept_all(state, records, arrivals):
        return records
    return _accept_each(state, fresh, types, result)


def _accept_all(state: DeviceState, records: list[Record], arrivals: list[int]) -> bool:
    """Accept nearly every batch in one go: rising sequences, known metrics, a clock not ahead.

    False, and nothing is done, when the records have to be looked at one by one.
    """
    times = [record.time for record in records]
    names = set().union(*[record.metrics for record in records])
    if (
        skew.is_open(state)
        or not all(map(operator.le, times, arrivals))
        or not names <= state.series.keys()
        or not seen.all_new(
            state.seen, [record.sequence for record in records], times, state.watermark
        )
    ):
        return False
    state.watermark = max(state.watermark, max(times))
    return True


def _accept_each(
    state: DeviceState, fresh: list[Arrived], types: DeviceTypes, result: Fold
) -> list[Record]:
    """The same for any records, one by one in order of arrival."""
    accepted = []
    known, watermark = set(state.series), state.watermark
    follows_clock = skew.is_open(state)
    for one in fresh:
        record = one.record
        time = record.time
        is_known = record.metrics.keys() <= known
        if not is_known and not _has_room(known, record):
            detail = f"more than {MOST_METRICS} metrics of {record.device}"
            result.refused.append(one.refused(Poison("bad-metrics", detail)))
            continue
        if not seen.is_new(state.seen, record.sequence, time, watermark):
            continue
        if not is_known:
            known.update(record.metrics)
        if follows_clock or time > one.arrival:
            follows_clock = skew.follow(state, types, record, one.arrival)
        watermark = max(watermark, time)
        accepted.append(record)
    state.watermark = watermark
    return accepted


def _has_room(known: set[str], record: Record) -> bool:
    return len(known | record.metrics.keys()) <= MOST_METRICS


def _break_silence(state: DeviceState, arrival: int) -> None:
    """A device that speaks is not silent, whatever it says."""
    started = state.open.pop(SILENCE, None)
    if started is not None:
        state.pending.append(Anomaly(EVERY_METRIC, SILENT, started, 0.0, None, 0.0, arrival))


def _particulars(state: DeviceState) -> tuple[object, ...]:
    """What the registry is renewed for: of the location, a step of 100 m, or a receiver that says
    a little else each time would make every batch of the device a transaction."""
    where = state.location
    place = where and (round(where.lat, 3), round(where.lon, 3))
    return state.type, state.firmware, place


def _take_particulars(state: DeviceState, accepted: list[Record]) -> None:
    """What the device says of itself, besides its type."""
    for record in accepted:
        if record.firmware is not None:
            state.firmware = record.firmware
        if record.location is not None:
            state.location = record.location
