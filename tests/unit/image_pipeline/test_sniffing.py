"""The content decides what a file is; and a refusal says what it found."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.image_pipeline.domain import ImageRejected, RejectionReason
from lambdas.image_pipeline.sniffing import SourceFormat, identify
from tests.unit.image_pipeline.pictures import encoded, noisy

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
JPEG = encoded(noisy((64, 48)), "JPEG")
FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF"]


def refusal_of(data: bytes) -> ImageRejected:
    with pytest.raises(ImageRejected) as refusal:
        identify(data)
    return refusal.value


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_on_the_list_is_known_by_its_bytes(kind: str) -> None:
    assert identify(encoded(noisy((64, 48)), kind)) == SourceFormat[kind]


def test_a_file_without_bytes_is_empty() -> None:
    assert refusal_of(b"").reason is RejectionReason.EMPTY


@pytest.mark.parametrize(
    "data", [b"hello, I am text", b"\0" * 100, b"\xff\xd8", b"RIFF\0\0\0\0WAVEfmt ", b"GIF8"]
)
def test_other_bytes_are_not_an_image(data: bytes) -> None:
    assert refusal_of(data).reason is RejectionReason.NOT_AN_IMAGE


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE html><html><body>hi</body></html>",
        b"\xef\xbb\xbf\r\n  <HTML>",
        b"<script>alert(1)</script>",
        b"<?php system($_GET['c']); ?>",
        b"#!/bin/sh\nrm -rf /\n",
        b"<html><!-- " + JPEG,
    ],
)
def test_markup_and_scripts_are_not_an_image_whatever_follows(data: bytes) -> None:
    assert refusal_of(data).reason is RejectionReason.NOT_AN_IMAGE


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (SVG, "SVG"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n' + SVG, "SVG"),
        (b"%PDF-1.7\n", "PDF"),
        (b"BM" + bytes(60), "BMP"),
        (b"8BPS" + bytes(60), "Photoshop"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"II*\0\x10\0\0\0CR\x02\0", "camera raw"),
        (b"II*\0\x10\0\0\0IIIITwaR", "camera raw"),
        (b"IIU\0\x18\0\0\0", "camera raw"),
        (b"IIRO\x08\0\0\0", "camera raw"),
        (b"MMOR\0\0\0\x08", "camera raw"),
        (b"II\x1a\0\0\0HEAPCCDR", "camera raw"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw"),
        (b"FOVb\0\0\2\0", "camera raw"),
        (b"\0MRM\0\0\0\0", "camera raw"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "camera raw"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "film"),
    ],
)
def test_a_known_format_that_is_not_read_is_named(data: bytes, named: str) -> None:
    refusal = refusal_of(data)
    assert refusal.reason is RejectionReason.UNSUPPORTED_FORMAT
    assert named in refusal.detail


@pytest.mark.parametrize("brands", [b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic"])
def test_heic_is_refused_with_the_way_out(brands: bytes) -> None:
    refusal = refusal_of((8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + bytes(99))
    assert refusal.reason is RejectionReason.UNSUPPORTED_FORMAT
    assert "HEVC" in refusal.detail
    assert "JPEG or AVIF" in refusal.detail


def test_a_compressed_svg_is_not_an_image() -> None:
    assert refusal_of(gzip.compress(SVG)).reason is RejectionReason.NOT_AN_IMAGE


@given(
    st.sampled_from([encoded(noisy((64, 48)), kind) for kind in FORMATS]),
    st.integers(0, 400),
    st.binary(max_size=60),
)
def test_any_bytes_are_named_or_refused_and_never_break_the_sniffer(
    start: bytes, kept: int, rest: bytes
) -> None:
    data = start[:kept] + rest
    try:
        found = identify(data)
    except ImageRejected as refusal:
        assert refusal.detail  # noqa: PT017 - either outcome is right, a third would not be
    else:
        assert found in SourceFormat
