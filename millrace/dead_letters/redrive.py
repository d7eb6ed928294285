"""Send dead letters to their inbox again: send first, delete after, and write down each step."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

from millrace.dead_letters.choice import Choice
from millrace.dead_letters.journal import (
    Begun,
    Deleted,
    Ended,
    Journal,
    Received,
    Sending,
    Sent,
    State,
)
from millrace.dead_letters.message import DeadLetter, judge
from millrace.dead_letters.queue import BATCH, Queue, chunks
from millrace.dead_letters.reasons import Reasons
from millrace.dead_letters.scan import Scan
from millrace.errors import MillraceError
from millrace.replay.pace import Pace

Outcome = Literal["completed", "interrupted", "abandoned"]
Progress = Callable[[int, int], None]
"""Told how many were sent and how many left so far."""


def in_silence(_sent: int, _left: int) -> None:
    """Tell nobody."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has done, all of its attempts together; `left` is by the reason for it.

    `hidden` messages are with a reader that was killed or is still at work: they were not looked
    at and come back by themselves.
    """

    run_id: str
    inbox: str
    filters: dict[str, str]
    outcome: Outcome
    native: bool = False
    attempts: int = 1
    sent: int
    sent_by_type: dict[str, int] = {}
    left: dict[str, int] = {}
    sent_not_deleted: int = 0
    perhaps_sent_twice: int = 0
    hidden: int = 0
    cut: bool = False
    seconds: float = 0.0


class Redrive:
    """One run, from its journal's first line or where a killed attempt left it."""

    def __init__(
        self,
        inbox: str,
        source: Queue,
        target: Queue,
        journal: Journal,
        reasons: Reasons,
        *,
        rate: float | None = None,
        stopped: Callable[[], bool] = lambda: False,
        on_progress: Progress = in_silence,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inbox = inbox
        self._source = source
        self._target = target
        self._journal = journal
        self._reasons = reasons
        self._pace = Pace(rate, clock, sleep)
        # A call of ten is a burst: at a low rate it takes fewer.
        self._most = BATCH if rate is None else max(1, min(BATCH, int(rate)))
        self._stopped = stopped
        self._on_progress = on_progress
        self._clock = clock
        self._left: dict[str, str] = {}

    def begin(self, begun: Begun, *, resume: bool = False, restart: bool = False) -> Report | None:
        """Open the journal; gives the report of the run that is abandoned by a restart, if any.

        Raises MillraceError when an earlier run is unfinished and neither is asked for.
        """
        unfinished = self._journal.unfinished(self._source.url)
        if resume:
            if unfinished is None:
                raise MillraceError(f"No redrive of {self._inbox} to resume.")
            self._journal.resume()
            return None
        if unfinished is None:
            self._journal.begin(begun)
            return None
        if not restart:
            raise MillraceError(
                f"A redrive of {self._inbox} is unfinished ({len(unfinished.sent)} sent): go on "
                "with it by --resume, or give it up by --restart."
            )
        carried = unfinished.begun.carried | unfinished.sent
        self._settle(unfinished)
        self._journal.begin(msgspec.structs.replace(begun, carried=carried))
        return _report(self._inbox, unfinished, "abandoned")

    def run(self) -> Report:
        """Do the work; gives the report when no message is left to send, or when stopped."""
        began, state = self._clock(), self._journal.state
        gone = self._settle(state)
        if gone:
            self._journal.add(Deleted(tuple(gone)))
        with Scan(self._source, remember=self._remember, clock=self._clock) as scan:
            outcome = self._work(scan)
        hidden = self._source.depth().hidden
        # What nobody sees any more is deleted, whatever its old receipt was worth.
        undeleted = min(len(state.undeleted), hidden)
        if outcome == "completed" and not undeleted:
            self._journal.add(Ended())
        return msgspec.structs.replace(
            _report(self._inbox, state, outcome),
            left=dict(sorted(Counter(self._left.values()).items())),
            sent_not_deleted=undeleted,
            hidden=hidden,
            cut=scan.cut,
            seconds=self._clock() - began,
        )

    def _work(self, scan: Scan) -> Outcome:
        state = self._journal.state
        choice = Choice(state.begun.filters, self._reasons)
        if self._room() == 0:
            return "completed"
        for batch in scan.batches():
            sent_before = [message.id for message in batch if state.was_sent(message.id)]
            self._delete(scan, sent_before)
            chosen = [
                message
                for message in batch
                if message.id not in sent_before and self._is_chosen(choice, message)
            ]
            for chunk in chunks(chosen[: self._room()], self._most):
                if self._stopped():
                    return "interrupted"
                self._pace.take(len(chunk))
                scan.keep()
                self._move(scan, chunk)
                self._on_progress(len(state.sent), len(self._left))
            if self._room() == 0:
                return "completed"
            if self._stopped():
                return "interrupted"
        return "completed"

    def _is_chosen(self, choice: Choice, message: DeadLetter) -> bool:
        came_back = message.id in self._journal.state.came_back
        why = choice.why_left(message, came_back, self._source.is_fifo)
        if why:
            self._left[message.id] = why
        return not why

    def _room(self) -> int | None:
        """How many more may be sent; None without a limit."""
        state = self._journal.state
        limit = state.begun.filters.limit
        return None if limit is None else max(0, limit - len(state.sent))

    def _move(self, scan: Scan, chunk: list[DeadLetter]) -> None:
        types = {message.id: judge(message.body).type for message in chunk}
        self._journal.add(Sending(types))
        sent = self._target.send(chunk, lambda ids: self._journal.add(Sent(ids)))
        if sent.refused:
            self._journal.add(Sent({}, tuple(sent.refused)))
        self._left |= {key: f"refused by SQS ({code})" for key, code in sent.refused.items()}
        self._delete(scan, sent.ids)

    def _delete(self, scan: Scan, ids: Iterable[str]) -> None:
        gone = scan.delete(ids)
        if gone:
            self._journal.add(Deleted(tuple(gone)))

    def _remember(self, receipts: Mapping[str, str]) -> None:
        self._journal.add(Received(dict(receipts)))

    def _settle(self, state: State) -> set[str]:
        """Delete what a killed attempt sent, show what it hid; returns the ids deleted."""
        gone = self._source.delete(state.undeleted)
        self._source.hide(state.waiting, 0)
        return gone


def _report(inbox: str, state: State, outcome: Outcome) -> Report:
    return Report(
        run_id=state.begun.run_id,
        inbox=inbox,
        filters=state.begun.filters.texts(),
        outcome=outcome,
        attempts=state.attempts,
        sent=len(state.sent),
        sent_by_type=state.sent_by_type(),
        perhaps_sent_twice=len(state.perhaps_twice),
    )
