"""Texts within a picture may speak of anything; a program before or behind it is refused."""

import zlib

import pytest
from PIL import Image

from lambdas.image_pipeline.domain import ImageRejected, Profile, RejectionReason
from lambdas.image_pipeline.rendering import render
from tests.unit.image_pipeline.files import png_with
from tests.unit.image_pipeline.pictures import encoded, noisy

TEXT = b"<script>alert(1)</script><iframe src=x><?php x ?><svg onload=x>%PDF-1.7"
JPEG, PNG, GIF, WEBP, TIFF, AVIF = (
    encoded(noisy((64, 48)), kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF")
)


def jpeg_with(marker: int, body: bytes) -> bytes:
    return JPEG[:2] + bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body + JPEG[2:]


def gif_with_comment(text: bytes) -> bytes:
    at = 13 + (3 << (GIF[10] & 7) + 1)
    return GIF[:at] + b"!\xfe" + bytes((len(text),)) + text + b"\0" + GIF[at:]


def described() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = TEXT.decode()
    return exif


HOLDERS = {
    "JPEG comment": jpeg_with(0xFE, TEXT),
    **{f"JPEG APP{n}": jpeg_with(0xE0 + n, TEXT) for n in (1, 2, 3, 13, 15)},
    "JPEG XMP": jpeg_with(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + TEXT),
    "JPEG EXIF": encoded(noisy((64, 48)), "JPEG", exif=b"Exif\0\0" + TEXT),
    "PNG tEXt": png_with(PNG, (b"tEXt", b"prompt\0" + TEXT)),
    "PNG tEXt behind the picture": png_with(PNG, (b"tEXt", b"prompt\0" + TEXT), behind=True),
    "PNG zTXt": png_with(PNG, (b"zTXt", b"prompt\0\0" + zlib.compress(TEXT, 0))),
    "PNG iTXt": png_with(PNG, (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + TEXT)),
    "GIF comment": gif_with_comment(TEXT),
    "WebP XMP": encoded(noisy((64, 48)), "WEBP", xmp=TEXT),
    "WebP EXIF": encoded(noisy((64, 48)), "WEBP", exif=b"Exif\0\0" + TEXT),
    "TIFF description": encoded(noisy((64, 48)), "TIFF", description=TEXT.decode()),
    "AVIF XMP": encoded(noisy((64, 48)), "AVIF", xmp=TEXT),
    "AVIF EXIF": encoded(noisy((64, 48)), "AVIF", exif=described()),
}


@pytest.mark.parametrize("name", list(HOLDERS))
def test_a_picture_whose_texts_speak_of_scripts_is_rendered_without_them(name: str) -> None:
    assert b"<script" in HOLDERS[name]
    made = render(HOLDERS[name], Profile()).renditions
    assert made
    assert not any(b"<script" in rendition.data for rendition in made)


@pytest.mark.parametrize("page", [b"<html><body>", b"<script>x</script>", b"<!DOCTYPE html>"])
@pytest.mark.parametrize("picture", [JPEG, PNG, GIF, WEBP, TIFF, AVIF])
def test_a_page_behind_or_before_a_picture_is_refused(picture: bytes, page: bytes) -> None:
    for data, reason in (
        (picture + page, RejectionReason.POLYGLOT),
        (page + picture, RejectionReason.NOT_AN_IMAGE),
    ):
        with pytest.raises(ImageRejected) as refusal:
            render(data, Profile())
        assert refusal.value.reason is reason
