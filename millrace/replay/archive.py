"""Replay the bus's archive to one rule, and watch it until it is done."""

import datetime as dt
import re
import time
from collections.abc import Callable
from typing import Any

import msgspec

from lambdas.core.outbox import timestamp
from millrace.errors import MillraceError

_RUNNING = {"STARTING", "RUNNING", "CANCELLING"}


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """`done` is the share of the time span that has been replayed, 0 to 1."""

    state: str
    done: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What EventBridge says of a replay that has ended."""

    name: str
    rule: str
    state: str
    begin: str
    end: str
    seconds: float
    reason: str | None = None


class ArchiveReplay:
    """Replays to a bus of `events`, a botocore EventBridge client."""

    def __init__(
        self,
        events: Any,
        *,
        archive: str,
        bus: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._events = events
        self._archive = archive
        self._bus = bus
        self._clock = clock
        self._sleep = sleep

    def run(
        self,
        rule: str,
        begin: dt.datetime,
        end: dt.datetime,
        *,
        now: dt.datetime,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> Report:
        """Replay what the archive holds of a span to one rule of the bus, and wait for the end.

        Interrupted, it cancels the replay. Raises MillraceError when the rule is not there, or
        the replay fails.
        """
        started = self._clock()
        name = self._start(rule, begin, end, now)
        try:
            answer = self._wait(name, begin, end, on_progress)
        except KeyboardInterrupt:
            self._events.cancel_replay(ReplayName=name)
            raise
        report = Report(
            name=name,
            rule=rule,
            state=answer["State"],
            begin=timestamp(begin),
            end=timestamp(end),
            seconds=self._clock() - started,
            reason=answer.get("StateReason"),
        )
        if report.state != "COMPLETED":
            raise MillraceError(f"The replay {name} is {report.state}: {report.reason or ''}")
        return report

    def rules(self) -> list[str]:
        """The rules of the bus that a replay can go to."""
        pages = self._events.get_paginator("list_rules").paginate(EventBusName=self._bus)
        return sorted(rule["Name"] for page in pages for rule in page["Rules"])

    def _start(self, rule: str, begin: dt.datetime, end: dt.datetime, now: dt.datetime) -> str:
        if rule not in (rules := self.rules()):
            raise MillraceError(f"No rule {rule!r} on {self._bus}: there is {', '.join(rules)}.")
        rule_arn = self._events.describe_rule(Name=rule, EventBusName=self._bus)["Arn"]
        stamp = re.sub(r"[^0-9TZ]", "", timestamp(now))
        name = f"{rule[: 63 - len(stamp)]}-{stamp}"
        self._events.start_replay(
            ReplayName=name,
            EventSourceArn=self._events.describe_archive(ArchiveName=self._archive)["ArchiveArn"],
            EventStartTime=begin,
            EventEndTime=end,
            Destination={
                "Arn": self._events.describe_event_bus(Name=self._bus)["Arn"],
                # Without a filter every rule of the bus would see the events again.
                "FilterArns": [rule_arn],
            },
        )
        return name

    def _wait(
        self,
        name: str,
        begin: dt.datetime,
        end: dt.datetime,
        on_progress: Callable[[Progress], None],
    ) -> dict[str, Any]:
        pause = 0.2
        while True:
            answer: dict[str, Any] = self._events.describe_replay(ReplayName=name)
            last = answer.get("EventLastReplayedTime") or begin
            ended = answer["State"] not in _RUNNING
            share = 1.0 if ended else (last - begin) / (end - begin)
            on_progress(Progress(state=answer["State"], done=min(1.0, max(0.0, share))))
            if ended:
                return answer
            self._sleep(pause)
            pause = min(5.0, pause * 1.5)
