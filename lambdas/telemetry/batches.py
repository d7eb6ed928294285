"""What a batch of Kinesis records is taken apart into, and the rows kept of it. Pure."""

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
    """A bad record as it is kept in quarantine."""

    source: KinesisRecord
    poison: Poison


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
        try:
            yield msgspec.json.encode({**msgspec.json.decode(one.text), **came})
        except (ValueError, RecursionError, OverflowError):
            # A field that we ignore holds what JSON can say and Python cannot. Whatever it is, one
            # record must not fail its batch, which would fail for ever.
            yield msgspec.json.encode({**msgspec.structs.asdict(one.record), **came})
