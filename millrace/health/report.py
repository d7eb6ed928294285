"""What is known of an environment's health, and what of it is bad."""

from typing import Literal

import msgspec

OLD_SECONDS = 300.0
"""A message that waits longer than this in an inbox is not being worked on."""
LAG_SECONDS = 60.0
"""A stream that is read later than this is behind; its alarm fires as well."""


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox with its dead letters. Ages in seconds; None where nobody can tell, or empty."""

    waiting: int
    in_flight: int
    oldest: float | None = None
    dead: int = 0
    dead_oldest: float | None = None


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a function did in the window. `lag` is its stream's iterator age in seconds."""

    calls: int
    errors: int
    throttles: int
    slowest_ms: float | None = None
    lag: float | None = None


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the screen: a function, and the inbox that feeds it if there is one."""

    name: str
    service: str
    queue: Queue | None = None
    work: Work | None = None


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    since: float
    """Seconds of the epoch."""
    reason: str


class ErrorLine(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of the log with level ERROR that say the same; `time` is the last one's, in seconds of
    the epoch, and `count` how many were seen."""

    time: float
    function: str
    message: str
    reason: str = ""
    correlation_id: str = ""
    count: int = 1


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `missing` says why a part is not here, by the part's name; its value is empty.

    `not_here` names those of them that such an environment does not have. Every other is not
    known, which is as bad as the worst that it could say.
    """

    environment: str
    taken: float
    took_ms: float
    window_minutes: int
    functions: list[Function]
    alarms: list[Alarm]
    error_lines: list[ErrorLine]
    quarantined: int
    missing: dict[str, str]
    not_here: frozenset[str] = frozenset()

    @property
    def not_known(self) -> dict[str, str]:
        """Why a part that should be there is not, by its name."""
        return {name: why for name, why in self.missing.items() if name not in self.not_here}

    @property
    def verdict(self) -> str:
        """In a few words; whoever could ask nobody does not know of a problem."""
        known = len(self.problems) - len(self.not_known)
        said = [f"{known} problem{'' if known == 1 else 's'}"] if known else []
        if self.not_known:
            said.append("not all of it known" if known else "not known")
        return ", ".join(said) or "healthy"

    @property
    def problems(self) -> list["Problem"]:
        """What is wrong, the worst first."""
        found = [problem for function in self.functions for problem in _of(function)]
        found += [_of_alarm(alarm) for alarm in self.alarms]
        if self.quarantined:
            text = f"{self.quarantined:,} records in quarantine: millrace dlq list"
            found.append(Problem(severity="bad", text=text))
        found += [
            Problem(severity="bad", text=f"{name}: not known: {why}")
            for name, why in self.not_known.items()
        ]
        return sorted(found, key=lambda problem: problem.severity)

    @property
    def is_healthy(self) -> bool:
        return not self.problems


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong, with what to run about it. "bad" needs somebody; "busy" may pass."""

    severity: Literal["bad", "busy"]
    text: str


def _of(function: Function) -> list[Problem]:
    name, queue, work = function.name, function.queue, function.work
    bad, busy = [], []
    if queue and queue.dead:
        bad.append(f"{name}: {queue.dead:,} dead letters: millrace dlq show {name}")
    if queue and (queue.oldest or 0) > OLD_SECONDS:
        bad.append(f"{name}: a message waits since {queue.oldest:,.0f} s: is it consumed at all?")
    if work and work.errors:
        bad.append(f"{name}: {work.errors:,} of {work.calls:,} calls failed")
    if work and (work.lag or 0) > LAG_SECONDS:
        bad.append(f"{name}: its stream is {work.lag:,.0f} s behind")
    if work and work.throttles:
        busy.append(f"{name}: {work.throttles:,} calls throttled")
    return [Problem(severity="bad", text=text) for text in bad] + [
        Problem(severity="busy", text=text) for text in busy
    ]


def _of_alarm(alarm: Alarm) -> Problem:
    return Problem(severity="bad", text=f"alarm {alarm.name}: {alarm.reason}")
