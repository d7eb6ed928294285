"""AVIF, an ISO media file (ISO/IEC 14496-12, 4.2): boxes, and boxes in boxes."""

from lambdas.image_pipeline.structure.walk import EndsEarly, Structure, Walk

# Boxes that hold boxes, and how many bytes of their own come first.
_NESTED = {
    b"meta": 4,
    b"iprp": 0,
    b"ipco": 0,
    b"iref": 4,
    b"dinf": 0,
    b"grpl": 0,
    b"moov": 0,
    b"trak": 0,
    b"mdia": 0,
    b"minf": 0,
    b"stbl": 0,
}


def survey(walk: Walk) -> Structure:
    """Read every box's size and kind."""
    at, length = 0, len(walk.data)
    while at + 8 <= length:
        size, kind, head = _box(walk, at, length)
        if at + size > length or not kind.isalnum():  # cut, or no box at all
            break
        _inside(walk, at + head, at + size, kind)
        at += size
    return Structure(ended=at == length, end=at)


def _inside(walk: Walk, at: int, end: int, kind: bytes) -> None:
    """Count the boxes within a box."""
    todo = [(at + _NESTED[kind], end)] if kind in _NESTED else []
    while todo:
        at, end = todo.pop()
        while at + 8 <= end:
            size, kind, head = _box(walk, at, end)
            if kind in _NESTED:
                todo.append((at + head + _NESTED[kind], min(at + size, end)))
            at += size


def _box(walk: Walk, at: int, end: int) -> tuple[int, bytes, int]:
    """A box's size, kind, and the size of its head. A size of 0 means "to the end"."""
    head = walk.part(at, 8)
    size, kind = int.from_bytes(head[:4], "big"), head[4:]
    if size == 0:
        return end - at, kind, 8
    if size == 1:
        try:
            return max(walk.big(at + 8, 8), 16), kind, 16
        except EndsEarly:
            return end - at + 1, kind, 16
    return max(size, 8), kind, 8
