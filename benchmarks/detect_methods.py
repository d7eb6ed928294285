"""The methods of `benchmarks.detect`: `python -m benchmarks.detect_methods METHOD` is a worker.

A request names a file of series. Ours answers when it told the begin of an anomaly; a peer answers
a score for every reading, and its alarm threshold is chosen for it afterwards.
"""

import json
import math
import sys
from collections import deque
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.harness import serve

WINDOW = 100
"""Readings that the rolling z-score looks back on."""
WARM_UP = 30

Readings = list[list[float]]


def ours() -> Callable[[dict[str, Any]], list[float]]:
    """The detectors as they are deployed, with their default thresholds besides the series' own."""
    from lambdas.telemetry.detectors import SeriesState, observe
    from lambdas.telemetry.thresholds import Thresholds

    def begins(series: dict[str, Any]) -> list[float]:
        told = observe(SeriesState(), Thresholds(**series["limits"]), series["readings"])
        return [finding.time for finding in told if not finding.ended]

    return begins


def z_rolling(readings: Readings) -> list[float]:
    """Deviations from the mean of the last 100 readings."""
    last: deque[float] = deque()
    total = squares = 0.0
    scores = []
    for _, value in readings:
        count = len(last)
        score = 0.0
        if count >= WARM_UP:
            mean = total / count
            score = abs(value - mean) / math.sqrt(max(squares / count - mean * mean, 1e-12))
        scores.append(score)
        last.append(value)
        total += value
        squares += value * value
        if count == WINDOW:
            old = last.popleft()
            total -= old
            squares -= old * old
    return scores


def z_running(readings: Readings) -> list[float]:
    """Deviations from the mean of all readings so far."""
    mean = squares = 0.0
    scores = []
    for count, (_, value) in enumerate(readings):
        off = value - mean
        score = abs(off) / math.sqrt(max(squares / count, 1e-12)) if count >= WARM_UP else 0.0
        scores.append(score)
        mean += off / (count + 1)
        squares += off * (value - mean)
    return scores


def half_space_trees() -> Callable[[Readings], list[float]]:
    """river's HalfSpaceTrees with its defaults, on values scaled to 0..1 as its manual asks."""
    # Only this worker's environment has it.
    anomaly, preprocessing = map(import_module, ("river.anomaly", "river.preprocessing"))

    def scores(readings: Readings) -> list[float]:
        scale, trees = preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=42)
        found = []
        for _, value in readings:
            features = {"value": value}
            scale.learn_one(features)
            scaled = scale.transform_one(features)
            found.append(trees.score_one(scaled))
            trees.learn_one(scaled)
        return found

    return scores


def scorer(method: str) -> Callable[[Readings], list[float]]:
    if method == "half_space_trees":
        return half_space_trees()
    return {"z_rolling": z_rolling, "z_running": z_running}[method]


def main(method: str) -> None:
    begins = ours() if method == "ours" else None
    score = None if begins else scorer(method)
    known: dict[str, Any] = {}

    def run(request: dict[str, Any]) -> dict[str, Any]:
        path = request["path"]
        if path not in known:  # in the warm-up, which is not counted
            known[path] = json.loads(Path(path).read_text())
        series = known[path]
        answers = [
            begins(one) if begins else score(one["readings"])  # type: ignore[misc]
            for one in series
        ]
        return {"answers": answers} if request.get("answer") else {}

    serve(run)


if __name__ == "__main__":
    main(sys.argv[1])
