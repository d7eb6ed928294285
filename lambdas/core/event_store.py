"""Event-sourced aggregates: append with an expected version, load, fold; snapshots to load fast.

The store is a table of the outbox kind in which the events are the only truth: an aggregate's
partition holds `event#000000000001`, `event#000000000002`, ... and at most one `snapshot`. What is
appended is published like any outbox item, from the table's stream.
"""

import datetime as dt
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from lambdas.contracts.codec import Published, UnknownType, decode
from lambdas.contracts.event import Event
from lambdas.core import observability
from lambdas.core.errors import ConditionFailed
from lambdas.core.outbox import EVENT_PREFIX, Cause, event_write
from lambdas.core.table_store import MAX_WRITES, Item, Table, Write

S = TypeVar("S", bound=msgspec.Struct)

Apply = Callable[[S, Published[Any]], S]


class ConcurrentAppend(Exception):
    """Somebody else appended to this aggregate first: load again and decide again."""


class BrokenHistory(Exception):
    """An aggregate's events have a gap: a part of the truth is missing, so nothing is decided."""


UNREADABLE = (BrokenHistory, UnknownType, msgspec.DecodeError)
"""Why a subject's events cannot be read: no retry heals it, somebody has to look at them."""


class Loaded(msgspec.Struct, Generic[S], frozen=True):
    """An aggregate as of its `version`, the sequence of its last event; 0 before the first."""

    state: S
    version: int
    snapshot_version: int


def sort_key(sequence: int) -> str:
    return f"{EVENT_PREFIX}{sequence:012d}"


def stored_event(item: Item) -> Published[Any]:
    """The event in an item of the store, in its newest version."""
    return decode(str(item["type"]), str(item["detail"]))


class EventStore(Generic[S]):
    """The aggregates of one kind: `initial` is the state before the first event.

    A snapshot is written when `snapshot_every` events have been added since the last one. It is a
    copy, safe to delete; `shape` names the state's layout, so that one of an older layout is
    ignored.
    """

    def __init__(
        self,
        table: Table,
        *,
        initial: S,
        apply: Apply[S],
        shape: str,
        snapshot_every: int = 50,
    ) -> None:
        self._table = table
        self._initial = initial
        self._apply = apply
        self._shape = shape
        self._snapshot_every = snapshot_every

    def load(self, subject: str) -> Loaded[S]:
        """The aggregate's present state. Raises BrokenHistory when an event is missing."""
        state, version = self._snapshot(subject)
        snapshot_version = version
        for published in self.history(subject, after=version):
            state = self._apply(state, published)
            version = published.meta.sequence
        return Loaded(state, version, snapshot_version)

    def history(self, subject: str, after: int = 0) -> Iterator[Published[Any]]:
        """The aggregate's events in order, upcast. Raises BrokenHistory at a gap.

        A query is no snapshot: a reader may pass the place of an event just before it is written,
        and then meet its successor. So a gap counts only if it is there at a second look.
        """
        version, gap_after = after, -1
        while (later := (yield from self._until_gap(subject, version))) is not None:
            version = later[0]
            if version == gap_after:
                raise BrokenHistory(f"{subject}: event {version + 1} is missing before {later[1]}")
            gap_after = version

    def _until_gap(
        self, subject: str, version: int
    ) -> Generator[Published[Any], None, tuple[int, int] | None]:
        """Events without a gap; returns the last one's sequence and what comes instead of the next.

        None when nothing comes.
        """
        for item in self._table.query(subject, after=sort_key(version)):
            if not item["sk"].startswith(EVENT_PREFIX):
                return None
            published = stored_event(item)
            if published.meta.sequence != version + 1:
                return version, published.meta.sequence
            version += 1
            yield published
        return None

    def append(
        self,
        subject: str,
        loaded: Loaded[S],
        events: Sequence[Event],
        *,
        cause: Cause,
        now: dt.datetime,
    ) -> Loaded[S]:
        """Add events to what was loaded, all or none; returns the aggregate after them.

        Raises ConcurrentAppend when the aggregate has moved on since it was loaded, ValueError
        for two events of one type: an event's id is made of its cause and type, so they would
        share it and consumers would take the second for a repetition.
        """
        types = {event.TYPE for event in events}
        if len(types) < len(events) or len(events) > MAX_WRITES:
            raise ValueError(f"at most {MAX_WRITES} events of different types, got {len(events)}")
        if not events:
            return loaded
        writes = [
            self._event(subject, event, loaded.version + offset, cause, now)
            for offset, event in enumerate(events, start=1)
        ]
        try:
            self._table.transact(*writes)
        except ConditionFailed as conflict:
            raise ConcurrentAppend(subject) from conflict
        state = loaded.state
        for write in writes:
            state = self._apply(state, stored_event(write.put or {}))
        after = Loaded(state, loaded.version + len(events), loaded.snapshot_version)
        if after.version - after.snapshot_version < self._snapshot_every:
            return after
        self._save_snapshot(subject, after)
        return Loaded(after.state, after.version, after.version)

    def _event(
        self, subject: str, event: Event, sequence: int, cause: Cause, now: dt.datetime
    ) -> Write:
        write = event_write(
            subject, event, subject=subject, sequence=sequence, cause=cause, now=now
        )
        item = {**(write.put or {}), "sk": sort_key(sequence)}
        return msgspec.structs.replace(write, put=item)

    def _snapshot(self, subject: str) -> tuple[S, int]:
        item = self._table.get(subject, "snapshot")
        if item is None or item["shape"] != self._shape:
            return self._initial, 0
        return msgspec.json.decode(item["state"], type=type(self._initial)), int(item["version"])

    def _save_snapshot(self, subject: str, loaded: Loaded[S]) -> None:
        """Try to: the events stand already, so trouble with their copy is told, not raised."""
        snapshot = {
            "pk": subject,
            "sk": "snapshot",
            "shape": self._shape,
            "version": loaded.version,
            "state": msgspec.json.encode(loaded.state).decode(),
        }
        try:
            self._table.transact(
                Write(
                    put=snapshot,
                    condition="attribute_not_exists(pk) OR #v < :v OR #shape <> :shape",
                    names={"v": "version", "shape": "shape"},
                    values={"v": loaded.version, "shape": self._shape},
                )
            )
        except ConditionFailed:
            return  # a later snapshot stands already
        except Exception:
            observability.logger().exception("snapshot not saved", extra={"subject": subject})
            observability.count("SnapshotsFailed")
