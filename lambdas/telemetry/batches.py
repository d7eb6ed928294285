"""A batch of Kinesis records, taken apart: good ones by device, bad ones with why. Pure."""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from lambdas.core.errors import Poison
from lambdas.telemetry import kpl
from lambdas.telemetry.records import MAX_BYTES, Checker, Record, unpacked

KinesisRecord = dict[str, Any]


class Arrived(msgspec.Struct, gc=False):
    """A good record, and how it came."""

    record: Record
    arrival: int
    """When the stream took it: milliseconds since the epoch."""
    lane: str
    """Records of one lane come in order: those of one shard with one partition key."""
    text: bytes
    source: KinesisRecord
    part: int = -1
    """The place in an aggregated record, else -1."""

    @property
    def sequence(self) -> str:
        """The Kinesis sequence number."""
        return str(self.source["kinesis"]["sequenceNumber"])

    @property
    def position(self) -> str:
        """The place in the shard: "<sequence>", or "<sequence>/<part>" of an aggregated record."""
        return self.sequence if self.part < 0 else f"{self.sequence}/{self.part}"


class Refused(msgspec.Struct):
    """A bad record as it is kept in quarantine."""

    source: KinesisRecord
    poison: Poison


class Batch(msgspec.Struct):
    """`devices` has the good records by device, each list in order of the shard."""

    shard: str
    devices: dict[str, list[Arrived]]
    refused: list[Refused]

    @property
    def received(self) -> int:
        return sum(map(len, self.devices.values())) + len(self.refused)


def take_apart(records: Sequence[KinesisRecord], checker: Checker) -> Batch:
    """The records of one batch, which AWS makes of one shard."""
    shard = _shard(records[0])
    batch = Batch(shard, {}, [])
    devices, a2b, decode = batch.devices, binascii.a2b_base64, checker.decode
    earliest, latest, names = checker.earliest, checker.latest, checker.names
    arrived = Arrived
    for source in records:
        kinesis = source["kinesis"]
        arrival = int(kinesis["approximateArrivalTimestamp"] * 1000 + 0.5)
        try:
            text = a2b(kinesis["data"])
            record = decode(text)
        except (ValueError, RecursionError):  # binascii and msgspec raise kinds of ValueError
            _take_unusual(batch, source, arrival, checker)
            continue
        device = record.device
        known = devices.get(device)
        # The usual record passes these few comparisons; the others are looked at closely.
        if (
            known is None
            or not earliest <= record.time - arrival <= latest
            or not record.metrics.keys() <= names
            or len(text) > MAX_BYTES
        ):
            try:
                checker.look_closely(record, len(text), arrival)
            except Poison as poison:
                batch.refused.append(_refused(source, poison))
                continue
            known = devices.setdefault(device, [])
        key = kinesis["partitionKey"]
        lane = shard if key == device else _lane(shard, key)
        known.append(arrived(record, arrival, lane, text, source))
    return batch


def _take_unusual(batch: Batch, source: KinesisRecord, arrival: int, checker: Checker) -> None:
    """What is no plain JSON record: gzipped, aggregated, or bad."""
    kinesis = source["kinesis"]
    try:
        data = binascii.a2b_base64(kinesis["data"])
        if kpl.is_aggregated(data):
            _take_parts(batch, source, data, arrival, checker)
            return
        text = unpacked(data)
        record = checker.record(text, arrival)
    except (Poison, ValueError) as error:
        batch.refused.append(_refused(source, error))
        return
    key = kinesis["partitionKey"]
    lane = batch.shard if key == record.device else _lane(batch.shard, key)
    arrived = Arrived(record, arrival, lane, text, source)
    batch.devices.setdefault(record.device, []).append(arrived)


def _take_parts(
    batch: Batch, source: KinesisRecord, data: bytes, arrival: int, checker: Checker
) -> None:
    """The records of an aggregated one: each is good or bad on its own. Raises Poison for all."""
    kinesis = source["kinesis"]
    lane = _lane(batch.shard, kinesis["partitionKey"])
    for part, packed in enumerate(kpl.parts(data)):
        alone = _part_of(source, part, packed)
        try:
            text = unpacked(packed)
            record = checker.record(text, arrival)
        except Poison as poison:
            batch.refused.append(_refused(alone, poison))
            continue
        arrived = Arrived(record, arrival, lane, text, alone, part)
        batch.devices.setdefault(record.device, []).append(arrived)


def _part_of(source: KinesisRecord, part: int, data: bytes) -> KinesisRecord:
    alone = {"data": base64.b64encode(data).decode(), "subSequenceNumber": part}
    return {**source, "kinesis": {**source["kinesis"], **alone}}


def _refused(source: KinesisRecord, error: Exception) -> Refused:
    """With a Poison that was never raised: a traceback would hold the whole batch, and the batch
    it, until the collector comes by, which in a warm function takes many batches."""
    if isinstance(error, Poison):
        return Refused(source, Poison(error.reason, error.detail))
    return Refused(source, Poison("undecodable", f"not base64: {error}"))


def _shard(record: KinesisRecord) -> str:
    """ "shardId-000000000006" of the event id "shardId-000000000006:4959...":"""
    return str(record["eventID"]).partition(":")[0]


def _lane(shard: str, partition_key: str) -> str:
    """Only a device whose partition key is not its id needs more than the shard."""
    digest = hashlib.blake2s(partition_key.encode(), digest_size=8).hexdigest()
    return f"{shard}/{digest}"


def rows(shard: str, arrived: Iterable[Arrived]) -> Iterable[bytes]:
    """The records as the raw files hold them: as sent, with how they came; one JSON text each."""
    for one in arrived:
        came = {"arrival": one.arrival, "shard": shard, "position": one.position}
        try:
            yield msgspec.json.encode({**msgspec.json.decode(one.text), **came})
        except (msgspec.DecodeError, OverflowError):
            # A field that we ignore holds what JSON can say and Python cannot.
            yield msgspec.json.encode({**msgspec.structs.asdict(one.record), **came})
