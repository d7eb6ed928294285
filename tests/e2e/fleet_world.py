"""A simulated fleet on local AWS: its records sent amid trouble, and what became of them."""

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lambdas.core.quarantine import kept_in
from lambdas.core.table_store import Table
from lambdas.telemetry.device_state import DeviceState
from lambdas.telemetry.device_store import DeviceStore
from lambdas.telemetry.queries_metrics import snapshot
from lambdas.telemetry.rollups import MILLISECONDS, Rollup, Step
from millrace.telemetry.duckdb_rollups import RawFiles
from millrace.telemetry.fleet import Fleet
from millrace.telemetry.lake import Lake
from millrace.telemetry.simulate import Sender
from tests.e2e.world import World, wait_until

SAMPLE = 20

Windows = dict[tuple[str, str, int], Rollup]
"""Rollups by device, metric and start."""


class Killer:
    """Kills a function's process each time that `progress` has grown by `step`: amid its work.

    By the clock, a busy machine would kill each process before it has done anything. `killed`
    counts them.
    """

    def __init__(
        self, world: World, function: str, progress: Callable[[], int], step: float
    ) -> None:
        self.killed = 0
        self._world = world
        self._function = function
        self._progress = progress
        self._step = step
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        due = self._step
        while not self._over.wait(0.3):
            done = self._progress()
            if done < due:
                continue
            due = done + self._step
            for worker in self._world.workers(self._function)[:1]:
                worker.kill()
                self.killed += 1


class FleetWorld:
    """One fleet's records in the applied environment."""

    def __init__(self, world: World, fleet: Fleet) -> None:
        self.fleet = fleet
        self.ids = [device.id for device in fleet.devices]
        self._world = world
        self._began = int(time.time() * 1000)
        outputs = world.outputs
        self._store = DeviceStore(Table(outputs["telemetry_table"], world.client("dynamodb")))
        self._lake = Lake(world.client("s3"), outputs["telemetry_raw_bucket"])

    def send(self) -> int:
        """Put every record on the stream; how many."""
        stream = self._world.outputs["telemetry_stream"]
        sender = Sender(self._world.client("kinesis"), stream, live=False)
        return sender.send(self.fleet.records()).sent

    def states(self) -> list[DeviceState]:
        loaded = self._store.load_many(self.ids).values()
        return [state for found in loaded if (state := found.state) is not None]

    def sampled(self) -> int:
        """How many records of some of the devices were worked on."""
        loaded = self._store.load_many(self.ids[:SAMPLE]).values()
        return sum(state.received for found in loaded if (state := found.state) is not None)

    def wait_for_all(self, seconds: float) -> list[DeviceState]:
        """The states, once every record that is not broken was worked on."""
        wanted = self.fleet.tally.good + self.fleet.tally.duplicates
        nearly = 0.98 * SAMPLE * self.fleet.readings_each  # some are broken, and will never come

        def look() -> list[DeviceState] | None:
            # Reading all states takes time from those who write them: only when these are done.
            if self.sampled() < nearly:
                return None
            states = self.states()
            return states if sum(state.received for state in states) >= wanted else None

        return wait_until(f"{wanted} records worked on", look, seconds)

    def quarantined(self) -> Counter[str]:
        """The reasons of what was put in quarantine."""
        s3, bucket = self._world.client("s3"), self._world.outputs["quarantine_bucket"]
        function = self._world.outputs["functions"]["ingest-telemetry"]
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"quarantine/{function}/"
        )
        names = [item["Key"] for page in pages for item in page.get("Contents", ())]

        def read(name: str) -> list[Any]:
            return list(kept_in(name, s3.get_object(Bucket=bucket, Key=name)["Body"].read()))

        with ThreadPoolExecutor(8) as pool:
            kept = itertools.chain.from_iterable(pool.map(read, names))
        # A batch that was cut after it had been kept is kept again in its parts.
        each = {json.dumps(one["record"]): one for one in kept}
        return Counter(
            one["reason"]
            for one in each.values()
            if one["record"]["kinesis"]["partitionKey"].startswith(self.fleet.prefix)
        )

    def rollups(self, step: Step) -> Windows:
        """What the table and the states hold, read as the HTTP API reads it."""
        length = MILLISECONDS[step]
        begin = self.fleet.start - self.fleet.start % length - length
        end = self.fleet.start + self.fleet.readings_each * self.fleet.interval_ms + length

        def of_device(device: str) -> Iterator[tuple[tuple[str, str, int], Rollup]]:
            found = snapshot(self._store, device, step, begin, end)
            for start, metrics in found.windows.items():
                for metric, rollup in metrics.items():
                    yield (device, metric, start), rollup

        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda device: list(of_device(device)), self.ids)
            return {key: rollup for some in found for key, rollup in some}

    def raw(self, directory: Path) -> RawFiles:
        """The raw files that arrived since the fleet was made."""
        files = self._lake.files(self._began, int(time.time() * 1000) + 1)
        assert files
        return RawFiles(self._lake.download(files, directory), self.fleet.prefix)
