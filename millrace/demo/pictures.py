"""Real photographs through the pipeline, and what happened to each."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from millrace import traces
from millrace.errors import MillraceError
from millrace.images import Images, Manifest, Outcome, Upload
from millrace.paths import ROOT, relative

PHOTOS = ROOT / "demo" / "photos"
PREFIX = "demo/"
DEADLINE_SECONDS = 120.0


@dataclass(frozen=True)
class Step:
    """One step of a trace: when it began after the first one, and how long it took, in ms."""

    name: str
    begin: float
    took: float


@dataclass(frozen=True)
class Shown:
    """One picture's way: `milliseconds` from the end of the upload to the event."""

    upload: Upload
    manifest: Manifest
    milliseconds: float
    trace_id: str | None
    steps: list[Step]

    @property
    def is_rendered(self) -> bool:
        return bool(self.manifest["status"] == "rendered")

    @property
    def bytes(self) -> int:
        """The bytes of all renditions together."""
        return sum(rendition["bytes"] for rendition in self.manifest["renditions"])


def photos(directory: Path = PHOTOS) -> list[Path]:
    """The files of the demonstration. Raises MillraceError when there are none."""
    skipped = (".md", ".txt", ".json")
    found = sorted(path for path in directory.glob("*") if path.suffix not in skipped)
    if not found:
        raise MillraceError(f"No pictures in {relative(directory)}.")
    return found


def run(
    images: Images,
    files: list[Path],
    collected: Path | None,
    tell: Callable[[list[Upload], Mapping[str, Outcome]], None],
) -> list[Shown]:
    """Upload the files at once and wait for every event.

    `collected` is the file of traces where there is one. Raises MillraceError when the events do
    not come within two minutes.
    """
    with ThreadPoolExecutor(max_workers=4) as pool:
        uploads = list(pool.map(lambda path: images.upload(path, PREFIX + path.name), files))
    outcomes = images.wait(uploads, DEADLINE_SECONDS, lambda known: tell(uploads, known))
    missing = [upload.key for upload in uploads if upload.key not in outcomes]
    if missing:
        raise MillraceError(
            f"No event for {', '.join(missing)} within {DEADLINE_SECONDS:.0f} s: "
            "see build/local/emulator.log."
        )
    return [_shown(upload, outcomes[upload.key], collected) for upload in uploads]


def _shown(upload: Upload, outcome: Outcome, collected: Path | None) -> Shown:
    trace_id = traces.trace_id_of(outcome.trace) if outcome.trace else None
    found = traces.of_trace(collected, trace_id) if collected and trace_id else []
    return Shown(
        upload=upload,
        manifest=outcome.manifest,
        # A small picture may be done before the client hears that its upload is.
        milliseconds=max(0.0, (outcome.updated_at.timestamp() - upload.finished) * 1000),
        trace_id=trace_id,
        steps=steps(found),
    )


def steps(segments: list[traces.Segment]) -> list[Step]:
    """The named steps of a handler in a trace; calls of AWS inside them are left out."""
    named = []
    for segment in segments:
        took = traces.milliseconds(segment)
        # Powertools marks what the code itself names so; the handler as a whole ends with its name.
        is_step = segment["name"].startswith("## ") and not segment["name"].endswith("handler")
        if is_step and took is not None:
            named.append((segment["name"].removeprefix("## "), segment["start_time"], took))
    begin = min((start for _, start, _ in named), default=0.0)
    return [Step(name, (start - begin) * 1000, took) for name, start, took in named]
