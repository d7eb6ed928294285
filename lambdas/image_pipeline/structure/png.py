"""PNG (W3C PNG, third edition, 5.3): chunks up to IEND."""

from lambdas.image_pipeline.structure.walk import EndsEarly, Structure, Walk

_AROUND = 12  # length, type and checksum of a chunk


def survey(walk: Walk) -> Structure:
    """Read every chunk's length and type."""
    at = 8
    try:
        while True:
            head = walk.part(at, 8)
            at += _AROUND + int.from_bytes(head[:4], "big")
            if at > len(walk.data):
                raise EndsEarly
            if head[4:] == b"IEND":
                return Structure(ended=True, end=at)
    except EndsEarly:
        return Structure(ended=False, end=min(at, len(walk.data)))
