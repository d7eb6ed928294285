"""Which records were worked on before: the checkpoints of a device. Pure.

A *lane* is what the stream keeps in order: the records of one shard with one partition key. A
device whose partition key is its id has one lane (two, for a while, after its shard was split). In
a lane, what lies at or before the checkpoint is a redelivery. Checkpoints of the LANES last used
are kept, so that a state stays small; in a forgotten lane, which takes a device that is sent under
more keys than that, a redelivery is found to be a duplicate by its sequence number.
"""

from lambdas.telemetry.batches import Arrived

LANES = 64
"""Of 100 bytes each."""


def not_worked_on(checkpoints: dict[str, str], arrived: list[Arrived]) -> list[Arrived]:
    """The records beyond the checkpoints, which are moved to the last of them."""
    first, last = arrived[0], arrived[-1]
    if len({one.lane for one in arrived}) == 1:
        fresh = _beyond(checkpoints.get(first.lane), arrived)
        if fresh:
            _move(checkpoints, last)
        return fresh
    known = {lane: _place(text) for lane, text in checkpoints.items()}
    fresh = [one for one in arrived if (at := known.get(one.lane)) is None or one.place > at]
    for one in fresh:
        _move(checkpoints, one)
    return fresh


def _beyond(checkpoint: str | None, arrived: list[Arrived]) -> list[Arrived]:
    """Of one lane, whose records come in order."""
    if checkpoint is None:
        return arrived
    known = _place(checkpoint)
    if arrived[0].place > known:
        return arrived
    return [one for one in arrived if one.place > known]


def _move(checkpoints: dict[str, str], to: Arrived) -> None:
    checkpoints.pop(to.lane, None)
    checkpoints[to.lane] = to.position  # the last one used is the last one in the dict
    if len(checkpoints) > LANES:
        del checkpoints[next(iter(checkpoints))]


def _place(position: str) -> tuple[int, int]:
    sequence, _, part = position.partition("/")
    return int(sequence), int(part or -1)
