"""Let SQS move all dead letters itself (StartMessageMoveTask), and watch it."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from millrace.errors import MillraceError

POLL_SECONDS = 1.0
FASTEST = 500
"""Messages a second that SQS takes as a limit."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """How far a task came; `status` is "COMPLETED" or "CANCELLED"."""

    messages: int
    status: str


def move(
    sqs: Any,
    source: str,
    target: str,
    *,
    rate: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Moved:
    """Move every message from one queue (an ARN) to the other and wait for the end.

    Follows a task that runs already. The target is named, since what a rule could not deliver has
    no queue to go back to. Raises MillraceError when SQS gives up.
    """
    task = _newest(sqs, source)
    if task is None or task["Status"] != "RUNNING":
        request: dict[str, Any] = {"SourceArn": source, "DestinationArn": target}
        if rate is not None:
            request["MaxNumberOfMessagesPerSecond"] = max(1, min(FASTEST, int(rate)))
        sqs.start_message_move_task(**request)
    cancelled = False
    while True:
        task = _newest(sqs, source) or {"Status": "RUNNING"}
        moved, status = int(task.get("ApproximateNumberOfMessagesMoved", 0)), task["Status"]
        on_progress(moved)
        if status == "FAILED":
            why = task.get("FailureReason", "no reason given")
            raise MillraceError(f"SQS gave up after {moved} messages: {why}.")
        if status in ("COMPLETED", "CANCELLED"):
            return Moved(messages=moved, status=status)
        if stopped() and not cancelled and "TaskHandle" in task:
            sqs.cancel_message_move_task(TaskHandle=task["TaskHandle"])
            cancelled = True
        sleep(POLL_SECONDS)


def _newest(sqs: Any, source: str) -> dict[str, Any] | None:
    answer = sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)
    results: list[dict[str, Any]] = answer.get("Results", [])
    return results[0] if results else None
