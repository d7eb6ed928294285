"""Which of the two view tables is live, and which one is being rebuilt: one item says it.

It lies in the orders table under "projection/orders". A rebuild fills the table that is not live
while the projector writes both, then one conditional write makes the rebuilt table the live one.
"""

import time
from collections.abc import Callable
from typing import Literal

import msgspec

from lambdas.core.table_store import Table, Write

Name = Literal["a", "b"]

PROJECTION = "projection/orders"
POINTER = "pointer"


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """`run`, `worker` and `segments` belong to the rebuild that fills `building`."""

    active: Name = "a"
    building: Name | None = None
    run: str | None = None
    worker: str | None = None
    """Who resumed the rebuild last; None while who began it is still at it."""
    segments: int = 0

    @property
    def shadow(self) -> Name:
        """The table that is not live."""
        return "b" if self.active == "a" else "a"

    @property
    def written(self) -> tuple[Name, ...]:
        """The tables that the projector keeps up to date."""
        return (self.active, self.building) if self.building else (self.active,)


class PointerStore:
    """The pointer in the orders table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self) -> Pointer:
        """The pointer as last written; before the first rebuild, "a" is live."""
        item = self._table.get(PROJECTION, POINTER)
        return msgspec.convert(item, Pointer) if item else Pointer()

    def begin(self, seen: Pointer, run: str, segments: int) -> Pointer:
        """From now on the projector writes the shadow too. Raises ConditionFailed if it moved."""
        begun = Pointer(active=seen.active, building=seen.shadow, run=run, segments=segments)
        self._replace(seen, begun)
        return begun

    def take_up(self, seen: Pointer, worker: str) -> Pointer:
        """Go on with the rebuild in the place of whoever is at it. Raises ConditionFailed if it
        moved."""
        taken = msgspec.structs.replace(seen, worker=worker)
        self._replace(seen, taken)
        return taken

    def swap(self, seen: Pointer) -> Pointer:
        """Make the rebuilt table the live one. Raises ConditionFailed if the pointer moved."""
        if seen.building is None:
            raise ValueError("nothing was rebuilt")
        swapped = Pointer(active=seen.building)
        self._replace(seen, swapped)
        return swapped

    def abandon(self, seen: Pointer) -> Pointer:
        """Give up the rebuild; what is live stays live. Raises ConditionFailed if it moved."""
        abandoned = Pointer(active=seen.active)
        self._replace(seen, abandoned)
        return abandoned

    def _replace(self, seen: Pointer, new: Pointer) -> None:
        fields = {k: v for k, v in msgspec.structs.asdict(new).items() if v is not None}
        same = {"active": seen.active, "run": seen.run, "worker": seen.worker}
        known = " AND ".join(
            f"attribute_not_exists(#{name})" if value is None else f"#{name} = :{name}"
            for name, value in same.items()
        )
        # Before the first rebuild there is no pointer, which means "a".
        absent = "attribute_not_exists(pk) OR " if seen == Pointer() else ""
        self._table.transact(
            Write(
                put={"pk": PROJECTION, "sk": POINTER, **fields},
                condition=f"{absent}({known})",
                names={name: name for name in same},
                values={name: value for name, value in same.items() if value is not None},
            )
        )


class RecentPointer:
    """The pointer for readers, who may follow a swap a few seconds late."""

    SECONDS = 3.0

    def __init__(self, store: PointerStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._read: tuple[float, Pointer] | None = None

    def get(self) -> Pointer:
        if self._read is None or self._clock() - self._read[0] > self.SECONDS:
            self._read = (self._clock(), self._store.read())
        return self._read[1]
