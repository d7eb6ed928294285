"""A progressive JPEG of as many scans as its syntax has room for, each valid and nearly empty."""

import struct
from collections.abc import Iterator, Sequence

_LONGEST_RUN = 32_767  # blocks that one code may call empty (ITU-T T.81, G.1.2.2)
_COMPONENTS = 3
MOST_BITS = 13
"""That a coefficient may be refined by, one scan each."""


def jpeg_of_scans(size: tuple[int, int], bits: int = MOST_BITS, together: int = 1) -> bytes:
    """A whole picture of plain grey in 1 + 3 x (63 / together) x (1 + bits) scans.

    The first holds the averages of all components; each other one bit of some coefficients of one.
    """
    width, height = size
    blocks = -(-width // 8) * -(-height // 8)
    ids = range(1, _COMPONENTS + 1)
    parts = b"".join(bytes((i, 0x11, 0)) for i in ids)
    ends, code = _ends(blocks)
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xDB, b"\0" + b"\1" * 64),
            _segment(0xC2, struct.pack(">BHHB", 8, height, width, _COMPONENTS) + parts),
            _segment(0xC4, b"\x00\1" + bytes(15) + b"\0"),
            _segment(0xC4, b"\x10" + bytes((1, 1)) + bytes(14) + bytes((0xE0, code))),
            _scan(ids, 0, 0, 0) + _packed("0" * (_COMPONENTS * blocks)),
            *(scan + ends for scan in _refinements(bits, together)),
            b"\xff\xd9",
        )
    )


def _refinements(bits: int, together: int) -> Iterator[bytes]:
    for component in range(1, _COMPONENTS + 1):
        for first in range(1, 64, together):
            last = first + together - 1
            yield _scan((component,), first, last, bits)
            for left in reversed(range(bits)):
                yield _scan((component,), first, last, (left + 1) << 4 | left)


def _scan(ids: Sequence[int], first: int, last: int, bits: int) -> bytes:
    parts = b"".join(bytes((i, 0)) for i in ids)
    return _segment(0xDA, bytes((len(ids),)) + parts + bytes((first, last, bits)))


def _ends(blocks: int) -> tuple[bytes, int]:
    """The data of a scan of empty blocks, and the code of its last run.

    Code 0 is a run of 2^14 to 2^15 - 1 blocks, code 10 one of the length that is left.
    """
    runs, left = divmod(blocks, _LONGEST_RUN)
    width = max(left.bit_length() - 1, 0)
    rest = "10" + f"{left:b}"[1:] if left else ""
    return _packed(("0" + "1" * 14) * runs + rest), width << 4


def _packed(text: str) -> bytes:
    """Zeros and ones as a scan's data: filled up with ones, each FF followed by 00."""
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body
