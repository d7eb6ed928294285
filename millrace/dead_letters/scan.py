"""See every message of a queue once: what was seen stays hidden until the end, then comes back."""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType

from millrace.dead_letters.message import DeadLetter
from millrace.dead_letters.queue import BATCH, Queue, TooManyHidden

RECEIVE_SECONDS = 60
"""Hidden at first: what a killed reader has not written down yet comes back after so long."""
HOLD_SECONDS = 900
"""Hidden once it is clear that the message waits for the end of the scan; extended as needed."""
MARGIN_SECONDS = 30
"""Extended when it would come back within so long."""
EMPTY_RECEIVES = 3
"""Receives in a row without anything new that end a scan even if SQS claims there is more."""


class Scan:
    """The messages of a queue, hidden from everybody else inside the `with` block.

    At its end, however that comes, every message that was not deleted is visible again.
    `remember` is told ids and receipts of each batch before anybody works with it.
    """

    def __init__(
        self,
        queue: Queue,
        *,
        remember: Callable[[Mapping[str, str]], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cut = False
        """Whether SQS gave no more because too many messages are hidden."""
        self._queue = queue
        self._remember = remember
        self._clock = clock
        self._held: dict[str, tuple[str, float]] = {}
        self._due: list[tuple[float, str]] = []

    def __enter__(self) -> "Scan":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._queue.hide({key: receipt for key, (receipt, _) in self._held.items()}, 0)
        self._held.clear()

    def batches(self) -> Iterator[list[DeadLetter]]:
        """Up to ten messages that are not held yet, until the queue shows no other."""
        empty = 0
        while empty < EMPTY_RECEIVES:
            self.keep()
            try:
                received = self._queue.receive(RECEIVE_SECONDS)
            except TooManyHidden:
                self.cut = True
                return
            fresh = [message for message in received if message.id not in self._held]
            self._hold({message.id: message.receipt for message in received}, RECEIVE_SECONDS)
            if fresh:
                empty = 0
                self._remember({message.id: message.receipt for message in received})
                yield fresh
            elif self._queue.depth().visible == 0:
                return
            else:
                empty += 1

    def delete(self, ids: Iterable[str]) -> set[str]:
        """Delete held messages; returns the ids that are gone."""
        gone = self._queue.delete({key: self._held[key][0] for key in ids})
        for key in gone:
            del self._held[key]
        return gone

    def keep(self) -> None:
        """Hide for longer what would soon come back; call it at least every half minute."""
        soon = self._clock() + MARGIN_SECONDS
        while self._due and self._due[0][0] <= soon:
            due: dict[str, str] = {}
            while self._due and self._due[0][0] <= soon and len(due) < BATCH:
                until, key = heapq.heappop(self._due)
                if key in self._held and self._held[key][1] == until:
                    due[key] = self._held[key][0]
            # Where it fails the message was received anew or its 12 hours are over.
            self._queue.hide(due, HOLD_SECONDS)
            self._hold(due, HOLD_SECONDS)

    def _hold(self, receipts: Mapping[str, str], seconds: float) -> None:
        until = self._clock() + seconds
        for key, receipt in receipts.items():
            self._held[key] = (receipt, until)
            heapq.heappush(self._due, (until, key))


def look(queue: Queue, most: int) -> list[DeadLetter]:
    """Up to so many messages, all visible again when this returns."""
    found: list[DeadLetter] = []
    with Scan(queue) as scan:
        for batch in scan.batches():
            found += batch
            if len(found) >= most:
                break
    return found[:most]
