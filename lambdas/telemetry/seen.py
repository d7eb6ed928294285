"""Which sequence numbers of a device were seen, as ranges: a duplicate is one seen before. Pure.

Devices count up, so one range says almost everything, however long ago it was. At most RANGES are
kept: with more gaps than that the oldest one is given up, and what still comes of it counts as
duplicate. A counter that starts again is noticed by a number seen before with a time later than
any before; it opens a new epoch, and records with an earlier time are still judged by the old one.
"""

import operator

import msgspec

RANGES = 128


class Epoch(msgspec.Struct, array_like=True):
    """Since `since` (ms) the device counts without a restart; `ranges` are seen, both ends in,
    flat: first, last, first, last, ... in rising order."""

    since: int
    ranges: list[int]


def is_new(epochs: list[Epoch], sequence: int, time_ms: int, watermark: int) -> bool:
    """Whether a record is no duplicate; then it is remembered. `watermark` is the latest time so
    far. `epochs` are the last two, oldest first."""
    if not epochs:
        epochs.append(Epoch(time_ms, [sequence, sequence]))
        return True
    epoch = epochs[-1]
    if time_ms < epoch.since and len(epochs) > 1:
        epoch = epochs[0]
    if _add(epoch.ranges, sequence):
        return True
    if time_ms <= watermark:
        return False
    epochs.append(Epoch(time_ms, [sequence, sequence]))
    del epochs[:-2]
    return True


def all_new(epochs: list[Epoch], sequences: list[int], earliest: int) -> bool:
    """`is_new` for records that rise beyond all that was seen, none before `earliest` (ms).

    False when they do not, or the epoch began later; then nothing is remembered.
    """
    if not epochs or earliest < epochs[-1].since:
        return False
    ranges = epochs[-1].ranges
    top, last = ranges[-1], sequences[-1]
    if sequences[0] <= top or not all(map(operator.lt, sequences, sequences[1:])):
        return False
    if last - top == len(sequences):
        ranges[-1] = last
        return True
    for sequence in sequences:
        if sequence == top + 1:
            ranges[-1] = top = sequence
        else:
            _add(ranges, sequence)
            top = sequence
    return True


def _add(ranges: list[int], number: int) -> bool:
    """Add a number to the ranges; False when it is in them."""
    if number == ranges[-1] + 1:
        ranges[-1] = number
        return True
    at = len(ranges)
    while at and ranges[at - 2] > number:
        at -= 2
    # All ranges from `at` on begin after the number; the one before `at` begins at or before it.
    if at and ranges[at - 1] >= number:
        return False
    after = at < len(ranges) and ranges[at] == number + 1
    if at and ranges[at - 1] == number - 1:
        ranges[at - 1 : at + after] = [] if after else [number]
    elif after:
        ranges[at] = number
    else:
        ranges[at:at] = [number, number]
        if len(ranges) > 2 * RANGES:
            del ranges[1:3]  # the oldest gap is given up
    return True
