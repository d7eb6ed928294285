"""How far each segment of a rebuild is, kept in the orders table beside the pointer."""

import msgspec

from lambdas.core.table_store import Table, Write
from lambdas.ordering.projection_store import PROJECTION, Pointer
from millrace.replay.fast_dynamodb import Key

_PREFIX = "segment#"


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """All orders of `segment` up to the key `after` are written."""

    segment: int
    after: Key | None = None
    events: int = 0
    orders: int = 0
    done: bool = False


class Checkpoints:
    """The checkpoints of the rebuild that a pointer names."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, pointer: Pointer) -> list[Checkpoint]:
        """One for each segment; those of another run do not count."""
        found = {
            int(item["segment"]): msgspec.json.decode(item["state"], type=Checkpoint)
            for item in self._table.query(PROJECTION, prefix=_PREFIX)
            if item["run"] == pointer.run
        }
        fresh = (Checkpoint(segment=segment) for segment in range(pointer.segments))
        return [found.get(checkpoint.segment, checkpoint) for checkpoint in fresh]

    def save(self, pointer: Pointer, checkpoint: Checkpoint) -> None:
        self._table.transact(
            Write(
                put={
                    "pk": PROJECTION,
                    "sk": _sort_key(checkpoint.segment),
                    "run": pointer.run,
                    "segment": checkpoint.segment,
                    "state": msgspec.json.encode(checkpoint).decode(),
                }
            )
        )

    def clear(self, pointer: Pointer) -> None:
        for segment in range(pointer.segments):
            self._table.transact(Write(key=(PROJECTION, _sort_key(segment)), delete=True))


def _sort_key(segment: int) -> str:
    return f"{_PREFIX}{segment:04d}"
