"""Why a message failed: what its consumer logged of it (lambdas/core/inbox.py, "record failed")."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from lambdas.core.aws import error_code
from millrace.dead_letters.message import DeadLetter, judge

UNKNOWN = "(not in the log)"
PAGES = 200
"""Pages of the log read at most; a busy group has many without a match."""
MARGIN = dt.timedelta(hours=1)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log: the last time that the message failed."""

    message_id: str
    reason: str
    poison: bool = False
    receive_count: int | None = None
    timestamp: str | None = None
    exception_name: str | None = None
    exception: str | None = None
    """The traceback, as Python prints it."""
    xray_trace_id: str | None = None


class Reasons:
    """The failures of one inbox, read from its function's log as far back as asked for.

    `logs` is a botocore client; without a log group nothing is known.
    """

    def __init__(
        self,
        logs: Any,
        log_group: str | None,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.cut = False
        """Whether the log is longer than we read."""
        self._logs = logs
        self._log_group = log_group
        self._begin = now() + MARGIN
        self._pages = PAGES
        self._failures: dict[str, Failure] = {}

    def failure(self, message: DeadLetter) -> Failure | None:
        """The message's last failure; None when the log has none."""
        if message.sent_at < self._begin:
            begin = message.sent_at - MARGIN
            self._read(begin, self._begin)
            self._begin = begin
        return self._failures.get(message.id)

    def reason(self, message: DeadLetter) -> str:
        """One word for why it is here: from the log, the rule's delivery, or today's contracts."""
        if failure := self.failure(message):
            return failure.reason
        return message.delivery_error or judge(message.body).reason or UNKNOWN

    def _read(self, begin: dt.datetime, end: dt.datetime) -> None:
        if self._log_group is None:
            return
        request: dict[str, Any] = {
            "logGroupName": self._log_group,
            "filterPattern": '"record failed"',
            "startTime": max(0, int(begin.timestamp() * 1000)),
            "endTime": int(end.timestamp() * 1000),
        }
        while True:
            if self._pages == 0:
                self.cut = True
                return
            self._pages -= 1
            try:
                answer = self._logs.filter_log_events(**request)
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return
                raise
            for line in answer.get("events", []):
                self._keep(line["message"])
            if "nextToken" not in answer:
                return
            request["nextToken"] = answer["nextToken"]

    def _keep(self, line: str) -> None:
        try:
            failure = _LINE.decode(line)
        except msgspec.DecodeError:
            return  # a line of somebody else that has the same words
        known = self._failures.get(failure.message_id)
        if known is None or (known.timestamp or "") <= (failure.timestamp or ""):
            self._failures[failure.message_id] = failure


_LINE = msgspec.json.Decoder(Failure)
