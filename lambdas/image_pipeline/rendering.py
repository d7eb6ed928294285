"""From an uploaded file's bytes to its renditions' bytes, in memory, by libvips.

The order of work is what makes it both safe and fast: look at the signature, walk the structure,
read the header, check the budget, and only then decode, as little as the largest rendition needs;
every smaller rendition is made from a larger one. Colour is converted after the resize, on few
pixels.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec

from lambdas.image_pipeline.cost import cost_of
from lambdas.image_pipeline.declared import with_declared
from lambdas.image_pipeline.domain import (
    Fact,
    Format,
    ImageRejected,
    Profile,
    RejectionReason,
    check_budget,
    check_frames,
    plan_sizes,
)
from lambdas.image_pipeline.encoding import encode, film_of
from lambdas.image_pipeline.libvips import threads
from lambdas.image_pipeline.pixels import Level, cascade
from lambdas.image_pipeline.sniffing import identify
from lambdas.image_pipeline.source import (
    File,
    Timing,
    describe,
    examine,
    open_image,
    timing_of,
)
from lambdas.image_pipeline.structure.survey import survey


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """One file to store. `name` ("w640") and `format` together are unique within a picture."""

    name: str
    format: Format
    width: int
    height: int
    data: bytes
    animated: bool = False


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """All renditions of a picture, narrowest first, and what is worth knowing of the source.

    `metadata` always has format, width, height (upright), frames and has_alpha; where known also
    color_profile, camera_make, camera_model, lens and captured_at. Never where, who or which.
    """

    renditions: tuple[Rendition, ...]
    metadata: dict[str, Fact]


def render(data: bytes, profile: Profile) -> Rendered:
    """Make every rendition of `profile` from the bytes of an uploaded file.

    The same bytes and profile give the same bytes. Raises ImageRejected when the file is at
    fault; MemoryError, OSError and pyvips.Error (from an encoder) are not the file's fault.
    """
    if len(data) > profile.limits.max_bytes:
        raise ImageRejected(
            RejectionReason.TOO_MANY_BYTES,
            f"{len(data):,} bytes, at most {profile.limits.max_bytes:,}",
        )
    found = identify(data)
    file = File(data, found, survey(found, data))
    check_frames(file.structure.frames, profile.limits)  # opening counts them, too, and slower
    header = with_declared(open_image(file), data, found)
    source = examine(file, header)
    sizes = plan_sizes(source.upright, profile.widths)
    cost = cost_of(source, header, sizes)
    check_budget(source.stored, source.decoded_frames, cost, profile.limits)
    timing = timing_of(file) if source.animated else None
    with ThreadPoolExecutor(threads()) as pool:
        levels = cascade(source, sizes)
        jobs = [job for level in levels for job in _encodings(pool, level, profile, timing)]
        renditions = sorted((job.result() for job in jobs), key=lambda made: made.width)
    return Rendered(renditions=tuple(renditions), metadata=describe(source, header))


def _encodings(
    pool: ThreadPoolExecutor, level: Level, profile: Profile, timing: Timing | None
) -> list[Future[Rendition]]:
    """Start encoding one level in every format; an animation moves in WebP and stands elsewhere."""
    name, (width, height) = f"w{level.size.width}", level.size
    still = level.frames[0]

    def start(name: str, to: Format, image: Any, animated: bool = False) -> Future[Rendition]:
        return pool.submit(
            lambda: Rendition(
                name=name,
                format=to,
                width=width,
                height=height,
                data=encode(image, to, height, profile),
                animated=animated,
            )
        )

    if timing is None:
        return [start(name, to, still) for to in profile.formats]
    jobs = [
        start(name, to, film_of(level.frames, timing), animated=True)
        if to == "webp"
        else start(name, to, still)
        for to in profile.formats
    ]
    if set(profile.formats) == {"webp"}:  # somebody who wants no movement still gets a picture
        jobs.append(start(f"{name}-still", "webp", still))
    return jobs
