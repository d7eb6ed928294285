"""Which dead letters are sent again, and why the others are left."""

import datetime as dt
from collections import Counter

import msgspec

from millrace.dead_letters.journal import Filters
from millrace.dead_letters.message import DeadLetter, Verdict, judge
from millrace.dead_letters.queue import Queue
from millrace.dead_letters.reasons import Reasons
from millrace.dead_letters.scan import Scan

OTHER = "not asked for"
CAME_BACK = "sent and failed again"
BEHIND = "behind one of its group"
OVER = "over the limit"


class Choice:
    """The filters, applied to one message after the other in the order of the queue."""

    def __init__(self, filters: Filters, reasons: Reasons) -> None:
        self._filters = filters
        self._reasons = reasons
        self._before = dt.datetime.fromisoformat(filters.older_than) if filters.older_than else None
        self._blocked: set[str] = set()

    def why_left(self, message: DeadLetter, came_back: bool = False, fifo: bool = False) -> str:
        """Why this message stays where it is, "" if it is to be sent.

        In a FIFO queue what is left keeps the later ones of its group from overtaking it.
        """
        why = CAME_BACK if came_back else self._why(message)
        if fifo and message.group:
            if message.group in self._blocked:
                return why or BEHIND
            if why:
                self._blocked.add(message.group)
        return why

    def _why(self, message: DeadLetter) -> str:
        filters, verdict = self._filters, judge(message.body)
        if filters.types and not any(is_of_type(verdict.type, kind) for kind in filters.types):
            return OTHER
        if self._before and message.sent_at >= self._before:
            return OTHER
        if filters.reasons and self._reasons.reason(message) not in filters.reasons:
            return OTHER
        if verdict.kind == "poison" and not filters.everything:
            return f"poison ({verdict.reason})"
        return ""


def is_of_type(token: str, wanted: str) -> bool:
    """Whether a type is the one wanted; without a version, any version is."""
    return wanted in (token, token.rpartition(".v")[0])


class Group(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Dead letters of one type and reason, with what a redrive would do to each of them."""

    type: str
    reason: str
    would: str
    count: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a redrive would do. `unseen` messages are hidden, by another reader or their group."""

    inbox: str
    groups: tuple[Group, ...]
    would_send: int
    would_leave: int
    unseen: int
    log_cut: bool


def plan(inbox: str, source: Queue, filters: Filters, reasons: Reasons) -> Plan:
    """Look at every message, decode it against today's contracts, and send nothing."""
    choice = Choice(filters, reasons)
    counts: Counter[tuple[str, str, str]] = Counter()
    send = 0
    with Scan(source) as scan:
        for batch in scan.batches():
            for message in batch:
                verdict = judge(message.body)
                why = choice.why_left(message, fifo=source.is_fifo)
                if not why and send == filters.limit:
                    why = OVER
                send += not why
                would = f"leave: {why}" if why else _as_what(verdict)
                counts[verdict.type, reasons.reason(message), would] += 1
        unseen = max(0, source.depth().total - counts.total())
    groups = (Group(type=t, reason=r, would=w, count=n) for (t, r, w), n in counts.items())
    return Plan(
        inbox=inbox,
        groups=tuple(sorted(groups)),
        would_send=send,
        would_leave=counts.total() - send,
        unseen=unseen,
        log_cut=reasons.cut,
    )


def _as_what(verdict: Verdict) -> str:
    match verdict.kind:
        case "old":
            return f"send, is read as {verdict.newest}"
        case "foreign":
            return "send, has no contract to check"
        case "poison":
            return f"send, fails again ({verdict.reason})"
        case "current":
            return "send"
