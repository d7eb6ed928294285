"""Percentiles of a window in a few bytes: every value while they are few, then a t-digest.

A t-digest errs in rank, not in value, so it tells the percentiles of 230.0 V +- 0.3 V apart, which
a sketch of relative error (DDSketch, 1 %) would not. Packed means are float32: 7 digits.
"""

import struct
from collections.abc import Sequence

from fastdigest import TDigest

EXACT = 32
"""So many values are kept as they are, whatever the window."""

_VALUES, _CENTROIDS, _HEAVY = b"v", b"c", b"C"
_WEIGHT = {_CENTROIDS: "H", _HEAVY: "I"}
"""How weights are packed: in two bytes each, or in four when one is heavy."""


def packed(values: Sequence[float], centroids: int, before: bytes = b"") -> bytes:
    """The sketch `before` with these values added, of at most `centroids` centroids."""
    if len(before or _VALUES) + 4 * len(values) <= 4 * EXACT + 1 and before[:1] not in _WEIGHT:
        return (before or _VALUES) + struct.pack(f"<{len(values)}f", *values)
    if not before:
        return _pack(TDigest.from_values(values, max_centroids=centroids))
    means, weights = _unpack(before)
    weights += [1.0] * len(values)
    means += values
    return _pack(TDigest.from_values(means, weights, max_centroids=centroids))


def merged(one: bytes, other: bytes, centroids: int) -> bytes:
    """The sketch of both windows' values."""
    if other[:1] not in _WEIGHT:
        return packed(_unpack(other)[0], centroids, one)
    if one[:1] not in _WEIGHT:
        return packed(_unpack(one)[0], centroids, other)
    means, weights = _unpack(one)
    more_means, more_weights = _unpack(other)
    digest = TDigest.from_values(
        means + more_means, weights + more_weights, max_centroids=centroids
    )
    return _pack(digest)


def quantiles(sketch: bytes, shares: Sequence[float]) -> list[float]:
    """The values below which these shares (0 to 1) of the window's values lie."""
    means, weights = _unpack(sketch)
    return TDigest.from_values(means, weights, max_centroids=0).quantile_vec(list(shares))


def _pack(digest: TDigest) -> bytes:
    means, weights = zip(*digest.centroids, strict=True)
    count = len(means)
    whole = list(map(int, weights))
    kind = _CENTROIDS if max(whole) < 1 << 16 else _HEAVY
    return kind + struct.pack(f"<{count}f{count}{_WEIGHT[kind]}", *means, *whole)


def _unpack(sketch: bytes) -> tuple[list[float], list[float]]:
    """Means and weights."""
    kind, size = sketch[:1], len(sketch) - 1
    if kind not in _WEIGHT:
        count = size // 4
        return list(struct.unpack(f"<{count}f", sketch[1:])), [1.0] * count
    letter = _WEIGHT[kind]
    count = size // (4 + struct.calcsize(f"<{letter}"))
    found = struct.unpack(f"<{count}f{count}{letter}", sketch[1:])
    return list(found[:count]), [float(weight) for weight in found[count:]]
