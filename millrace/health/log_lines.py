"""What a line of a function's log tells of an error, whoever wrote it.

Our own code and the runtime write lines with level ERROR. Of a function that ran out of time or
was killed only the platform tells, in `platform.report` (AWS: "Lambda Telemetry API schema
reference") or, where the log is text, in words.
"""

import datetime as dt
import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from millrace.health.report import ErrorLine

INSIGHTS_FILTER = (
    'level in ["ERROR", "CRITICAL"]'
    ' or (type = "platform.report" and record.status in ["error", "failure", "timeout"])'
    " or @message like /Task timed out after|Runtime exited|^\\[ERROR\\]/"
)
"""What of a log `read` understands."""

LONGEST = 200
"""Characters of a message that are shown."""

_TIMED_OUT = re.compile(r"(?:([0-9a-f-]{36}) )?Task timed out after ([0-9.]+) seconds")
_EXITED = re.compile(r"RequestId: ([0-9a-f-]{36}) Error: (Runtime exited.*)")
_RAISED = re.compile(r"\[ERROR\] ([\w.]+): (.*)")
_WORDS = {
    "timeout": "Sandbox.Timedout",
    "failure": "Runtime.ExitError",
    "error": "Runtime.Unknown",
}
"""Reasons for a report that gives none, as Lambda calls them elsewhere."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """An error as one line tells it; `is_report` where another line may tell the same."""

    line: ErrorLine
    request_id: str = ""
    is_report: bool = False


def read(function: str, text: str, otherwise: float) -> Said | None:
    """The error in a line, None if it is none; `otherwise` is the time of a line without one.

    A text that only has the word ERROR in it, such as a line of a traceback, is none.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return _of_text(function, text, otherwise)
    if not isinstance(told, dict):
        return None
    if told.get("type") == "platform.report":
        return _of_report(function, told, otherwise)
    if told.get("level") not in ("ERROR", "CRITICAL"):
        return None
    kind = told.get("exception_name") or told.get("errorType") or ""
    return Said(
        line=ErrorLine(
            time=moment(told.get("timestamp"), otherwise),
            function=function,
            message=str(told.get("message") or told.get("errorMessage") or "")[:LONGEST],
            reason=str(told.get("reason") or kind),
            correlation_id=str(told.get("correlation_id") or ""),
        ),
        request_id=str(told.get("requestId") or told.get("function_request_id") or ""),
    )


def without_echoes(found: Iterable[Said]) -> list[ErrorLine]:
    """The lines, without reports of an error that a line of its own has told."""
    said = list(found)
    own = [one for one in said if not one.is_report]
    calls = {(one.line.function, one.request_id) for one in own if one.request_id}
    # A runtime that could not import its function knows of no request.
    kinds = {(one.line.function, one.line.reason) for one in own}
    return [
        one.line
        for one in said
        if not one.is_report
        or (
            (one.line.function, one.request_id) not in calls
            and (one.line.function, one.line.reason) not in kinds
        )
    ]


def _of_report(function: str, told: dict[str, Any], otherwise: float) -> Said | None:
    record = told.get("record")
    if not isinstance(record, dict) or str(record.get("status")) not in _WORDS:
        return None
    status = str(record["status"])
    metrics = record.get("metrics")
    message = record.get("errorMessage") or _sum(status, metrics if metrics else {})
    return Said(
        line=ErrorLine(
            time=moment(told.get("time"), otherwise),
            function=function,
            message=str(message)[:LONGEST],
            reason=str(record.get("errorType") or _WORDS[status]),
        ),
        request_id=str(record.get("requestId") or ""),
        is_report=True,
    )


def _sum(status: str, metrics: Any) -> str:
    """What a report without a message comes to."""
    if not isinstance(metrics, dict):
        metrics = {}
    took, used = metrics.get("durationMs"), metrics.get("maxMemoryUsedMB")
    said = {"timeout": "ran out of time", "failure": "the runtime ended", "error": "failed"}[status]
    if isinstance(took, int | float):
        said += f" after {took:,.0f} ms"
    if isinstance(used, int | float) and isinstance(size := metrics.get("memorySizeMB"), int):
        said += f", {used:,.0f} of {size:,} MB used"
    return said


def _of_text(function: str, text: str, otherwise: float) -> Said | None:
    request_id = ""
    if match := _TIMED_OUT.search(text):
        request_id, reason = match[1] or "", "Sandbox.Timedout"
        message = f"Task timed out after {match[2]} seconds"
    elif match := _EXITED.search(text):
        request_id, reason, message = match[1], "Runtime.ExitError", match[2]
    elif match := _RAISED.match(text):
        reason, message = match[1], match[2]
    else:
        return None
    line = ErrorLine(time=otherwise, function=function, message=message[:LONGEST], reason=reason)
    return Said(line=line, request_id=request_id)


def moment(text: Any, otherwise: float) -> float:
    """Seconds of the epoch of a time in ISO 8601."""
    try:
        return dt.datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return otherwise
