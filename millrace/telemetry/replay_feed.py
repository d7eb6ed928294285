"""Feed raw files to the code that took their records in, as if they came from the stream again."""

import hashlib
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
    lane: str
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
        checkpoints what they have worked off. Raises MillraceError for a file that is broken, and
        when a file that was worked off is gone or a new one sorts before it: its records would be
        taken for redelivered ones, or never be read.
        """
        done = self._shadow.checkpoint() or Checkpoint()
        listed = _Listed(files)
        if done.files > len(files) or done.digest != listed.digest(done.files):
            raise MillraceError(
                f"Of the {done.files:,} raw files that were read, one is gone, or another came to "
                "lie among them: begin anew with --restart."
            )
        on_progress(done)
        for last, arrived in self._batches(files[done.files :]):
            self._commit(arrived)
            number = listed.number(last)
            done = Checkpoint(
                files=number,
                digest=listed.digest(number),
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
            lane=row.lane,  # not the shard: files of one shard overlap where a device has many keys
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


class _Listed:
    """Files in their order, and what tells that the first so many of them are still the same."""

    def __init__(self, files: list[RawFile]) -> None:
        self._numbers: dict[RawFile, int] = {}
        self._digests = [""]
        running = hashlib.blake2s(digest_size=16)
        for number, file in enumerate(files, start=1):
            self._numbers[file] = number
            running.update(file.key.encode())
            self._digests.append(running.hexdigest())

    def number(self, file: RawFile) -> int:
        """Its place, from 1 on."""
        return self._numbers[file]

    def digest(self, count: int) -> str:
        """Of the keys of the first `count` files; of none it is empty."""
        return self._digests[count]
