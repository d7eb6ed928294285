"""What the parts of ingest's handler take: `python -m benchmarks.ingest_parts [--rounds N]`.

All of `Ingestion.work_off` for 10,000 records (1 % of them no JSON) of 100, 500 and 5,000 known
devices, with botocore clients that are answered in this process: CPU, one thread, median of the
rounds. Not in it: sockets and TLS, waiting for AWS, tracing. Writes build/bench/ingest_parts.json.
"""

import argparse
import datetime as dt
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from benchmarks.answered_aws import AnsweredAws
from benchmarks.harness import RESULTS
from benchmarks.ingest_records import RECORDS, batch, warm_up_batch
from lambdas.core import observability
from lambdas.core.quarantine import quarantine_in
from lambdas.core.table_store import Table
from lambdas.telemetry import committing, device_store, ingestion
from lambdas.telemetry.device_store import DeviceStore
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.ingestion import Ingestion, Tally
from lambdas.telemetry.raw_store import RawStore
from lambdas.telemetry.records import Limits

FLEETS = (100, 500, 5_000)
PARTS: dict[str, tuple[Any, str]] = {
    "take records apart": (ingestion, "take_apart"),
    "write the raw file": (RawStore, "keep"),
    "read states": (DeviceStore, "load_many"),
    "decode states": (device_store, "unpacked"),
    "fold records into states": (committing, "fold"),
    "encode states": (device_store, "packed"),
    "write states": (DeviceStore, "save"),
    "quarantine": (Ingestion, "_set_aside"),
}
"""Where each part is entered; none is entered within another."""
REST = "threads and the rest"


class Stopwatch:
    """CPU seconds of each part, from when they are told to be timed."""

    def __init__(self, aws: AnsweredAws) -> None:
        self._aws = aws
        self.spent: dict[str, float] = defaultdict(float)
        for part, (owner, name) in PARTS.items():
            setattr(owner, name, self._timed(part, getattr(owner, name)))

    def now(self) -> float:
        """Seconds of CPU of all threads but those that the answers took."""
        return time.process_time() - self._aws.spent

    def _timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = self.now()
            try:
                return call(*args, **kwargs)
            finally:
                self.spent[part] += self.now() - began

        return timed


def measure(devices: int, rounds: int, aws: AnsweredAws, watch: Stopwatch) -> dict[str, Any]:
    """Median milliseconds of each part and of all together; calls of AWS of one batch."""
    worker = Ingestion(
        DeviceStore(Table("telemetry", aws.dynamodb)),
        RawStore("raw", aws.s3),
        quarantine_in("quarantine", "ingest", aws.s3),
        Limits(),
        threads=1,
        clock=lambda: dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC),
    )
    types = DeviceTypes({})
    aws.keeps = True
    worker.work_off(warm_up_batch(devices), types, Tally())
    aws.keeps = False
    samples: dict[str, list[float]] = {name: [] for name in (*PARTS, REST, "together")}
    for _ in range(rounds + 1):
        records, tally = batch(devices), Tally()
        watch.spent.clear()
        calls, began = aws.calls, watch.now()
        worker.work_off(records, types, tally)
        together = watch.now() - began
        assert tally.accepted + tally.quarantined == RECORDS
        for part in PARTS:
            samples[part].append(watch.spent[part])
        samples[REST].append(together - sum(watch.spent.values()))
        samples["together"].append(together)
    taken = {name: statistics.median(found[1:]) * 1000 for name, found in samples.items()}
    return {"devices": devices, "aws_calls": aws.calls - calls, "cpu_ms": taken}


def text(results: list[dict[str, Any]]) -> str:
    """A line for each part: milliseconds and share, fleet beside fleet."""
    heads = "".join(f"{one['devices']:>9,} devices" for one in results)
    lines = [f"\ningest, CPU ms for {RECORDS:,} records (one thread)", f"  {'':26}{heads}"]
    for name in (*PARTS, REST, "together"):
        cells = ""
        for one in results:
            share = one["cpu_ms"][name] / one["cpu_ms"]["together"]
            cells += f"{one['cpu_ms'][name]:>10.0f} {share:>5.0%} "
        lines.append(f"  {name:26}{cells}")
    calls = "".join(f"{one['aws_calls']:>10,} {'':6}" for one in results)
    return "\n".join([*lines, f"  {'calls of AWS':26}{calls}"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="after one to warm up (default 7)")
    rounds = parser.parse_args().rounds
    observability.logger().setLevel("CRITICAL")  # what is refused is told each time
    aws = AnsweredAws()
    watch = Stopwatch(aws)
    results = [measure(devices, rounds, aws, watch) for devices in FLEETS]
    print(text(results))
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "ingest_parts.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
