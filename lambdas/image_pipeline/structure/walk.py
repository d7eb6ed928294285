"""A walk over a file's bytes that may only take so many steps."""

import re
from typing import NamedTuple

from lambdas.image_pipeline.domain import ImageRejected, RejectionReason

STEPS = 10_000
"""Steps that any file is granted: pictures have dozens of parts, scans of books some thousands."""
BYTES_PER_STEP = 1_000
"""For this many bytes one step more. Large files have large parts: PNG's are 8 KB at least."""
_WINDOW = 64 * 1024
_MARKS_PER_STEP = 128


class EndsEarly(Exception):
    """The file's own structure goes on behind the last byte."""


class Structure(NamedTuple):
    """What a file says of itself in its container, told without decoding anything."""

    ended: bool
    """Whether the container ends where it says. Asked when decoding has failed, to tell a broken
    upload from a broken file: many files without their last bytes have all of their picture."""
    end: int
    """Where the picture's file ends; what follows is somebody else's."""
    lacks: str = ""
    """What is known to be missing of the picture itself; such a file is never decoded."""
    frames: int = 1
    passes: int = 1
    """How often the decoder goes over the whole picture."""
    drawn: int = 0
    """Pixels that are drawn on the canvas, where a file may draw more than its canvas holds."""
    block: int = 0
    """Pixels of the largest part that is decoded as one, where a file chooses it freely."""
    codec: str = ""
    """The name of the compression, where the format has many."""
    mended: bytes | None = None
    """The file without harmless faults that its decoder would stumble over."""


class Walk:
    """Reads numbers and parts of `data`; each is a step.

    Raises EndsEarly for what lies behind the last byte, and ImageRejected (too-complex) when the
    steps granted to a file of this length are used up: whatever the bytes say, a walk ends soon.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.granted = STEPS + len(data) // BYTES_PER_STEP
        self.left = self.granted

    def step(self, count: int = 1) -> None:
        """Use up steps. Raises ImageRejected when none are left."""
        self.left -= count
        if self.left < 0:
            raise ImageRejected(
                RejectionReason.TOO_COMPLEX,
                f"more than {self.granted:,} parts in {len(self.data):,} bytes",
            )

    def part(self, at: int, size: int) -> bytes:
        """`size` bytes. They must be worth a step: a few, or what one call of C goes through."""
        self.step(1 + size // BYTES_PER_STEP)
        if at + size > len(self.data):
            raise EndsEarly
        return self.data[at : at + size]

    def big(self, at: int, size: int) -> int:
        """A number, the highest byte first."""
        return int.from_bytes(self.part(at, size), "big")

    def little(self, at: int, size: int) -> int:
        """A number, the lowest byte first."""
        return int.from_bytes(self.part(at, size), "little")

    def search(self, pattern: re.Pattern[bytes], mark: bytes, at: int) -> int:
        """Where a pattern of two bytes that begins with `mark` is found from `at` on.

        A window at a time: one full of marks, on which the pattern is slow, costs as many steps.
        Raises EndsEarly when there is none.
        """
        while at < len(self.data) - 1:
            stop = at + _WINDOW
            self.step(1 + self.data.count(mark, at, stop) // _MARKS_PER_STEP)
            if found := pattern.search(self.data, at, stop + 1):
                return found.start()
            at = stop
        raise EndsEarly
