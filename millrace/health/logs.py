"""The last errors in the functions' logs."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.core.aws import error_code
from millrace.errors import MillraceError
from millrace.health import log_lines
from millrace.health.checks import side_by_side
from millrace.health.report import ErrorLine

SHOWN = 5
"""Different lines that are shown."""
READ = 50
"""Lines that are read of a log for that."""
GROUPS = 50
"""Log groups that one question of Logs Insights may name (CloudWatch limit)."""
PAUSE_SECONDS = 0.2
_QUESTION = (
    f"fields @timestamp, @log, @message | filter {log_lines.INSIGHTS_FILTER} "
    f"| sort @timestamp desc | limit {READ}"
)


def ask_insights(
    logs: Any,
    functions: Mapping[str, str],
    begin: float,
    end: float,
    *,
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> list[ErrorLine]:
    """The last lines, asked of Logs Insights; `functions` are full names by short ones.

    Raises TimeoutError when it is not ready in time, MillraceError when it fails. A question that
    nobody waits for any longer is stopped: it costs by what it reads.
    """
    deadline = time.monotonic() + seconds
    shorts = {_group(full): short for short, full in functions.items()}
    groups = list(shorts)
    under_way: list[str] = []
    found: list[log_lines.Said | None] = []
    try:
        for start in range(0, len(groups), GROUPS):
            query = logs.start_query(
                logGroupNames=groups[start : start + GROUPS],
                startTime=int(begin),
                endTime=int(end),
                queryString=_QUESTION,
            )
            under_way.append(query["queryId"])
        while under_way:
            for row in _rows(logs, under_way[0], deadline, sleep):
                fields = {field["field"]: field["value"] for field in row}
                group = fields.get("@log", "").partition(":")[2]
                text = fields.get("@message", "")
                then = log_lines.moment(f"{fields.get('@timestamp')}Z", end)
                found.append(log_lines.read(shorts.get(group, group), text, then))
            del under_way[0]
    finally:
        for query_id in under_way:
            with contextlib.suppress(ClientError, BotoCoreError):  # it ends by itself, later
                logs.stop_query(queryId=query_id)
    return _last(found)


_RUNNING = ("Scheduled", "Running", "Unknown")


def _rows(
    logs: Any, query_id: str, deadline: float, sleep: Callable[[float], None]
) -> list[list[dict[str, str]]]:
    """What a question found, once it is answered."""
    while (answer := logs.get_query_results(queryId=query_id))["status"] in _RUNNING:
        if time.monotonic() + PAUSE_SECONDS > deadline:
            raise TimeoutError("Logs Insights is not ready yet")
        sleep(PAUSE_SECONDS)
    if answer["status"] != "Complete":
        raise MillraceError(f"Logs Insights: the question is {answer['status'].lower()}")
    rows: list[list[dict[str, str]]] = answer["results"]
    return rows


def read_groups(
    logs: Any, functions: Mapping[str, str], begin: float, end: float
) -> list[ErrorLine]:
    """The last lines, read from each log group: for local AWS, which has no Insights."""

    def read(short: str) -> list[log_lines.Said | None]:
        request: dict[str, Any] = {
            "logGroupName": _group(functions[short]),
            # The emulator looks for it in any case of letters: also in "errorType".
            "filterPattern": '"ERROR"',
            "startTime": int(begin * 1000),
            "endTime": int(end * 1000),
        }
        try:
            events = logs.filter_log_events(**request).get("events", [])
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return []  # it has never run
            raise
        return [
            log_lines.read(short, event["message"], event["timestamp"] / 1000)
            for event in events[-READ:]
        ]

    return _last([line for lines in side_by_side(read, functions) for line in lines])


def _group(full_name: str) -> str:
    return f"/aws/lambda/{full_name}"


def _last(found: list[log_lines.Said | None]) -> list[ErrorLine]:
    """The last of each kind, the latest first: one fault says the same again and again."""
    kinds: dict[tuple[str, str, str], list[ErrorLine]] = defaultdict(list)
    lines = log_lines.without_echoes(said for said in found if said)
    for line in sorted(lines, key=lambda line: line.time, reverse=True):
        kinds[line.function, line.reason, line.message].append(line)
    return [msgspec.structs.replace(same[0], count=len(same)) for same in kinds.values()][:SHOWN]
