"""Send a simulated fleet's records to a Kinesis stream: none is lost, and the pace is kept."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from millrace.errors import MillraceError
from millrace.telemetry.faults import Sent

MOST_RECORDS = 500
MOST_BYTES = 4_500_000
"""In one PutRecords: 500 records, and 5 MB with the partition keys (Kinesis limits)."""
TURN_MS = 250
"""A live fleet sends what is due so often."""
ATTEMPTS = 12


@dataclass
class Report:
    """What the stream took; `retried` counts entries that it refused at first."""

    sent: int = 0
    bytes: int = 0
    requests: int = 0
    retried: int = 0
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return self.sent / self.seconds if self.seconds else 0.0


class Sender:
    """Puts records on one stream, in their order; `client` is a boto3 Kinesis client.

    `live` says that a record is not sent before its time.
    """

    def __init__(
        self,
        client: Any,
        stream: str,
        *,
        live: bool,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._stream = stream
        self._live = live
        self._clock = clock
        self._sleep = sleep

    def send(
        self,
        records: Iterable[Sent],
        on_progress: Callable[[Report], None] | None = None,
    ) -> Report:
        """Send all of them. Raises MillraceError when the stream keeps refusing some."""
        report, begin = Report(), self._clock()
        for batch in self._batches(records):
            self._put(batch, report)
            report.seconds = self._clock() - begin
            if on_progress:
                on_progress(report)
        return report

    def _batches(self, records: Iterable[Sent]) -> Iterator[list[Sent]]:
        batch: list[Sent] = []
        size = 0
        for sent in records:
            early = sent.time - self._clock() * 1000 if self._live else 0.0
            weight = len(sent.data) + len(sent.device)
            if batch and (early > 0 or len(batch) == MOST_RECORDS or size + weight > MOST_BYTES):
                yield batch
                batch, size = [], 0
            if early > 0:
                self._sleep((early + TURN_MS) / 1000)
            batch.append(sent)
            size += weight
        if batch:
            yield batch

    def _put(self, batch: list[Sent], report: Report) -> None:
        """PutRecords succeeds although it took only some entries: the others are put again."""
        left: list[dict[str, Any]] = [{"Data": s.data, "PartitionKey": s.device} for s in batch]
        for attempt in range(ATTEMPTS):
            answer = self._client.put_records(StreamName=self._stream, Records=left)
            report.requests += 1
            refused = [
                (entry, result["ErrorCode"])
                for entry, result in zip(left, answer["Records"], strict=True)
                if result.get("ErrorCode")
            ]
            if not refused:
                report.sent += len(batch)
                report.bytes += sum(len(sent.data) for sent in batch)
                return
            report.retried += len(refused)
            left = [entry for entry, _ in refused]
            self._sleep(random.uniform(0, min(5.0, 0.05 * 2**attempt)))
        raise MillraceError(
            f"{self._stream} refused {len(left)} records {ATTEMPTS} times ({refused[0][1]})."
        )
