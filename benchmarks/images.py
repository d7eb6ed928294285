"""The image kernel beside its peers: `python -m benchmarks.images [--rounds N] [--quick]`.

Writes build/bench/images.json (12 megapixels), images_24mp.json, images_memory.json and
images_quality.json. The peers are installed into build/bench; one that cannot be had is named
and left out, never silently.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.harness import RESULTS, Clock, Worker, interleave, report
from benchmarks.images_methods import WIDTHS
from lambdas.image_pipeline.libvips import libvips

ONE_THREAD = {
    "VIPS_CONCURRENCY": "1",
    "UV_THREADPOOL_SIZE": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",  # as the function is deployed; the peers may have it too
}
SHARP = "sharp@0.35.5"
PYTHON_PEERS = ("simplejpeg==1.9.0", "ssimulacra2==0.3.0", "pillow==13.0.0")
PHOTOS = {"12mp": (4032, 3024), "24mp": (6000, 4000)}
PEAK_BUDGET_MB = 70.0
QUALITY_SLACK = 0.6

COMMON_GOALS = {
    "ours_vs_sharp_idiomatic": {"at_least": 2.0},
    "ours_vs_sharp_tuned": {"at_least": 0.97},
    "ours_vs_pillow_naive": {"at_least": 6.0},
}
# The limit is always faster than us: at most 1.7x (12 megapixels) and 1.45x (24) of it.
GOALS = {
    "12mp": {**COMMON_GOALS, "ours_vs_limit": {"at_least": round(1 / 1.7, 3)}},
    "24mp": {**COMMON_GOALS, "ours_vs_limit": {"at_least": round(1 / 1.45, 3)}},
}


def photo(name: str) -> Path:
    """A picture like a phone's: detail at every scale and some sensor noise; always the same."""
    path = RESULTS / f"photo-{name}.jpg"
    if not path.exists():
        width, height = PHOTOS[name]
        vips = libvips()
        octaves = [(512, 34.0), (128, 22.0), (32, 14.0), (8, 8.0), (2, 4.0), (1, 1.5)]
        image = vips.Image.black(width, height, bands=3) + 120
        for number, (cell, strength) in enumerate(octaves):
            small = (width // cell + 2, height // cell + 2)
            bands = [
                vips.Image.gaussnoise(*small, sigma=strength, mean=0, seed=10 * number + band)
                for band in (0, 0, 1)  # red and green go together, blue on its own
            ]
            layer = bands[0].bandjoin(bands[1:])
            image += layer.resize(cell, kernel="cubic").crop(0, 0, width, height)
        path.parent.mkdir(parents=True, exist_ok=True)
        image.cast("uchar").copy(interpretation="srgb").jpegsave(str(path), Q=90, keep="none")
    return path


def python_peers() -> Path | None:
    """An environment's python with the Python peers, or None when they cannot be installed."""
    python = RESULTS / "venv" / "bin" / "python"
    done = RESULTS / "venv" / ".installed"
    if done.exists() and done.read_text() == repr(PYTHON_PEERS):
        return python
    subprocess.run([sys.executable, "-m", "venv", str(RESULTS / "venv")], check=True)
    installed = subprocess.run([str(python), "-m", "pip", "install", "-q", *PYTHON_PEERS])
    if installed.returncode:
        return None
    done.write_text(repr(PYTHON_PEERS))
    return python


def sharp_installed() -> bool:
    """Whether sharp is there, installing it when npm is."""
    wanted = SHARP.partition("@")[2]
    manifest = RESULTS / "node_modules" / "sharp" / "package.json"
    if manifest.exists() and f'"version": "{wanted}"' in manifest.read_text():
        return True
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return False
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "package.json").write_text('{"private": true}\n')
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", SHARP]
    return subprocess.run(command, cwd=RESULTS).returncode == 0


