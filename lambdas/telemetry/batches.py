"""What a batch of Kinesis records is taken apart into, and the rows kept of it. Pure."""

import base64
from collections.abc import Iterable
from typing import Any

import msgspec

from lambdas.core.errors import Poison
from lambdas.telemetry.records import Record

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

    def refused(self, poison: Poison) -> "Refused":
        """The record as refused after all."""
        return Refused(self.source, poison, self.part, b"" if self.part < 0 else self.text)

    @property
    def sequence(self) -> str:
        """The Kinesis sequence number."""
        return str(self.source["kinesis"]["sequenceNumber"])

    @property
    def position(self) -> str:
        """The place in the shard: "<sequence>", or "<sequence>/<part>" of an aggregated record."""
        return self.sequence if self.part < 0 else f"{self.sequence}/{self.part}"

    @property
    def place(self) -> tuple[int, int]:
        """The position as what it is ordered by."""
        return int(self.sequence), self.part


class Refused(msgspec.Struct):
    """A bad record, or one part of an aggregated one, whose `data` that is then."""

    source: KinesisRecord
    poison: Poison
    part: int = -1
    data: bytes = b""

    @property
    def record(self) -> KinesisRecord:
        """The record as it is kept in quarantine; made when it is written, for a part takes less
        room than what it came with."""
        if self.part < 0:
            return self.source
        alone = {"data": base64.b64encode(self.data).decode(), "subSequenceNumber": self.part}
        return {**self.source, "kinesis": {**self.source["kinesis"], **alone}}


class Batch(msgspec.Struct):
    """`devices` has the good records by device, each list in order of the shard."""

    shard: str
    devices: dict[str, list[Arrived]]
    refused: list[Refused]
    unpacked: int = 0
    """How many more records there are than the batch had: those in aggregated ones."""

    @property
    def received(self) -> int:
        return sum(map(len, self.devices.values())) + len(self.refused)


def rows(shard: str, arrived: Iterable[Arrived]) -> Iterable[bytes]:
    """The records as the raw files hold them: as sent, with how they came; one JSON text each."""
    for one in arrived:
        came = {"arrival": one.arrival, "shard": shard, "lane": one.lane, "position": one.position}
        # As whole numbers, however they were written: readers take them for integers.
        whole = {"time": one.record.time, "sequence": one.record.sequence}
        try:
            yield msgspec.json.encode({**msgspec.json.decode(one.text), **whole, **came})
        except (ValueError, RecursionError, OverflowError):
            # A field that we ignore holds what JSON can say and Python cannot. Whatever it is, one
            # record must not fail its batch, which would fail for ever.
            yield msgspec.json.encode({**msgspec.structs.asdict(one.record), **came})
