"""Ask several sources at once and wait for none of them longer than allowed."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

A = TypeVar("A")
R = TypeVar("R")


class NotHere(Exception):
    """A source that this environment does not have; the message says which and why."""


class Answers(msgspec.Struct, frozen=True):
    """What came, by the name of the check; and why the rest did not.

    `not_here` names those of `missing` that the environment does not have: the others are not
    known, and may be anything.
    """

    values: dict[str, Any]
    missing: dict[str, str]
    not_here: frozenset[str]


LATE_SECONDS = 2.0
"""When a person who waits is told for what."""


def ask(
    checks: Mapping[str, Callable[[], Any]],
    seconds: float,
    tell: Callable[[list[str]], None] | None = None,
) -> Answers:
    """Run every check in a thread of its own; a check may fail or be late, the others count.

    A late one is left behind: its thread ends with the process. `tell` hears once, after
    LATE_SECONDS, which have not answered yet.
    """
    answered: queue.Queue[tuple[str, Any, Exception | None]] = queue.Queue()

    def run(name: str, check: Callable[[], Any]) -> None:
        try:
            answered.put((name, check(), None))
        except Exception as error:
            answered.put((name, None, error))

    for name, check in checks.items():
        threading.Thread(target=run, args=(name, check), daemon=True).start()
    begun = time.monotonic()
    patience = min(seconds, LATE_SECONDS) if tell else seconds
    values: dict[str, Any] = {}
    missing: dict[str, str] = {}
    not_here: set[str] = set()
    while len(values) + len(missing) < len(checks):
        try:
            left = begun + patience - time.monotonic()
            name, value, error = answered.get(timeout=max(0.0, left))
        except queue.Empty:
            late = [name for name in checks if name not in values and name not in missing]
            if tell and patience < seconds:
                tell(late)
                patience = seconds
                continue
            missing |= dict.fromkeys(late, f"no answer within {seconds:g} s")
            break
        if error is None:
            values[name] = value
        else:
            missing[name] = _why(error)
            if isinstance(error, NotHere):
                not_here.add(name)
    return Answers(values, missing, frozenset(not_here))


def side_by_side(work: Callable[[A], R], items: Iterable[A], at_once: int = 8) -> list[R]:
    """The result for each item, in their order; raises what the first failing one raised.

    In threads that end with the process: those of a ThreadPoolExecutor are waited for at its
    exit, however long what they ask takes to answer.
    """
    waiting = queue.SimpleQueue[tuple[int, A]]()
    for numbered in enumerate(items):
        waiting.put(numbered)
    count = waiting.qsize()
    done = queue.SimpleQueue[tuple[int, list[R], Exception | None]]()

    def run() -> None:
        while True:
            try:
                number, item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((number, [work(item)], None))
            except Exception as error:
                done.put((number, [], error))

    for _ in range(min(at_once, count)):
        threading.Thread(target=run, daemon=True).start()
    found: dict[int, R] = {}
    for _ in range(count):
        number, results, error = done.get()
        if error is not None:
            raise error
        found[number] = results[0]
    return [found[number] for number in range(count)]


def _why(error: Exception) -> str:
    if isinstance(error, NotHere):
        return f"not available here: {error}"
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
