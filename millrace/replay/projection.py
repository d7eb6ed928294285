"""Rebuild the orders' read side from their events, beside the live one.

1. The pointer says that the other table is being built: from now on the projector writes both.
2. The event store is scanned in parallel segments and each order's row is written. Every chunk
   ends with a checkpoint, so a killed rebuild goes on where it was.
3. Both tables are compared (see `proof`), and the pointer is swapped in one conditional write.

A row written in step 2 may overwrite a newer one that the projector wrote in the same moment. That
row differs from the live one then, so the comparison finds it and mends it from the events. A
rebuild that was overtaken by another stops before it writes into what may be live by now.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from lambdas.contracts.codec import decode
from lambdas.core.errors import ConditionFailed
from lambdas.core.table_store import Table
from lambdas.ordering.orders import orders_in
from lambdas.ordering.projection import Gap, OrderRow, attributes, project, project_all
from lambdas.ordering.projection_store import Pointer, PointerStore
from lambdas.ordering.projector import NO_ROW
from millrace.errors import MillraceError
from millrace.replay.checkpoints import Checkpoint, Checkpoints
from millrace.replay.event_scan import EventItem, chunks
from millrace.replay.fast_dynamodb import FastDynamoDB
from millrace.replay.pace import Pace
from millrace.replay.proof import Proof, Views, prove
from millrace.replay.segments import Stopped, run_segments


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """Full names of the orders table and its two views."""

    orders: str
    view_a: str
    view_b: str

    def view(self, name: str) -> str:
        return self.view_a if name == "a" else self.view_b


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rebuild is, over all its runs."""

    events: int
    orders: int
    segments_done: int
    segments: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `events` counts all runs of a resumed rebuild, `read` only this one."""

    run: str
    resumed: bool
    live: str
    rebuilt: str
    events: int
    read: int
    orders: int
    unreadable: list[str]
    seconds: float
    events_per_second: float
    proof: Proof
    swapped: bool


class Rebuild:
    """The rebuild of one environment's orders view.

    `client` and `fast_client` are botocore clients; the fast one belongs to the rebuild alone.
    """

    def __init__(
        self,
        tables: Tables,
        client: Any,
        fast_client: Any,
        *,
        rate: float | None = None,
        on_progress: Callable[[Progress], None] = lambda _: None,
        patience_seconds: float = 15.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tables = tables
        self._client = client
        self._dynamodb = FastDynamoDB(fast_client)
        self._pointers = PointerStore(Table(tables.orders, client))
        self._checkpoints = Checkpoints(Table(tables.orders, client))
        self._orders = orders_in(Table(tables.orders, client))
        self._pace = Pace(rate)
        self._on_progress = on_progress
        self._patience_seconds = patience_seconds
        self._sleep = sleep
        self._lock = threading.Lock()
        self._state: dict[int, Checkpoint] = {}
        self._unreadable: list[str] = []

    def run(
        self,
        *,
        segments: int = 4,
        resume: bool = False,
        restart: bool = False,
        accept_differences: bool = False,
        swap: bool = True,
    ) -> Report:
        """Rebuild, prove, swap. Raises MillraceError when another rebuild is in the way."""
        pointer = self._begin(segments, resume, restart)
        self._state = {c.segment: c for c in self._checkpoints.load(pointer)}
        before = sum(state.events for state in self._state.values())
        begin = time.monotonic()
        self._read_all(pointer)
        seconds = time.monotonic() - begin
        events = sum(state.events for state in self._state.values())
        proof = self._prove(pointer)
        swapped = swap and (proof.equal or accept_differences)
        if swapped:
            self._swap(pointer)
        return Report(
            run=pointer.run or "",
            resumed=resume,
            live=pointer.active,
            rebuilt=pointer.shadow,
            events=events,
            read=events - before,
            orders=sum(state.orders for state in self._state.values()),
            unreadable=sorted(self._unreadable),
            seconds=seconds,
            events_per_second=(events - before) / seconds if seconds else 0.0,
            proof=proof,
            swapped=swapped,
        )

    def _begin(self, segments: int, resume: bool, restart: bool) -> Pointer:
        pointer = self._pointers.read()
        if resume and pointer.building is None:
            raise MillraceError("There is no unfinished rebuild to resume: leave out --resume.")
        identity = uuid.uuid4().hex[:12]
        try:
            if resume:
                return self._pointers.take_up(pointer, identity)
            if pointer.building is not None:
                if not restart:
                    raise MillraceError(
                        f"The rebuild {pointer.run} is not finished: --resume goes on with it, "
                        "--restart begins anew."
                    )
                pointer = self._pointers.abandon(pointer)
            return self._pointers.begin(pointer, identity, segments)
        except ConditionFailed:
            raise MillraceError("Another rebuild began at the same moment.") from None

    def _read_all(self, pointer: Pointer) -> None:
        target = self._tables.view(pointer.shadow)
        waiting = [state.segment for state in self._state.values() if not state.done]

        def read(segment: int, stopped: Stopped) -> None:
            for _ in self._read_segment(segment, pointer, target):
                if stopped():
                    return
            self._keep(msgspec.structs.replace(self._state[segment], done=True), pointer)

        run_segments(waiting, read)

    def _read_segment(self, segment: int, pointer: Pointer, target: str) -> Iterator[Checkpoint]:
        """Write the rows of a segment; after each checkpoint it may be left and taken up again."""
        state = self._state[segment]
        for chunk in chunks(
            self._dynamodb,
            self._tables.orders,
            EventItem,
            segment=segment,
            segments=pointer.segments,
            start=state.after,
        ):
            rows = [row for events in chunk.partitions if (row := self._row(events)) is not None]
            self._assert_ours(pointer)
            self._dynamodb.put_all(target, list(map(attributes, rows)))
            state = msgspec.structs.replace(
                state,
                after=chunk.after or state.after,
                events=state.events + chunk.events,
                orders=state.orders + len(rows),
            )
            self._keep(state, pointer)
            yield state
            self._pace.take(chunk.events)  # not between reading and writing, for rows grow old

    def _assert_ours(self, pointer: Pointer) -> None:
        if self._pointers.read() != pointer:
            raise MillraceError(
                f"The rebuild {pointer.run} was taken over or ended by another process; "
                "this one swapped nothing."
            )

    def _keep(self, state: Checkpoint, pointer: Pointer) -> None:
        self._checkpoints.save(pointer, state)
        with self._lock:
            self._state[state.segment] = state
            self._on_progress(_progress(self._state.values()))

    def _row(self, items: list[EventItem]) -> OrderRow | None:
        """The row of one order; None, and noted, when its events cannot be read."""
        subject = items[0].pk.value
        try:
            row: OrderRow | None = None
            for item in items:
                row = project(row, decode(item.type.value, item.detail.value))
            return row
        except Gap:
            pass  # its events came in pieces, or not all of them: the partition itself knows
        except NO_ROW:
            self._unreadable.append(subject)
            return None
        try:
            return project_all(None, self._orders.history(subject))
        except NO_ROW:
            self._unreadable.append(subject)
            return None

    def _prove(self, pointer: Pointer) -> Proof:
        views = Views(
            self._dynamodb,
            self._client,
            live=self._tables.view(pointer.active),
            shadow=self._tables.view(pointer.shadow),
        )
        return prove(
            views,
            lambda subject: project_all(None, self._orders.history(subject)),
            segments=max(1, pointer.segments),
            patience_seconds=self._patience_seconds,
            sleep=self._sleep,
        )

    def _swap(self, pointer: Pointer) -> None:
        try:
            self._pointers.swap(pointer)
        except ConditionFailed:
            raise MillraceError(
                "The pointer was changed by somebody else meanwhile; nothing was swapped."
            ) from None
        self._checkpoints.clear(pointer)


def _progress(states: Iterable[Checkpoint]) -> Progress:
    known = list(states)
    return Progress(
        events=sum(state.events for state in known),
        orders=sum(state.orders for state in known),
        segments_done=sum(state.done for state in known),
        segments=len(known),
    )
