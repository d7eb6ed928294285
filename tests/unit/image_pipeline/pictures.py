"""Small pictures for the tests of the image kernel, and eyes to look at what came out."""

import io
from typing import Any

from PIL import Image

from lambdas.image_pipeline.domain import FormatOptions, Profile
from lambdas.image_pipeline.rendering import Rendered, Rendition

ALL_FORMATS = Profile(
    formats={
        "jpeg": FormatOptions(quality=90),
        "webp": FormatOptions(quality=90),
        "avif": FormatOptions(quality=80),
    }
)
Colour = tuple[int, ...]


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as a file of the given Pillow format."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def plain(
    colour: Any = "red", size: tuple[int, int] = (600, 400), mode: str = "RGB"
) -> Image.Image:
    return Image.new(mode, size, colour)


def noisy(size: tuple[int, int] = (600, 400)) -> Image.Image:
    """A picture that does not compress away, the same every time."""
    ramp = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (ramp, ramp.rotate(180), ramp.transpose(Image.Transpose.ROTATE_180)))


def quartered() -> Image.Image:
    """Wider than tall, with another colour in each corner: shows every turn and mirroring."""
    image = plain("white", (320, 240))
    for box, colour in {
        (0, 0, 160, 120): "red",
        (160, 0, 320, 120): "lime",
        (0, 120, 160, 240): "blue",
        (160, 120, 320, 240): "black",
    }.items():
        image.paste(colour, box)
    return image


def film(kind: str, size: tuple[int, int] = (640, 400)) -> bytes:
    """Three frames: red, lime, blue, shown for 100, 200 and 300 ms."""
    frames = [plain(colour, size) for colour in ("red", "lime", "blue")]
    return encoded(
        frames[0], kind, save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=0
    )


def one(rendered: Rendered, kind: str, name: str | None = None) -> Rendition:
    """The widest rendition of a format, or the named one."""
    return [r for r in rendered.renditions if r.format == kind and name in (None, r.name)][-1]


def look(rendition: Rendition) -> Image.Image:
    """The rendition as anybody else's decoder sees it."""
    return Image.open(io.BytesIO(rendition.data))


def close(actual: Any, expected: Colour, tolerance: int = 6) -> bool:
    """Whether a pixel is this colour, but for lossy compression."""
    assert isinstance(actual, tuple)
    assert len(actual) == len(expected)
    return all(abs(a - e) <= tolerance for a, e in zip(actual, expected, strict=True))
