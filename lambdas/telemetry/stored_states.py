"""A device's state as the bytes of its item, in whichever layout they were written. Pure.

The first value of the array is the number of its layout; layout 1 had none, and begins with the
device. States are read in every layout there ever was and written in the latest, so that those of
devices that say nothing for months need no migration.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from lambdas.telemetry.device_state import LAYOUT, DeviceState
from lambdas.telemetry.seen import Run, Seen

Values = list[Any]

_MOST_OLD_RANGES = 16
"""Of one counter of layout 1, which had up to 128: the rest of the runs is for what comes."""


class UnknownLayout(Exception):
    """The state was written by a later release than this one."""


def packed(state: DeviceState) -> bytes:
    return _encoder.encode(state)


def unpacked(body: Any) -> DeviceState:
    """The state behind an item's `body` (bytes, or boto3's Binary). Raises UnknownLayout."""
    data = bytes(body)
    first = _heads.decode(data).first
    layout = first if isinstance(first, int) else 1
    if layout > LAYOUT:
        raise UnknownLayout(f"a device's state of layout {layout}; {LAYOUT} is the latest known")
    if layout < LAYOUT:
        data = _upcast(data, layout)
    return _decoder.decode(data)


def _upcast(data: bytes, layout: int) -> bytes:
    values = msgspec.msgpack.decode(data)
    for step in range(layout, LAYOUT):
        values = _UPCASTS[step](values)
    return _encoder.encode(values)


def _from_layout_1(values: Values) -> Values:
    """`seen` was the last two epochs of the counter, each [since, [first, last, first, ...]]: the
    latter judged the times from its `since` on, the one before it all others."""
    epochs, watermark = values[11], values[5]
    begins = [0, *(since for since, _ in epochs[1:])]
    runs = [
        run
        for (_, ranges), begin, end in zip(epochs, begins, [*begins[1:], watermark], strict=False)
        for run in _any_time_between(begin, end, ranges)
    ]
    return [2, *values[:11], Seen(runs=runs), *values[12:]]


def _any_time_between(begin: int, end: int, ranges: list[int]) -> list[Run]:
    """Runs that have each number of the ranges at any time in [begin, end], since layout 1 knew no
    more: nothing that was seen is taken again.

    Where there are too many, the oldest gaps count as seen, as they did. Both ends of a run are
    single points, so each run begins a number early and ends one late.
    """
    bounds = ranges[:1] + ranges[1:][-(2 * _MOST_OLD_RANGES - 1) :]
    pairs = zip(bounds[::2], bounds[1::2], strict=True)
    span = end + 1 - begin
    return [Run(first - 1, begin, last - first + 2, span, span) for first, last in pairs]


class _Head(msgspec.Struct, array_like=True):
    first: int | str


_UPCASTS: dict[int, Callable[[Values], Values]] = {1: _from_layout_1}
"""From the values of a layout to those of the next one."""

_encoder = msgspec.msgpack.Encoder()
_heads = msgspec.msgpack.Decoder(_Head)
_decoder = msgspec.msgpack.Decoder(DeviceState)
