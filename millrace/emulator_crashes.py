"""What the platform tells of a function that failed, where the emulator tells nothing.

On AWS a function that cannot be imported, runs out of time or is killed says nothing itself;
Lambda writes `platform.report` into its log and a segment with a fault into its trace, linked to
the traces of what it was given. The emulator does neither, so both are done here as on AWS.

Like `guarded_emulator`, this runs on the emulator's own interpreter: standard library only.
"""

import contextvars
import datetime as dt
import json
import re
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

Result = dict[str, Any]

DAEMON = "AWS_XRAY_DAEMON_ADDRESS"
LONGEST = 1000
"""Characters of an error's message that are told: a segment must fit into a datagram."""
MOST_LINKS = 100
"""Traces that one segment is linked to: no batch of an inbox has more records."""

_LINKED = re.compile(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})")
_TIMED_OUT = re.compile(r"Task timed out after [0-9.]+ seconds")
_NOT_IMPORTED = "Worker init failed: "
_DIED = ("Worker process died", "Worker returned no response", "Worker process exited")

_header: contextvars.ContextVar[str] = contextvars.ContextVar("header", default="")


def tell(functions: Any) -> None:
    """Let the emulator's module of Lambda tell of every failed call, for its process."""
    execute: Callable[..., Result] = functions._execute_function_warm
    trace_header: Callable[..., str | None] = functions._xray_trace_id_for_invocation

    def remembering(*asked: Any, **more: Any) -> str | None:
        header = trace_header(*asked, **more)
        _header.set(header or "")
        return header

    def executing(func: Result, event: Any, request_id: str) -> Result:
        _header.set("")
        begun = time.time()
        result = execute(func, event, request_id)
        if result.get("error"):
            ended, header = time.time(), _header.get()
            config = func.get("config") or func
            if header:
                _send(config, segment(config, result, event, header, begun, ended))
            line = json.dumps(report(result, request_id, header, begun, ended))
            result["log"] = "\n".join(filter(None, [result.get("log"), line]))
        return result

    functions._xray_trace_id_for_invocation = remembering
    functions._execute_function_warm = executing


def failure(result: Result) -> tuple[str, str, str]:
    """The status, the error's type and its message as Lambda would tell them."""
    body = result.get("body")
    message = str(body.get("errorMessage", "") if isinstance(body, dict) else body)[:LONGEST]
    if _TIMED_OUT.fullmatch(message):
        return "timeout", "Sandbox.Timedout", message
    if message.startswith(_NOT_IMPORTED):
        cause = message.removeprefix(_NOT_IMPORTED)
        return "error", "Runtime.ImportModuleError", f"Unable to import module: {cause}"
    if message.startswith(_DIED):
        return "failure", "Runtime.ExitError", "Runtime exited with error"
    # The traceback ends with the exception: "ValueError: first line".
    last = str(result.get("log") or "").rstrip().rpartition("\n")[2]
    name = last.partition(":")[0]
    kind = name if re.fullmatch(r"[A-Za-z_][\w.]*", name) else "Runtime.HandlerError"
    return "error", kind, message


def report(
    result: Result, request_id: str, header: str, begun: float, ended: float
) -> dict[str, Any]:
    """The line `platform.report` of a failed call (AWS: Lambda Telemetry API schema).

    The message is not in AWS's, where the runtime writes it into a line of its own.
    """
    status, kind, message = failure(result)
    record = {
        "requestId": request_id,
        "status": status,
        "errorType": kind,
        "errorMessage": message,
        "metrics": {"durationMs": round((ended - begun) * 1000, 3)},
    }
    if header:
        record["tracing"] = {"type": "X-Amzn-Trace-Id", "value": header}
    then = dt.datetime.fromtimestamp(ended, dt.UTC).isoformat(timespec="milliseconds")
    return {"time": then, "type": "platform.report", "record": record}


def segment(
    config: Mapping[str, Any], result: Result, event: Any, header: str, begun: float, ended: float
) -> dict[str, Any]:
    """Lambda's own segment of a failed call; what the handler sent is below it."""
    _, kind, message = failure(result)
    fields = dict(part.partition("=")[::2] for part in header.split(";"))
    links = dict.fromkeys(_LINKED.findall(json.dumps(event)))
    return {
        "name": config.get("FunctionName", ""),
        "origin": "AWS::Lambda::Function",
        "id": fields.get("Parent", ""),
        "trace_id": fields.get("Root", ""),
        "start_time": begun,
        "end_time": ended,
        "fault": True,
        "cause": {"exceptions": [{"type": kind, "message": message}]},
        "links": [{"trace_id": trace_id} for trace_id in list(links)[:MOST_LINKS]],
    }


def _send(config: Mapping[str, Any], document: dict[str, Any]) -> None:
    """To the collector that the function itself sends to, as the X-Ray SDK does."""
    variables = (config.get("Environment") or {}).get("Variables") or {}
    host, _, port = str(variables.get(DAEMON, "")).rpartition(":")
    if port.isdecimal():
        datagram = '{"format": "json", "version": 1}\n' + json.dumps(document)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(datagram.encode(), (host, int(port)))
