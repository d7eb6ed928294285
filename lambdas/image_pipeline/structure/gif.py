"""GIF (version 89a, sections 18 to 27): blocks, and the frames that are drawn."""

from lambdas.image_pipeline.structure.walk import EndsEarly, Structure, Walk

_EXTENSION, _FRAME = 0x21, 0x2C
_BLOCKS_PER_STEP = 4


def survey(walk: Walk) -> Structure:
    """Read every block. A missing trailer alone is common and harmless."""
    frames = drawn = 0
    try:
        at = 13 + _palette(walk.big(10, 1))
        while at < len(walk.data):
            kind = walk.big(at, 1)
            if kind == _EXTENSION:
                at += 2
            elif kind == _FRAME:
                width, height = walk.little(at + 5, 2), walk.little(at + 7, 2)
                frames, drawn = frames + 1, drawn + width * height
                at += 11 + _palette(walk.big(at + 9, 1))
            else:  # the trailer, or what decoders ignore
                at += kind == 0x3B
                break
            at = _behind_blocks(walk, at)
    except EndsEarly:
        return Structure(
            ended=False,
            end=len(walk.data),
            lacks="the end of a frame",
            frames=frames,
            drawn=drawn,
        )
    lacks = "" if frames else "its picture"
    return Structure(
        ended=True, end=min(at, len(walk.data)), lacks=lacks, frames=frames, drawn=drawn
    )


def _palette(flags: int) -> int:
    """Bytes of the palette that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _behind_blocks(walk: Walk, at: int) -> int:
    """The place behind the empty block that ends a sequence of blocks."""
    data, length = walk.data, len(walk.data)
    # Not a call for each: of 256 bytes at most, a large GIF has 200,000 of them.
    for taken in range(_BLOCKS_PER_STEP * (walk.left + 1)):
        if at >= length:
            raise EndsEarly
        size = data[at]
        at += 1 + size
        if not size:
            walk.step(taken // _BLOCKS_PER_STEP)
            return at
    walk.step(walk.left + 1)
    raise AssertionError("no step is left")
