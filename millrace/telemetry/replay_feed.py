"""Feed raw files to the code that took their records in, as if they came from the stream again."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec

from lambdas.telemetry.batches import Arrived
from lambdas.telemetry.committing import Committer
from lambdas.telemetry.device_store import DeviceStore, Loaded
from lambdas.telemetry.records import Record
from millrace.errors import MillraceError
from millrace.telemetry.lake import Lake, RawFile
from millrace.telemetry.replay_shadow import Checkpoint, ShadowTable

BATCH_ROWS = 20_000
"""Rows worked off at once: a device is written once for each batch it is in."""
_AT_ONCE = 8


class _Row(Record):
    """A record with how it came."""

    arrival: int
    shard: str
    position: str


class Feed:
    """Works off raw files into a shadow. `committer` writes there."""

    def __init__(self, lake: Lake, shadow: ShadowTable, committer: Committer) -> None:
        self._lake = lake
        self._shadow = shadow
        self._store = DeviceStore(shadow)
        self._committer = committer
        self._decode = msgspec.json.Decoder(_Row).decode

    def work_off(
        self, files: list[RawFile], on_progress: Callable[[Checkpoint], None]
    ) -> Checkpoint:
        """Work off the files that the checkpoint does not know; returns where that ended.

        Killed at any point and run again, the shadow is the same: its devices know by their own
        checkpoints what they have worked off. Raises MillraceError for a file that is broken.
        """
        done = self._shadow.checkpoint() or Checkpoint()
        place = {file.key: number for number, file in enumerate(files, start=1)}
        if done.after and done.after not in place:
            raise MillraceError(f"The file {done.after} is gone: begin anew with --restart.")
        on_progress(done)
        for last, arrived in self._batches(files[place.get(done.after, 0) :]):
            self._commit(arrived)
            done = Checkpoint(
                after=last.key,
                files=place[last.key],
                records=done.records + len(arrived),
            )
            self._shadow.save(done)
            on_progress(done)
        return done

    def _batches(self, files: list[RawFile]) -> Iterator[tuple[RawFile, list[Arrived]]]:
        """Records of whole files, each position once, and the last of these files."""
        batch: dict[tuple[str, str], Arrived] = {}
        last = None
        for last, lines in self._lake.every(files):
            for line in lines:
                arrived = self._arrived(last, line)
                batch[arrived.lane, arrived.position] = arrived
            if len(batch) >= BATCH_ROWS:
                yield last, list(batch.values())
                batch = {}
        if last is not None and batch:
            yield last, list(batch.values())

    def _arrived(self, file: RawFile, line: bytes) -> Arrived:
        try:
            row = self._decode(line)
        except msgspec.DecodeError as error:
            raise MillraceError(f"{file.key} has a row that is no record: {error}") from error
        sequence, _, part = row.position.partition("/")
        return Arrived(
            record=row,
            arrival=row.arrival,
            lane=row.shard,  # a device's records are in order in its shard, whatever their key was
            text=line,
            source={"kinesis": {"sequenceNumber": sequence}},
            part=int(part or -1),
        )

    def _commit(self, batch: list[Arrived]) -> None:
        devices: dict[str, list[Arrived]] = {}
        for arrived in sorted(batch, key=lambda one: (int(one.sequence), one.part)):
            devices.setdefault(arrived.record.device, []).append(arrived)
        known = self._store.load_many(devices)

        def write(device: str) -> None:
            for _ in self._committer.work_off(known.get(device, Loaded()), devices[device]):
                pass

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(write, devices):
                pass
