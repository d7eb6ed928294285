"""WebP (RFC 9649): the chunks of the RIFF container."""

from lambdas.image_pipeline.structure.walk import EndsEarly, Structure, Walk

_PICTURE = {b"VP8 ", b"VP8L"}
_FRAME = b"ANMF"


def survey(walk: Walk) -> Structure:
    """Read every chunk's name and length.

    A still picture that has come whole is taken without what its sender wanted to say after it.
    How many frames a cut film should have had, nobody knows.
    """
    at, frames, picture = 12, 0, 0
    try:
        end = 8 + walk.little(4, 4)
        while at + 8 <= min(end, len(walk.data)):
            head = walk.part(at, 8)
            size = int.from_bytes(head[4:], "little")
            frames += head[:4] == _FRAME
            at += 8 + size
            if head[:4] in _PICTURE and at <= len(walk.data):
                picture = at
            at += size & 1
    except EndsEarly:
        end = len(walk.data) + 1
    ended = end <= len(walk.data)
    mended = _up_to(walk.data, picture) if picture and not (ended or frames) else None
    return Structure(
        ended=ended,
        end=min(end, len(walk.data)),
        frames=frames or 1,
        mended=mended,
    )


def _up_to(data: bytes, end: int) -> bytes:
    """The file as if it ended here, at an even place."""
    body = data[8:end] + bytes(end & 1)
    return data[:4] + len(body).to_bytes(4, "little") + body
