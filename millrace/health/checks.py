"""Ask several sources at once and wait for none of them longer than allowed."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec


class NotHere(Exception):
    """A source that this environment does not have; the message says which and why."""


class Answers(msgspec.Struct, frozen=True):
    """What came, by the name of the check; and why the rest did not."""

    values: dict[str, Any]
    missing: dict[str, str]


def ask(checks: Mapping[str, Callable[[], Any]], seconds: float) -> Answers:
    """Run every check in a thread of its own; a check may fail or be late, the others count.

    A late one is left behind: its thread ends with the process.
    """
    answered: queue.Queue[tuple[str, Any, Exception | None]] = queue.Queue()

    def run(name: str, check: Callable[[], Any]) -> None:
        try:
            answered.put((name, check(), None))
        except Exception as error:
            answered.put((name, None, error))

    for name, check in checks.items():
        threading.Thread(target=run, args=(name, check), daemon=True).start()
    deadline = time.monotonic() + seconds
    values: dict[str, Any] = {}
    missing: dict[str, str] = {}
    while len(values) + len(missing) < len(checks):
        try:
            name, value, error = answered.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            late = [name for name in checks if name not in values and name not in missing]
            missing |= dict.fromkeys(late, f"no answer within {seconds:g} s")
            break
        if error is None:
            values[name] = value
        else:
            missing[name] = _why(error)
    return Answers(values, missing)


def _why(error: Exception) -> str:
    if isinstance(error, NotHere):
        return f"not available here: {error}"
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
