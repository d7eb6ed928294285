"""What the manifest keeps of a picture's metadata, and what it never reads."""

import struct
import sys

import pytest
from PIL import Image, ImageCms

from lambdas.image_pipeline.metadata import camera_facts, exif_orientation, profile_name
from lambdas.image_pipeline.rendering import render
from tests.unit.image_pipeline.pictures import ALL_FORMATS, encoded, look, noisy, plain

MAKE, MODEL, DATE, EXIF_IFD, GPS_IFD = 0x010F, 0x0110, 0x9003, 0x8769, 0x8825


def exif_of_a_phone(nested: bool = True) -> Image.Exif:
    exif = Image.Exif()
    exif.update({MAKE: "Fairphone", MODEL: "FP5 (5G)", 0x013B: "Ada Owner", 0x8298: "(c) Ada"})
    if not nested:  # Pillow cannot write the rest into a TIFF
        return exif
    exif[EXIF_IFD] = {
        DATE: "2026:05:01 18:30:00",
        0x9011: "+02:00",
        0xA434: "Wide 4.8mm f/1.9",
        0xA430: "Ada Owner",
        0xA431: "SERIAL-4711",
    }
    exif[GPS_IFD] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_camera_lens_and_capture_time_are_kept(kind: str) -> None:
    data = encoded(noisy((64, 48)), kind, exif=exif_of_a_phone())
    assert render(data, ALL_FORMATS).metadata == {
        "format": kind.lower(),
        "width": 64,
        "height": 48,
        "frames": 1,
        "has_alpha": False,
        "camera_make": "Fairphone",
        "camera_model": "FP5 (5G)",
        "lens": "Wide 4.8mm f/1.9",
        "captured_at": "2026-05-01T18:30:00+02:00",
    }


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_no_rendition_carries_any_metadata(kind: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    more = {} if kind in ("PNG", "TIFF") else {"xmp": b"<x:xmpmeta>Ada Owner</x:xmpmeta>"}
    exif = exif_of_a_phone(nested=kind != "TIFF")
    data = encoded(noisy((64, 48)), kind, exif=exif, icc_profile=srgb, **more)
    assert b"Ada Owner" in data
    for rendition in render(data, ALL_FORMATS).renditions:
        picture = look(rendition)
        assert dict(picture.getexif()) == {}
        assert not {"exif", "icc_profile", "xmp", "photoshop", "comment"} & set(picture.info)
        for secret in (b"Ada", b"SERIAL", b"Fairphone", b"Exif\0", b"sRGB", b"xmpmeta"):
            assert secret not in rendition.data


def test_place_owner_and_serial_number_are_never_in_the_manifest() -> None:
    data = encoded(noisy((64, 48)), "JPEG", exif=exif_of_a_phone())
    text = str(render(data, ALL_FORMATS).metadata).lower()
    assert not any(secret in text for secret in ("gps", "ada", "serial", "4711", "52"))


@pytest.mark.parametrize(
    "stamp", ["0000:00:00 00:00:00", "2026-05-01", "", "    :  :     :  :  ", "2026:13:01 00:00:00"]
)
def test_a_capture_time_that_is_none_is_left_out(stamp: str) -> None:
    facts = camera_facts({"exif-ifd2-DateTimeOriginal": stamp}.get)
    assert facts == {}


def test_a_zone_that_is_none_is_left_out_and_the_time_kept() -> None:
    fields = {
        "exif-ifd2-DateTimeOriginal": "2026:05:01 18:30:00",
        "exif-ifd2-OffsetTimeOriginal": "CEST",
    }
    assert camera_facts(fields.get) == {"captured_at": "2026-05-01T18:30:00"}


def test_a_cameras_name_is_short_printable_text() -> None:
    printed = "Evil\0\x1b[31m  Cam" + "x" * 500 + " (Evil, ASCII, 517 components, 517 bytes)"
    (name,) = camera_facts({"exif-ifd0-Make": printed}.get).values()
    assert str(name).startswith("Evil[31m Camx")
    assert len(str(name)) == 100


def test_the_colour_profile_is_named() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert profile_name(srgb) == "sRGB built-in"
    data = encoded(plain(), "JPEG", icc_profile=srgb)
    assert render(data, ALL_FORMATS).metadata["color_profile"] == "sRGB built-in"


@pytest.mark.parametrize("icc", [b"", b"junk", b"\xff" * 200, bytes(500)])
def test_a_profile_that_cannot_be_read_has_no_name(icc: bytes) -> None:
    assert profile_name(icc) is None


def exif_of_tags(before: int) -> bytes:
    """EXIF whose orientation (6) comes behind so many other tags."""
    other, turned = (struct.pack("<HHIHH", tag, 3, 1, 6, 0) for tag in (0x0100, 0x0112))
    tags = other * before + turned
    return b"II*\0" + struct.pack("<IH", 8, len(tags) // 12) + tags


@pytest.mark.parametrize(("before", "found"), [(0, 6), (999, 6), (1_000, None), (60_000, None)])
def test_an_orientation_is_looked_for_among_a_thousand_tags(before: int, found: int | None) -> None:
    exif, calls = exif_of_tags(before), 0

    def count(_frame: object, event: str, _what: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        orientation = exif_orientation(exif)
    finally:
        sys.setprofile(None)
    assert orientation == found
    assert calls < 1_020
