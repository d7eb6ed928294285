"""Side-by-side measurement that another machine's load cannot tilt.

Every method lives in one process of its own for the whole run and takes part in every round, in
an order that moves on from round to round; a figure is the median over the rounds. Only ratios
from one run mean anything: absolute times belong to the machine.

A worker reads one JSON request a line from standard input and answers one JSON object a line:
`{"wall": 0.08, "cpu": 0.08, ...}`, seconds timed by itself, so that the pipe is not measured.
For methods held to one thread both clocks agree on an idle machine; on a busy one `cpu` is fairer.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

RESULTS = Path("build/bench")
Samples = dict[str, list[float]]
Clock = Literal["wall", "cpu"]


class Worker:
    """One method's long-lived process. Raises RuntimeError when it stops answering."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


def serve(run: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """A Python worker's side: answer every request with `run`'s result and the time it took."""
    for line in sys.stdin:
        request = json.loads(line)
        wall, cpu = time.perf_counter(), time.process_time()
        answer = run(request)
        took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps({**took, **answer}), flush=True)


def interleave(
    workers: Mapping[str, Worker],
    request: Mapping[str, Any],
    rounds: int,
    clock: Clock = "wall",
    warm_up: int = 1,
) -> Samples:
    """Seconds per method and round. The first `warm_up` rounds are thrown away."""
    samples: Samples = {name: [] for name in workers}
    names = list(workers)
    for turn in range(warm_up + rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            seconds = float(workers[name].ask(request)[clock])
            if turn >= warm_up:
                samples[name].append(seconds)
    return samples


def report(
    name: str,
    unit: str,
    samples: Samples,
    goals: Mapping[str, Mapping[str, float]],
    scale: float = 1.0,
    more_is_better: bool = False,
) -> dict[str, Any]:
    """Write `build/bench/<name>.json`, print it as a table, and return it.

    A ratio above 1 means that ours is better. Goals are kept only for ratios that were measured.
    """
    methods = {
        method: {
            "median": round(statistics.median(values) * scale, 4),
            "min": round(min(values) * scale, 4),
            "max": round(max(values) * scale, 4),
        }
        for method, values in samples.items()
    }
    ours = methods["ours"]["median"]
    ratios = {
        f"ours_vs_{method}": round(
            ours / figures["median"] if more_is_better else figures["median"] / ours, 3
        )
        for method, figures in methods.items()
        if method != "ours"
    }
    result = {
        "benchmark": name,
        "unit": unit,
        "rounds": len(samples["ours"]),
        "methods": methods,
        "ratios": ratios,
        "goals": {ratio: dict(goal) for ratio, goal in goals.items() if ratio in ratios},
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(table(result))
    return result


def table(result: Mapping[str, Any]) -> str:
    """The result for people: a line per method, then a line per goal."""
    lines = [f"\n{result['benchmark']} ({result['unit']}, median of {result['rounds']})"]
    for method, figures in result["methods"].items():
        ratio = result["ratios"].get(f"ours_vs_{method}")
        lines.append(
            f"  {method:28} {figures['median']:9.1f}   ({figures['min']:.1f} to "
            f"{figures['max']:.1f})" + (f"   ours is {ratio:.2f}x" if ratio else "")
        )
    for ratio, goal in result["goals"].items():
        lines.append(f"  goal {ratio}: {_verdict(result['ratios'][ratio], goal)}")
    return "\n".join(lines)


def _verdict(value: float, goal: Mapping[str, float]) -> str:
    met = value >= goal.get("at_least", value) and value <= goal.get("at_most", value)
    wanted = ", ".join(f"{kind.replace('_', ' ')} {bound:g}" for kind, bound in goal.items())
    return f"{value:g} ({wanted}): {'reached' if met else 'MISSED'}"
