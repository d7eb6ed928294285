"""Watch the calls of botocore, and tell which function makes them."""

import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.privileges.calls import uses

Record = dict[str, set[str]]
"""Uses by the handler that makes them, e.g. "lambdas.basket.api.handler"."""


def watch(monkeypatch: pytest.MonkeyPatch, record: Record) -> None:
    """From now on every call that a running handler makes is in the record."""
    call: Callable[..., Any] = BaseClient._make_api_call  # type: ignore[attr-defined]

    def recorded(client: Any, operation: str, request: dict[str, Any]) -> Any:
        if handler := _running_handler():
            service = client.meta.service_model.service_name
            made = {str(use) for use in uses(service, operation, request)}
            record.setdefault(handler, set()).update(made)
        return call(client, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)


def _running_handler() -> str | None:
    """The handler below which the call is made, if only in a thread that it has started.

    None for a test's own call. Raises LookupError where several handlers run at once and nothing
    tells whose the thread is.
    """
    own = _handler_of(sys._getframe(2))
    if own or threading.current_thread() is threading.main_thread():
        return own
    running = {found for frame in sys._current_frames().values() if (found := _handler_of(frame))}
    if len(running) > 1:
        raise LookupError(f"one of {sorted(running)} makes a call, and nothing tells which")
    return next(iter(running), None)


def _handler_of(frame: FrameType | None) -> str | None:
    """The handler that a stack is in; None where a test has its say between it and the top."""
    for module, name in _stack(frame):
        if module.startswith("tests."):
            return None
        if name == "handler" and module.startswith("lambdas."):
            return f"{module}.handler"
    return None


def _stack(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    """The module and the function of each frame, the innermost first."""
    while frame is not None:
        yield str(frame.f_globals.get("__name__", "")), frame.f_code.co_name
        frame = frame.f_back
