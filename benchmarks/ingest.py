"""The work of ingest beside its peers: `python -m benchmarks.ingest [--rounds N] [--quick]`.

10,000 Kinesis records, 1 % of them no JSON: decode, check, detect, aggregate. The peers feed an
EWMA, a set of seen numbers and plain minute sums; ours checks times and sizes as well, keeps each
record for the raw file, and feeds the real detectors and rollups with sketches: it does more.
Powertools' typed parser needs no checks by hand, so it is about as fast as stdlib. Writes
build/bench/ingest.json and ingest_cost.json. Peers that cannot be installed are named and left out.
"""

import argparse
import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks import ingest_cost
from benchmarks.harness import RESULTS, Worker, interleave, report
from benchmarks.ingest_records import BEGIN, RECORDS

PEERS = ("orjson==3.13.0", "pydantic==2.14.3", "aws-lambda-powertools==3.37.0", "msgspec==0.22.0")
GOALS = {
    "ours_vs_stdlib": {"at_least": 2.5},
    "ours_vs_powertools": {"at_least": 4.5},
    # The limit is always faster than us: at most 3.8x of it.
    "ours_vs_floor": {"at_least": round(1 / 3.8, 3)},
}


def peers_python() -> Path | None:
    """An environment's python with the peers, or None when they cannot be installed."""
    folder = RESULTS / "ingest-venv"
    python, done = folder / "bin" / "python", folder / ".installed"
    if done.exists() and done.read_text() == repr(PEERS):
        return python
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    installed = subprocess.run([str(python), "-m", "pip", "install", "-q", *PEERS])
    if installed.returncode:
        return None
    done.write_text(repr(PEERS))
    return python


def commands() -> dict[str, list[str]]:
    """How to start each method's worker."""
    own = [sys.executable, "-m", "benchmarks.ingest_methods"]
    found = {name: [*own, name] for name in ("ours", "stdlib", "floor")}
    python = peers_python()
    if python is None:
        print("SKIPPED: orjson, pydantic, powertools (cannot be installed)", file=sys.stderr)
        return found
    for name in ("orjson", "pydantic", "powertools"):
        found[name] = [str(python), "-m", "benchmarks.ingest_methods", name]
    return found


def check(workers: dict[str, Worker]) -> None:
    """All methods refuse the same records and make the same minutes; raises SystemExit."""
    answers = {name: worker.ask({"check": True}) for name, worker in workers.items()}
    expected = answers["stdlib"]
    for name, answer in answers.items():
        if answer["invalid"] != expected["invalid"]:
            raise SystemExit(f"{name} refuses {answer['invalid']}, stdlib {expected['invalid']}")
        if name != "floor" and _whole(answer["minutes"]) != _whole(expected["minutes"]):
            raise SystemExit(f"{name} and stdlib make different minutes")
    print(f"all methods agree: {expected['invalid']} of {RECORDS} refused, the same minutes")


def _whole(minutes: dict[str, list[float]]) -> dict[str, list[float]]:
    """The minutes that hold records of the measured batch alone."""
    whole = {k: v for k, v in minutes.items() if int(k.rpartition("/")[2]) >= BEGIN + 60_000}
    assert whole
    return whole


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="interleaved rounds (default 11)")
    parser.add_argument("--quick", action="store_true", help="3 rounds, no cost: a smoke test")
    options = parser.parse_args()
    rounds = 3 if options.quick else max(7, options.rounds)
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(a)) for name, a in commands().items()}
        check(workers)
        samples = interleave(workers, {}, rounds, "cpu", warm_up=2)
    result = report("ingest", f"cpu ms for {RECORDS:,} records", samples, GOALS, scale=1000)
    median = result["methods"]["ours"]["median"]
    print(f"  ours takes {RECORDS / median * 1000:,.0f} records a second and core")
    if options.quick:
        return
    bills = [
        ingest_cost.bill(devices=500, every_seconds=1, minutes=3, window_seconds=5),
        ingest_cost.bill(devices=500, every_seconds=10, minutes=15, window_seconds=5),
    ]
    for one in bills:
        print(ingest_cost.text(one))
    (RESULTS / "ingest_cost.json").write_text(json.dumps(bills, indent=2) + "\n")


if __name__ == "__main__":
    main()
