"""What the detectors find beside two plain z-scores and half-space trees: `make bench-detect`.

An anomaly is found when an alarm falls into its window; an alarm outside of every window is a
false one. Alarms less than CLEAR_AFTER readings apart are one, for the peers as for ours. Ours
runs with its default thresholds. Each peer gets the one alarm threshold for a whole set that
gives it the best F1 there, found by trying them with the labels at hand; a z-score is shown with
the threshold that ours has, 6, as well.

`--nab FOLDER` adds the Numenta Anomaly Benchmark from a checkout of its repository (real series,
on which one constant of ours, the pace of the tail, was chosen). Of the generated fleet ours knows
the limits of each type, as deployed, and the peers do not. Writes build/bench/detect.json, and
detect_<set>.json and detect_speed.json in the form of every benchmark.
"""

import argparse
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.detect_data import Series, save, sets
from benchmarks.harness import RESULTS, Worker, interleave, report

CLEAR_AFTER = 5
PEERS = ("river==0.26.1",)
SHIPPED = "sktime==1.2.0"
SHIPPED_FILES = ("mitdb", "yahoo")
OUR_Z = 6.0
Z_THRESHOLDS = (3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0)
SHARES = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)
"""Of a set's readings that a score in 0..1 may call abnormal."""
GOALS = {
    "ours_vs_z_rolling": {"at_least": 1.0},
    "ours_vs_z_running": {"at_least": 1.0},
    "ours_vs_half_space_trees": {"at_least": 1.0},
}
SPEED_GOALS = {"ours_vs_half_space_trees": {"at_least": 20.0}}
SPEED_SERIES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nab", type=Path, help="a checkout of the Numenta Anomaly Benchmark")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    data = sets(arguments.nab, shipped())
    paths = {name: RESULTS / f"detect-{name.replace(' ', '-')}.json" for name in data}
    for name, series in data.items():
        save(series, paths[name])
    speed_path = RESULTS / "detect-speed-series.json"
    save(data["generated fleet"][:SPEED_SERIES], speed_path)
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(argv)) for name, argv in commands().items()}
        figures = {name: measure(workers, paths[name], series) for name, series in data.items()}
        request = {"path": str(speed_path)}
        samples = interleave(workers, request, arguments.rounds, clock="cpu")
    readings = sum(len(one.readings) for one in data["generated fleet"][:SPEED_SERIES])
    quality(figures)
    report("detect_speed", "CPU us a reading", samples, SPEED_GOALS, scale=1e6 / readings)


def commands() -> dict[str, list[str]]:
    """How to start each method's worker; what cannot be had is announced."""
    module = "benchmarks.detect_methods"
    found = {
        name: [sys.executable, "-m", module, name] for name in ("ours", "z_rolling", "z_running")
    }
    if python := peer_python():
        found["half_space_trees"] = [str(python), "-m", module, "half_space_trees"]
    else:
        print("SKIPPED: half-space trees (river cannot be installed)", file=sys.stderr)
    return found


def peer_python() -> Path | None:
    """The python of an environment with river, or None when it cannot be installed."""
    folder = RESULTS / "detect-venv"
    python, done = folder / "bin" / "python", folder / ".installed"
    if done.exists() and done.read_text() == repr(PEERS):
        return python
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    if subprocess.run([str(python), "-m", "pip", "install", "-q", *PEERS]).returncode:
        return None
    done.write_text(repr(PEERS))
    return python


def shipped() -> Path | None:
    """A folder with the labelled series that a published package ships, or None without them."""
    folder = RESULTS / "detect-shipped"
    if not all((folder / f"{name}.csv").exists() for name in SHIPPED_FILES):
        python = RESULTS / "detect-venv" / "bin" / "python"
        if peer_python() is None:
            return None
        command = [
            str(python),
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "-d",
            str(folder),
            SHIPPED,
        ]
        if subprocess.run(command).returncode:
            print(f"SKIPPED: the series of {SHIPPED} (not to be had)", file=sys.stderr)
            return None
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as package:
            for name in SHIPPED_FILES:
                text = package.read(f"sktime/datasets/data/{name}/{name}.csv")
                (folder / f"{name}.csv").write_bytes(text)
        wheel.unlink()
    return folder


def measure(workers: dict[str, Worker], path: Path, series: list[Series]) -> dict[str, Any]:
    """Precision and recall of every method on one set."""
    figures = {}
    for name, worker in workers.items():
        answers = worker.ask({"path": str(path), "answer": True})["answers"]
        if name == "ours":
            figures[name] = judge(series, answers)
            continue
        tried = [
            judge(
                series, [alarms(s, scores, at) for s, scores in zip(series, answers, strict=True)]
            )
            | {"threshold": at}
            for at in thresholds(name, answers)
        ]
        figures[name] = max(tried, key=lambda figure: figure["f1"])
        figures |= {f"{name}_6": each for each in tried if each["threshold"] == OUR_Z}
    return figures


def thresholds(method: str, answers: list[list[float]]) -> Sequence[float]:
    if method.startswith("z_"):
        return Z_THRESHOLDS
    scores = sorted((score for each in answers for score in each), reverse=True)
    return sorted({scores[int(share * len(scores))] for share in SHARES})


def alarms(series: Series, scores: Sequence[float], threshold: float) -> list[int]:
    """When a peer begins to alarm."""
    begins, calm = [], CLEAR_AFTER
    for (time, _), score in zip(series.readings, scores, strict=True):
        if score <= threshold:
            calm += 1
            continue
        if calm >= CLEAR_AFTER:
            begins.append(time)
        calm = 0
    return begins


def judge(series: list[Series], told: list[list[int]]) -> dict[str, Any]:
    windows = found = alarms_ = true = 0
    for one, times in zip(series, told, strict=True):
        judged = [time for time in times if time >= one.judged_from]
        spans = [(begin, end) for begin, end in one.windows if end >= one.judged_from]
        windows += len(spans)
        found += sum(any(begin <= t <= end for t in judged) for begin, end in spans)
        alarms_ += len(judged)
        true += sum(any(begin <= t <= end for begin, end in spans) for t in judged)
    precision = true / alarms_ if alarms_ else 0.0
    recall = found / windows if windows else 0.0
    both = precision + recall
    return {
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * precision * recall / both, 3) if both else 0.0,
        "windows": windows,
        "found": found,
        "alarms": alarms_,
        "false_alarms": alarms_ - true,
    }


def quality(figures: dict[str, dict[str, Any]]) -> None:
    """Print a table a set, and its F1 in the form of every benchmark."""
    for name, methods in figures.items():
        print(f"\ndetect: {name}\n  {'':18} precision  recall     F1   found        false alarms")
        for method, f in methods.items():
            print(
                f"  {method:18} {f['precision']:9.2f} {f['recall']:7.2f} {f['f1']:6.2f}   "
                f"{f['found']:>4} of {f['windows']:<5} {f['false_alarms']:>6}"
                + (f"   (threshold {f['threshold']:.3g})" if "threshold" in f else "")
            )
        # Set by set: a mean over them would hide on which of them ours is worse.
        samples = {method: [max(f["f1"], 0.001)] for method, f in methods.items()}
        report(f"detect_{name.replace(' ', '_')}", "F1 of 100", samples, GOALS, 100.0, True)
    (RESULTS / "detect.json").write_text(
        json.dumps({"benchmark": "detect", "sets": figures}, indent=2) + "\n"
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
