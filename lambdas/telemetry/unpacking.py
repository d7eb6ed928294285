"""From the data of a Kinesis record, or of a part of one, to the text in it. Pure.

Gzip is unpacked once, all its members (RFC 1952, 2.2: they simply follow each other). What is
packed twice, or in another way, is refused: one record is never more than MAX_RATIO times the bytes
that came, so that a batch of 6 MB never becomes gigabytes.
"""

import zlib

from lambdas.core.errors import Poison

MAX_BYTES = 64 * 1024
"""Of one record, unpacked: 32 metrics take 3 KB."""
MAX_RATIO = 20
"""Unpacked bytes for each packed one: records of 32 metrics shrink to a fifth, not to less than a
tenth, and gzip can reach 1,032."""
MAX_MEMBERS = 100
"""Of a gzip file; a member takes as long to begin as some KB to unpack."""

_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"\x78\x01": "zlib (RFC 1950)",
    b"\x78\x5e": "zlib (RFC 1950)",
    b"\x78\x9c": "zlib (RFC 1950)",
    b"\x78\xda": "zlib (RFC 1950)",
    b"\x28\xb5": "Zstandard",
    b"\x42\x5a": "bzip2",
    b"\xef\xbb": "a byte order mark",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""No JSON in UTF-8 begins like these."""


def unpacked(data: bytes) -> bytes:
    """The text behind data that may be gzipped. Raises Poison: too-large, undecodable."""
    if (head := data[:2]) != _GZIP:
        if head in _OTHERS:
            raise Poison("undecodable", f"begins like {_OTHERS[head]}: JSON, plain or gzipped")
        return data
    texts = []
    room = min(MAX_BYTES, MAX_RATIO * len(data))
    for _ in range(MAX_MEMBERS):
        unzip = zlib.decompressobj(wbits=31)
        try:
            texts.append(unzip.decompress(data, room + 1))
        except zlib.error as error:
            raise Poison("undecodable", f"broken gzip: {error}") from error
        room -= len(texts[-1])
        if room < 0:
            raise too_large(sum(map(len, texts)))
        if not unzip.eof:
            raise Poison("undecodable", "broken gzip: cut short")
        data = unzip.unused_data.lstrip(b"\0")  # padding, which gzip(1) passes over as well
        if not data:
            return texts[0] if len(texts) == 1 else b"".join(texts)
        if data[:2] != _GZIP:
            raise Poison("undecodable", "broken gzip: followed by something else")
    raise Poison("undecodable", f"gzip of more than {MAX_MEMBERS} members")


def too_large(size: int) -> Poison:
    """The refusal of a record of so many bytes, or of what has been unpacked of it."""
    taken = f"{MAX_BYTES} are taken, and of a gzipped record {MAX_RATIO} times its size"
    return Poison("too-large", f"{size} bytes or more, {taken}")
