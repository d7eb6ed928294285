"""The Python workers of benchmarks/images.py: `python -m benchmarks.images_methods METHOD`.

Each method turns the bytes of a JPEG into JPEGs of quality 80, 1920, 1280, 640 and 320 wide, on
one thread. Libraries are imported by the method that uses them: not every environment has all.
"""

import functools
import io
import resource
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.harness import serve

WIDTHS = (1920, 1280, 640, 320)
Outputs = list[bytes]


def ours(data: bytes) -> Outputs:
    """The image pipeline's own kernel."""
    from lambdas.image_pipeline.domain import FormatOptions, Profile
    from lambdas.image_pipeline.rendering import render

    profile = Profile(widths=WIDTHS, formats={"jpeg": FormatOptions(quality=80)})
    return [rendition.data for rendition in reversed(render(data, profile).renditions)]


def pillow(data: bytes) -> Outputs:
    """What most Python code does: a full decode and a LANCZOS resize for each rendition."""
    from PIL import Image

    made = []
    for width in WIDTHS:
        image = Image.open(io.BytesIO(data))
        height = round(image.height * width / image.width)
        out = io.BytesIO()
        image.resize((width, height), Image.Resampling.LANCZOS).save(out, "JPEG", quality=80)
        made.append(out.getvalue())
    return made


def thumbnail(data: bytes) -> Outputs:
    """libvips' own recipe, once for each rendition."""
    import pyvips

    return [
        pyvips.Image.thumbnail_buffer(data, width, height=10_000_000).jpegsave_buffer(
            Q=80, keep="none"
        )
        for width in WIDTHS
    ]


@functools.cache
def _ready(data: bytes) -> list[Any]:
    from PIL import Image

    numpy = import_module("numpy")
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (WIDTHS[0], WIDTHS[0]))
    return [
        numpy.ascontiguousarray(image.resize((width, round(image.height * width / image.width))))
        for width in WIDTHS
    ]


def limit(data: bytes) -> Outputs:
    """What libjpeg-turbo alone takes: one full decode and four encodes, no resize at all."""
    simplejpeg = import_module("simplejpeg")
    simplejpeg.decode_jpeg(data)
    return [
        simplejpeg.encode_jpeg(pixels, quality=80, colorsubsampling="420")
        for pixels in _ready(data)
    ]


METHODS: dict[str, Callable[[bytes], Outputs]] = {
    "ours": ours,
    "pillow": pillow,
    "thumbnail": thumbnail,
    "limit": limit,
}


def main() -> None:
    """Answer requests `{"path", "keep"}`; `keep` is a folder for the renditions, if wanted."""
    method = METHODS[sys.argv[1]]
    read = functools.cache(lambda path: Path(path).read_bytes())

    def run(request: dict[str, Any]) -> dict[str, Any]:
        made = method(read(request["path"]))
        if folder := request.get("keep"):
            for width, data in zip(WIDTHS, made, strict=True):
                Path(folder, f"{sys.argv[1]}-{width}.jpg").write_bytes(data)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"bytes": sum(map(len, made)), "peak_mb": peak}

    serve(run)


if __name__ == "__main__":
    main()
