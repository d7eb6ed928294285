"""JPEG (ITU-T T.81, annex B): segments, scans, and what libjpeg-turbo only warns of."""

import re
from typing import NamedTuple

from lambdas.image_pipeline.structure.walk import EndsEarly, Structure, Walk

_EOI = b"\xff\xd9"
_FRAMES = {0xC0 + n for n in range(16)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_PROCESSES = {0xC3: "lossless", 0xC5: "differential", 0xC6: "differential", 0xC7: "differential"}
_BARE = {0x01, *range(0xD0, 0xD8)}
# Within picture data FF is followed by 00 (it stands for itself) or by a restart marker.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_TAIL = 64 * 1024
_COEFFICIENTS = 64
_STEPS_PER_SCAN = 20  # going through its coefficients takes longer than reading a number


class _Edit(NamedTuple):
    start: int
    end: int
    put: bytes


class _Frame:
    """A picture's components, and how precisely each coefficient of them is known by now."""

    def __init__(self, kind: int, ids: bytes) -> None:
        self.progressive = kind in _PROGRESSIVE
        # Bits that are still to come; None before the first.
        self.missing: dict[int, list[int | None]] = {i: [None] * _COEFFICIENTS for i in ids}

    def scan(self, ids: bytes, first: int, last: int, low: int) -> None:
        if not self.progressive:
            first, last, low = 0, _COEFFICIENTS - 1, 0
        for component in ids:
            if component in self.missing:
                span = range(first, min(last, _COEFFICIENTS - 1) + 1)
                self.missing[component][first : last + 1] = [low for _ in span]

    @property
    def whole(self) -> bool:
        return all(not any(left != 0 for left in known) for known in self.missing.values())


def survey(walk: Walk) -> Structure:
    """Read every segment up to the end, or up to the only scan of the usual sequential file."""
    frame, scans, edits, codec, at, ended = None, 0, list[_Edit](), "", 2, False
    start = 0
    try:
        while True:
            marker, at = _next_marker(walk, at, edits if not scans else [])
            if marker == 0xD9:
                ended = True
                break
            if marker in _BARE or marker == 0xD8:
                continue
            length = walk.big(at, 2)
            if marker in _FRAMES and frame is None:
                frame, codec = _read_frame(walk, marker, at)
            if marker == 0xDA:
                scans, start = scans + 1, start or at
                whole = _read_scan(walk, at, frame, edits)
                if whole and not (frame and frame.progressive):
                    break
                at = walk.search(_MARKER, b"\xff", at + length)
            else:
                at += length
    except EndsEarly:
        pass
    if not start:
        return Structure(ended=ended, end=len(walk.data), codec=codec, lacks="its picture")
    lacks = "" if frame is None or frame.whole else "some of its scans"
    end, ended = (at, True) if ended else _end_of_data(walk.data, start)
    mended = _mended(walk.data, edits, ended)
    return Structure(ended=ended, end=end, lacks=lacks, passes=scans, codec=codec, mended=mended)


def _next_marker(walk: Walk, at: int, edits: list[_Edit]) -> tuple[int, int]:
    """The marker at or after `at`, and where its segment begins; bytes before it are noted."""
    if walk.part(at, 2)[:1] != b"\xff" or walk.data[at + 1] == 0:
        found = walk.search(_MARKER, b"\xff", at)
        edits.append(_Edit(at, found, b""))
        at = found
    while (marker := walk.big(at + 1, 1)) == 0xFF:  # padding
        at += 1
    return marker, at + 2


def _read_frame(walk: Walk, marker: int, at: int) -> tuple[_Frame, str]:
    bits, count = walk.big(at + 2, 1), walk.big(at + 7, 1)
    ids = walk.part(at + 8, 3 * count)[::3]
    words = [f"{bits}-bit"] if bits != 8 else []
    words += [_PROCESSES.get(marker, "")] + (["arithmetic-coded"] if marker >= 0xC9 else [])
    return _Frame(marker, ids), " ".join(word for word in words if word)


def _read_scan(walk: Walk, at: int, frame: _Frame | None, edits: list[_Edit]) -> bool:
    """Take a scan's header into account; whether it holds every component."""
    walk.step(_STEPS_PER_SCAN)
    count = walk.big(at + 2, 1)
    ids = walk.part(at + 3, 2 * count)[::2]
    rest = at + 3 + 2 * count
    first, last, bits = walk.part(rest, 3)
    if frame is None:
        return True
    if not frame.progressive and (first, last, bits) != (0, 63, 0):
        # Some cameras leave these at zero. They mean nothing in a sequential file, but a warning
        # of them would hide the one of missing data: libjpeg tells only the first.
        edits.append(_Edit(rest, rest + 3, b"\0\x3f\0"))
    frame.scan(ids, first, last, bits & 15)
    return len(ids) == len(frame.missing)


def _end_of_data(data: bytes, start: int) -> tuple[int, bool]:
    """Where the end marker ends; as far back as a trailer is worth looking for."""
    found = data.find(_EOI, max(start, len(data) - _TAIL))
    return (found + 2, True) if found >= 0 else (max(start, len(data) - _TAIL), False)


def _mended(data: bytes, edits: list[_Edit], ended: bool) -> bytes | None:
    if ended and not edits:
        return None
    parts, at = [], 0
    for edit in edits:
        parts += [data[at : edit.start], edit.put]
        at = edit.end
    return b"".join([*parts, data[at:], b"" if ended else _EOI])
