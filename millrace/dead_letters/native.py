"""Let SQS move all dead letters itself (StartMessageMoveTask), and watch it."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from millrace.errors import MillraceError

POLL_SECONDS = 1.0
FASTEST = 500
"""Messages a second that SQS takes as a limit."""
LISTED = 10
"""Tasks of a queue that SQS lists at most, the newest first."""


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

    Follows a task that runs already, if it does the same. The target is named, since what a rule
    could not deliver has no queue to go back to. Raises MillraceError when SQS gives up, or when a
    task runs that moves elsewhere or at another rate.
    """
    limit = None if rate is None else max(1, min(FASTEST, int(rate)))
    mine = _Task(sqs, source, target, limit)
    cancelled = False
    while True:
        task = mine.look()
        moved, status = int(task.get("ApproximateNumberOfMessagesMoved", 0)), task["Status"]
        on_progress(moved)
        if status == "FAILED":
            why = task.get("FailureReason", "no reason given")
            raise MillraceError(f"SQS gave up after {moved} messages: {why}.")
        if status in ("COMPLETED", "CANCELLED"):
            return Moved(messages=moved, status=status)
        if stopped() and not cancelled:
            sqs.cancel_message_move_task(TaskHandle=mine.handle)
            cancelled = True
        sleep(POLL_SECONDS)


class _Task:
    """The one task that is ours, among all that SQS lists of a queue; started if none runs."""

    def __init__(self, sqs: Any, source: str, target: str, limit: int | None) -> None:
        self._sqs, self._source = sqs, source
        before = self._listed()
        self._last_before = max((_started(task) for task in before), default=0)
        self._begun: int | None = None
        running = next((task for task in before if task["Status"] == "RUNNING"), None)
        if running is not None:
            _check_same(running, target, limit)
            self.handle = str(running["TaskHandle"])
            self._begun = _started(running)
            return
        request: dict[str, Any] = {"SourceArn": source, "DestinationArn": target}
        if limit is not None:
            request["MaxNumberOfMessagesPerSecond"] = limit
        self.handle = str(sqs.start_message_move_task(**request)["TaskHandle"])

    def look(self) -> dict[str, Any]:
        """The task as it is now; one that SQS does not list yet is running."""
        listed = self._listed()
        if self._begun is None:
            # A task has its handle in the list only while it runs. One at a time runs, so that the
            # first after those that were there is ours also when it is over already.
            named = [task for task in listed if task.get("TaskHandle") == self.handle]
            later = [task for task in listed if _started(task) > self._last_before]
            self._begun = min(map(_started, named or later), default=None)
        found = (task for task in listed if _started(task) == self._begun)
        return next(found, {"Status": "RUNNING"})

    def _listed(self) -> list[dict[str, Any]]:
        answer = self._sqs.list_message_move_tasks(SourceArn=self._source, MaxResults=LISTED)
        results: list[dict[str, Any]] = answer.get("Results", [])
        return results


def _started(task: dict[str, Any]) -> int:
    """When a task began, in milliseconds of the epoch by the clock of SQS."""
    return int(task["StartedTimestamp"])


def _check_same(running: dict[str, Any], target: str, limit: int | None) -> None:
    there = running.get("DestinationArn", "the queues that the messages came from")
    rate = running.get("MaxNumberOfMessagesPerSecond")
    if (there, rate) != (target, limit):
        how = "as fast as it goes" if rate is None else f"at {rate} a second"
        raise MillraceError(
            f"SQS is moving these messages already, to {there}, {how}: wait for the end of that, "
            f"or end it by `aws sqs cancel-message-move-task --task-handle "
            f"{running['TaskHandle']}`."
        )
