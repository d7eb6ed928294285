"""What TIFF's numbers mean, and how a camera's raw file is told from a picture."""

from collections.abc import Mapping, Sequence
from enum import IntEnum


class Tag(IntEnum):
    """The tags that matter here. Sources: TIFF 6.0, TIFF/EP (ISO 12234-2), DNG 1.7."""

    SUBFILE = 254
    WIDTH = 256
    HEIGHT = 257
    COMPRESSION = 259
    PHOTOMETRIC = 262
    STRIPS = 273
    STRIP_BYTES = 279
    TILE_WIDTH = 322
    TILE_LENGTH = 323
    TILES = 324
    TILE_BYTES = 325
    SUB_IFDS = 330
    CFA_REPEAT = 33421
    CFA_PATTERN = 33422
    DNG_VERSION = 50706
    DNG_MODEL = 50708


COMPRESSIONS = {
    1: "no compression",
    2: "CCITT RLE",
    3: "CCITT Group 3",
    4: "CCITT Group 4",
    5: "LZW",
    6: "old-style JPEG",
    7: "JPEG",
    8: "Deflate",
    9: "JBIG (T.85)",
    10: "JBIG (T.43)",
    32766: "NeXT",
    32771: "CCITT RLE with word alignment",
    32773: "PackBits",
    32809: "ThunderScan",
    32908: "PixarFilm",
    32909: "PixarLog",
    32946: "Deflate",
    33003: "JPEG 2000 (YCbCr)",
    33005: "JPEG 2000 (RGB)",
    34661: "JBIG",
    34676: "SGI Log",
    34677: "SGI Log 24",
    34712: "JPEG 2000",
    34887: "LERC",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_SENSOR = {32803, 34892}  # photometric: colour filter array, linear raw
# Of Sony, Samsung, Epson, Nikon, Kodak and Pentax; DNG's own lossy one comes with its version.
_RAW_COMPRESSIONS = {262, 32767, 32769, 32770, 32772, 34713, 65000, 65535}
_RAW_TAGS = {Tag.CFA_REPEAT, Tag.CFA_PATTERN, Tag.DNG_VERSION, Tag.DNG_MODEL}
_REDUCED = 1

Facts = Mapping[Tag, int]


def is_raw(first: Facts, others: Sequence[Facts], has_below: bool) -> bool:
    """Whether a file holds what a sensor saw, and a picture only to find it by.

    A directory says so by its tags, its photometric interpretation or its compression. A file
    whose first picture is a reduced one of a directory below is raw, too: pyramids and scans with
    a thumbnail have the picture itself first.
    """
    if any(_is_sensor_data(facts) for facts in (first, *others)):
        return True
    reduced = first.get(Tag.SUBFILE, 0) & _REDUCED
    return bool(reduced) and has_below and any(_area(o) > _area(first) for o in others)


def _is_sensor_data(facts: Facts) -> bool:
    return (
        bool(_RAW_TAGS & facts.keys())
        or facts.get(Tag.PHOTOMETRIC) in _SENSOR
        or facts.get(Tag.COMPRESSION) in _RAW_COMPRESSIONS
    )


def _area(facts: Facts) -> int:
    return facts.get(Tag.WIDTH, 0) * facts.get(Tag.HEIGHT, 0)
