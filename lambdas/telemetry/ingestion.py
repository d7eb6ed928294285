"""A batch from decoding to the last write, so that a batch that comes again changes nothing twice.

Order: good records go to the raw bucket, then each device is written on its own, all or nothing,
at last what cannot be a record goes to quarantine, in one object. A fault raises, so that the whole
batch comes again: the devices that are written know it by their checkpoints, the files overwrite
themselves.
"""

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import msgspec

from lambdas.core import observability
from lambdas.core.quarantine import Quarantine
from lambdas.core.stream import tell_reasons
from lambdas.telemetry.batches import Batch, KinesisRecord, Refused
from lambdas.telemetry.committing import Committer
from lambdas.telemetry.device_store import DeviceStore, Loaded
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.folding import Fold
from lambdas.telemetry.raw_store import RawStore
from lambdas.telemetry.records import Checker, Limits
from lambdas.telemetry.taking_apart import take_apart


class Tally(msgspec.Struct):
    """What became of the records; received = accepted + duplicates + quarantined.

    `received` is counted where records come in, the others where each of them ends: when they
    differ, records were lost on the way. Redelivered ones come on top: they were received by the
    batch that worked on them first. Those of a batch that fails are received when it is done.
    """

    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    redelivered: int = 0
    registered: int = 0
    anomalies: int = 0

    @property
    def ended(self) -> int:
        """Records that are one of the three."""
        return self.accepted + self.duplicates + self.quarantined

    def count(self, step: Fold) -> None:
        """What one written step has done."""
        self.accepted += step.accepted
        self.duplicates += step.duplicates
        self.quarantined += len(step.refused)
        self.redelivered += step.redelivered
        self.registered += step.is_first
        self.anomalies += step.anomalies


class Ingestion:
    """Works batches off; made once per process, so that it remembers names it has checked."""

    def __init__(
        self,
        store: DeviceStore,
        raw: RawStore,
        quarantine: Quarantine,
        limits: Limits,
        *,
        threads: int = 8,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._store = store
        self._raw = raw
        self._quarantine = quarantine
        self._limits = limits
        self._threads = threads  # a write is nearly all waiting
        self._clock = clock
        self._checker = Checker(limits)

    def work_off(self, records: Sequence[KinesisRecord], types: DeviceTypes, tally: Tally) -> None:
        """Work off a batch of one shard, and count into `tally` what is done, step by step.

        Raises what the first failing device raised, once all others are done.
        """
        batch = take_apart(records, self._checker)
        ended, redelivered = tally.ended, tally.redelivered
        try:
            self._work_off(batch, records, types, tally)
        except BaseException:
            tally.received += tally.ended - ended
            raise
        came = len(records) + batch.unpacked
        tally.received += came - (tally.redelivered - redelivered)

    def _work_off(
        self, batch: Batch, records: Sequence[KinesisRecord], types: DeviceTypes, tally: Tally
    ) -> None:
        with ThreadPoolExecutor(self._threads) as pool:
            ends = [record["kinesis"]["sequenceNumber"] for record in (records[0], records[-1])]
            self._raw.keep(batch, *ends)
            self._write_devices(batch, types, tally, pool)
        if batch.refused:
            self._set_aside(batch.refused)
        tally.quarantined += len(batch.refused)

    def _write_devices(
        self, batch: Batch, types: DeviceTypes, tally: Tally, pool: ThreadPoolExecutor
    ) -> None:
        committer = Committer(
            self._store,
            types,
            self._set_aside,
            keep_days=self._limits.rollup_days,
            trace=observability.trace_header(),
            clock=self._clock,
        )
        known = self._store.load_many(batch.devices)
        lock = threading.Lock()

        def write(device: str) -> None:
            loaded = known.get(device, Loaded())
            for step in committer.work_off(loaded, batch.devices[device]):
                with lock:
                    tally.count(step)

        written = [pool.submit(observability.untraced(write), device) for device in batch.devices]
        wait(written)
        for future in written:
            future.result()

    def _set_aside(self, refused: list[Refused]) -> None:
        self._quarantine((one.record, one.poison) for one in refused)
        tell_reasons([one.poison for one in refused])
