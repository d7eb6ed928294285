"""The raw records in S3: gzipped JSON lines, by the date and hour of their arrival.

A file's key is made of the shard and the first and last sequence number of the batch, and its
bytes of nothing but the records: a batch that comes again overwrites its files with themselves. A
batch cut in another way leaves files that overlap; readers keep one row of each position.
"""

import gzip
from collections.abc import Iterable
from typing import Any

from lambdas.core import aws
from lambdas.telemetry import keys
from lambdas.telemetry.batches import Arrived, Batch, rows

_LEVEL = 5
"""Of gzip: beyond it time doubles for 2 % less."""


class RawStore:
    """The raw bucket. `client` is a botocore S3 client, by default the process's own."""

    def __init__(self, bucket: str, client: Any = None) -> None:
        self._bucket = bucket
        self._given = client

    def keep(self, batch: Batch, first: str, last: str) -> int:
        """Write the batch's good records; `first` and `last` are its Kinesis sequence numbers.

        Returns how many files it made: one for each hour in which records arrived.
        """
        by_hour: dict[int, list[Arrived]] = {}
        for arrived in batch.devices.values():
            for one in arrived:
                by_hour.setdefault(one.arrival // 3_600_000, []).append(one)
        for hour, members in by_hour.items():
            members.sort(key=_place)
            name = f"{batch.shard}-{first}-{last}.jsonl.gz"
            self._put(f"raw/{_partition(hour)}/{name}", rows(batch.shard, members))
        return len(by_hour)

    def _put(self, key: str, lines: Iterable[bytes]) -> None:
        body = b"\n".join(lines) + b"\n"
        (self._given or aws.client("s3")).put_object(
            Bucket=self._bucket,
            Key=key,
            Body=gzip.compress(body, _LEVEL, mtime=0),
            ContentType="application/gzip",
        )


def _partition(hour: int) -> str:
    """Of the hours since the epoch."""
    moment = keys.iso(hour * 3_600_000)
    return f"date={moment[:10]}/hour={moment[11:13]}"


def _place(arrived: Arrived) -> tuple[int, int]:
    return int(arrived.sequence), arrived.part
