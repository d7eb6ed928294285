"""What a redrive has done so far, line by line on disk, so that a killed one can be gone on with.

A message is sent first and deleted afterwards, so none is lost. Between the two, this file knows
which were sent: a resumed run deletes them and does not send them again. Only messages whose send
was under way at the very moment of the kill may arrive twice; the file knows which those are.
"""

import fcntl
import os
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

from millrace.errors import MillraceError
from millrace.paths import relative, write_whole


class Filters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which messages are meant; `older_than` is a moment, RFC 3339."""

    types: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    older_than: str | None = None
    limit: int | None = None
    everything: bool = False
    """Also what today's contracts refuse."""

    @property
    def narrow(self) -> bool:
        """Whether any message could be left behind."""
        return self != Filters(everything=True)

    def texts(self) -> dict[str, str]:
        """As options, for people and the audit trail."""
        named = {
            "type": ", ".join(self.types),
            "reason": ", ".join(self.reasons),
            "older_than": self.older_than or "",
            "limit": "" if self.limit is None else str(self.limit),
            "all": "yes" if self.everything else "",
        }
        return {name: text for name, text in named.items() if text}


class Begun(msgspec.Struct, frozen=True, kw_only=True, tag="begun", tag_field="step"):
    """The first line: of which run and which queue this is the journal.

    `carried` is what an abandoned run sent (new id by old) and perhaps did not delete.
    """

    run_id: str
    queue: str
    filters: Filters
    carried: dict[str, str] = {}


class Resumed(msgspec.Struct, frozen=True, tag="resumed", tag_field="step"):
    pass


class Received(msgspec.Struct, frozen=True, tag="received", tag_field="step"):
    receipts: dict[str, str]


class Sending(msgspec.Struct, frozen=True, tag="sending", tag_field="step"):
    types: dict[str, str]


class Sent(msgspec.Struct, frozen=True, tag="sent", tag_field="step"):
    ids: dict[str, str]
    refused: tuple[str, ...] = ()


class Deleted(msgspec.Struct, frozen=True, tag="deleted", tag_field="step"):
    ids: tuple[str, ...]


class Ended(msgspec.Struct, frozen=True, tag="ended", tag_field="step"):
    pass


Line = Begun | Resumed | Received | Sending | Sent | Deleted | Ended
_LINE = msgspec.json.Decoder(Line)


class State:
    """All lines of a journal taken together."""

    def __init__(self, begun: Begun) -> None:
        self.begun = begun
        self.attempts = 1
        self.ended = False
        self.sent: dict[str, str] = {}
        """The new id by the id of the dead letter."""
        self.came_back: set[str] = set()
        """Ids under which what this run sent would come back: the dead-letter queue keeps them."""
        self.types: dict[str, str] = {}
        self.receipts: dict[str, str] = {}
        """Of what was received and not deleted."""
        self.unsure: dict[str, str] = {}
        """Types of messages whose send was begun and not seen to end."""
        self.perhaps_twice: set[str] = set()
        """Messages that were sent although an earlier send of them may have worked."""

    def take(self, line: Line) -> None:
        match line:
            case Resumed():
                self.attempts += 1
            case Received(receipts):
                self.receipts |= receipts
            case Sending(types):
                self.perhaps_twice |= types.keys() & self.unsure.keys()
                self.unsure |= types
            case Sent(ids, refused):
                self.sent |= ids
                self.came_back |= set(ids.values())
                for key in (*ids, *refused):
                    self.types[key] = self.unsure.pop(key, "")
            case Deleted(ids):
                for key in ids:
                    self.receipts.pop(key, None)
            case Ended():
                self.ended = True
            case Begun():
                raise MillraceError("A journal holds two runs; remove it.")

    @property
    def undeleted(self) -> dict[str, str]:
        """Receipts of messages that were sent and are perhaps still in the queue."""
        return {key: receipt for key, receipt in self.receipts.items() if key in self.sent}

    @property
    def waiting(self) -> dict[str, str]:
        """Receipts of messages that a killed run left hidden."""
        return {key: receipt for key, receipt in self.receipts.items() if key not in self.sent}

    def was_sent(self, key: str) -> bool:
        """Whether this dead letter is in its inbox already, by this run or an abandoned one."""
        return key in self.sent or key in self.begun.carried

    def sent_by_type(self) -> dict[str, int]:
        return dict(sorted(Counter(self.types[key] for key in self.sent).items()))


class Journal:
    """The journal of one inbox; one process at a time may have it open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._state: State | None = None

    def __enter__(self) -> "Journal":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self.path.with_suffix(".lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise MillraceError(f"Another redrive is at work ({relative(self.path)}).") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for file in (self._file, self._lock):
            if file is not None:
                file.close()
        self._file = self._lock = None

    @property
    def state(self) -> State:
        assert self._state is not None, "begin or resume first"
        return self._state

    def unfinished(self, queue: str) -> State | None:
        """What an earlier run of this queue left undone; None when there is nothing."""
        state = self._read()
        return state if state and not state.ended and state.begun.queue == queue else None

    def begin(self, begun: Begun) -> None:
        """Begin a new run; the file forgets the one before."""
        write_whole(self.path, _encoded(begun))
        self._open()

    def resume(self) -> None:
        """Go on with the run in the file."""
        self._open()
        self.add(Resumed())

    def add(self, line: Line) -> None:
        """Write a line. A kill of the process loses none, a power cut no `Sent`."""
        assert self._file is not None
        self._file.write(_encoded(line))
        self._file.flush()
        if isinstance(line, Sent):
            os.fsync(self._file.fileno())
        self.state.take(line)

    def _open(self) -> None:
        self._state = self._read()
        # A line that a kill cut short is no line; the next must not be glued to it.
        data = self.path.read_bytes()
        if not data.endswith(b"\n"):
            write_whole(self.path, data[: data.rfind(b"\n") + 1])
        self._file = self.path.open("ab")

    def _read(self) -> State | None:
        if not self.path.exists():
            return None
        whole = self.path.read_bytes().split(b"\n")[:-1]
        try:
            lines = [_LINE.decode(line) for line in whole]
        except msgspec.DecodeError as error:
            raise MillraceError(f"{relative(self.path)} is no journal: {error}") from error
        if not lines or not isinstance(lines[0], Begun):
            return None
        state = State(lines[0])
        for line in lines[1:]:
            state.take(line)
        return state


def _encoded(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"