def commands() -> dict[str, list[str]]:
    """How to start each method's worker; what cannot be had is announced."""
    here, module = sys.executable, "benchmarks.images_methods"
    found = {
        "ours": [here, "-m", module, "ours"],
        "pillow_naive": [here, "-m", module, "pillow"],
        "vips_thumbnail": [here, "-m", module, "thumbnail"],
    }
    if sharp_installed():
        script = str(Path(__file__).with_name("images_sharp.js"))
        for kind in ("idiomatic", "tuned"):
            found[f"sharp_{kind}"] = ["node", script, str(RESULTS), kind]
    else:
        print("SKIPPED: sharp (needs node and npm): two goals are not measured", file=sys.stderr)
    if python := python_peers():
        found["limit"] = [str(python), "-m", module, "limit"]
    else:
        print("SKIPPED: the limit (simplejpeg cannot be installed)", file=sys.stderr)
    return found


def speed(name: str, argvs: dict[str, list[str]], rounds: int, clock: Clock) -> None:
    """Time of all four renditions, every method, interleaved."""
    request = {"path": str(photo(name))}
    with ExitStack() as stack:
        workers = {m: stack.enter_context(Worker(a, ONE_THREAD)) for m, a in argvs.items()}
        samples = interleave(workers, request, rounds, clock)
    result = "images" if name == "12mp" else f"images_{name}"
    report(result, f"{clock} ms", samples, GOALS[name], scale=1000)


def memory(argvs: dict[str, list[str]], rounds: int) -> None:
    """Peak memory of a process that renders one 24-megapixel JPEG, three times over."""
    request = {"path": str(photo("24mp"))}
    samples: dict[str, list[float]] = {"ours": []}
    for name in [name for name in argvs if name != "limit"]:
        for _ in range(rounds):
            with Worker(argvs[name], ONE_THREAD) as worker:
                peaks = [float(worker.ask(request)["peak_mb"]) for _ in range(3)]
            samples.setdefault(name, []).append(peaks[-1])
    samples["budget"] = [PEAK_BUDGET_MB]
    report("images_memory", "MB peak, 24 megapixels", samples, {"ours_vs_budget": {"at_least": 1}})


def quality(argvs: dict[str, list[str]]) -> None:
    """SSIMULACRA2 of every rendition against a LANCZOS resize that was never compressed."""
    python = python_peers()
    if python is None:
        print("SKIPPED: quality (ssimulacra2 cannot be installed)", file=sys.stderr)
        return
    kept = RESULTS / "renditions"
    kept.mkdir(exist_ok=True)
    source = photo("24mp")
    for name in ("ours", "pillow_naive"):
        with Worker(argvs[name], ONE_THREAD) as worker:
            worker.ask({"path": str(source), "keep": str(kept)})
    script = [str(python), "-m", "benchmarks.images_quality", str(source), str(kept)]
    scored = subprocess.run(script, check=True, capture_output=True, text=True, env=os.environ)
    scores = [float(score) for score in scored.stdout.split()]
    ours, pillow = scores[: len(WIDTHS)], scores[len(WIDTHS) :]
    report(
        "images_quality",
        "SSIMULACRA2 points, one per width",
        {
            "ours": ours,
            "pillow_naive": pillow,
            # Of every rendition: the worst comparison stands for all, on ours' own scale.
            "pillow_less_slack": [
                statistics.median(ours)
                - min(a - (b - QUALITY_SLACK) for a, b in zip(ours, pillow, strict=True))
            ],
        },
        {"ours_vs_pillow_less_slack": {"at_least": 1}},
        more_is_better=True,
    )


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (default 9)")
    parser.add_argument(
        "--quick", action="store_true", help="12 megapixels in 3 rounds only: a smoke test"
    )
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall", help="cpu on a machine that others use"
    )
    options = parser.parse_args()
    argvs = commands()
    if options.quick:
        speed("12mp", argvs, 3, options.clock)
        return
    for name in PHOTOS:
        speed(name, argvs, options.rounds, options.clock)
    memory(argvs, 3)
    quality(argvs)


if __name__ == "__main__":
    main()
