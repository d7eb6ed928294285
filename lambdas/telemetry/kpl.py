"""The Kinesis Producer Library's format of several records in one (KPL "aggregation format"). Pure.

magic F3 89 9A C2, then a protobuf message, then its MD5:

    message AggregatedRecord { repeated string partition_key_table = 1;
                               repeated string explicit_hash_key_table = 2;
                               repeated Record records = 3; }
    message Record { uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2;
                     bytes data = 3; repeated Tag tags = 4; }

It is read here, in forty lines, because the published de-aggregator prints an error and goes on
when a record is broken, which would lose the rest, and brings protobuf (some 40 ms of cold start).
"""

import hashlib
from collections.abc import Iterator

from lambdas.core.errors import Poison

MAGIC = b"\xf3\x89\x9a\xc2"
LEAST_BYTES = 32
"""Of each part, in the mean: the shortest JSON text that is a record takes 66. With fewer, the
record is refused as one, for each part would be worked on, kept and told of."""
_DIGEST_BYTES = 16
_RECORDS, _DATA = 3, 3  # field numbers
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types


def is_aggregated(data: bytes) -> bool:
    return data[:4] == MAGIC


def parts(data: bytes) -> list[bytes]:
    """The data of every record in an aggregated one.

    Raises Poison when it is broken anywhere, or when there are more than its bytes allow for.
    """
    message, digest = data[len(MAGIC) : -_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if hashlib.md5(message, usedforsecurity=False).digest() != digest:
        raise Poison("undecodable", "aggregated record: the digest does not match")
    most = len(data) // LEAST_BYTES
    found = []
    try:
        for number, record in _fields(message):
            if number == _RECORDS:
                found.append(_data(record))
                if len(found) > most:
                    raise Poison("too-many-parts", f"more than {most} in {len(data)} bytes")
    except (IndexError, ValueError) as error:
        raise Poison("undecodable", f"aggregated record: {error}") from error
    return found


def _data(record: bytes) -> bytes:
    """Of several values of one field the last counts (protobuf encoding guide)."""
    found = [value for number, value in _fields(record) if number == _DATA]
    if not found:
        raise ValueError("a record without data")
    return found[-1]


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers and values of the length-delimited fields; the others are passed over."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            _, at = _varint(message, at)
            continue
        if wire == _BYTES:
            size, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(message):
            raise ValueError("cut short")
        if wire == _BYTES:
            yield number, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place after it. Raises IndexError at the end."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
