"""Follow the bus: a rule and a queue of our own that live as long as a `with` block.

    with bus_tail(environment, {"source": [{"prefix": "millrace."}]}) as tail:
        for event in tail.until():
            ...

Both are gone when the block ends, by whatever: its end, an error, Ctrl-C, a closed terminal or a
polite kill. Only after `kill -9` something is left, `<prefix>-tail-*`, which may be deleted; its
queue keeps events for five minutes.
"""

import contextlib
import json
import secrets
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from millrace import aws
from millrace.environments import Environment
from millrace.errors import MillraceError

KEPT_SECONDS = 300
"""How long the queue keeps what nobody fetched."""

WAIT_SECONDS = 1
"""The longest a fetch waits for something to come, and so the longest until `over` is asked."""

REMEMBERED = 10_000
"""Envelopes known again when the queue or the bus delivers one twice."""

TARGET = "tail"
GONE = {
    "ResourceNotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
}


@dataclass(frozen=True)
class BusEvent:
    """An event as the bus delivered it. `landed` is Unix time: when it was in the queue."""

    envelope: dict[str, Any]
    landed: float

    @property
    def type(self) -> str:
        return str(self.envelope.get("detail-type", ""))

    @property
    def source(self) -> str:
        return str(self.envelope.get("source", ""))

    @property
    def meta(self) -> dict[str, Any]:
        """The event's meta data; empty for what is none of ours."""
        return self._part("meta")

    @property
    def data(self) -> dict[str, Any]:
        """The event's payload; empty for what is none of ours."""
        return self._part("data")

    def _part(self, name: str) -> dict[str, Any]:
        detail = self.envelope.get("detail")
        part = detail.get(name) if isinstance(detail, dict) else None
        return part if isinstance(part, dict) else {}


class Tail:
    """The receiving end of a queue that a rule fills."""

    def __init__(self, sqs: Any, url: str, wait_seconds: int = WAIT_SECONDS) -> None:
        self._sqs = sqs
        self._url = url
        self._wait_seconds = wait_seconds
        self._seen: deque[str] = deque(maxlen=REMEMBERED)
        self._known: set[str] = set()

    def until(self, over: Callable[[], bool] = lambda: False) -> Iterator[BusEvent]:
        """Events as they land, each once, until `over()`; it is asked once a second at least."""
        while not over():
            yield from self._fetch()

    def _fetch(self) -> list[BusEvent]:
        """What has landed, the earliest first; waits a little when there is nothing."""
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=self._wait_seconds,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        messages = answer.get("Messages", [])
        if messages:
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
        events = [_event(message) for message in messages]
        return sorted(filter(self._is_new, events), key=lambda event: event.landed)

    def _is_new(self, event: BusEvent) -> bool:
        name = str(event.envelope.get("id"))
        if name in self._known:
            return False
        if len(self._seen) == self._seen.maxlen:
            self._known.discard(self._seen[0])
        self._seen.append(name)
        self._known.add(name)
        return True


@contextlib.contextmanager
def bus_tail(
    environment: Environment, pattern: dict[str, Any], wait_seconds: int = WAIT_SECONDS
) -> Iterator[Tail]:
    """Follow the events of the environment's bus that match an EventBridge pattern.

    On AWS a new rule may take some seconds until it delivers. Raises MillraceError when what was
    made cannot be removed, and names it.
    """
    events, sqs = aws.client(environment, "events"), aws.client(environment, "sqs")
    bus = environment.text("bus_name")
    name = f"{environment.text('prefix')[:40]}-tail-{secrets.token_hex(6)}"
    with _ended_politely():
        try:
            url = _lay(events, sqs, bus, name, pattern)
            yield Tail(sqs, url, wait_seconds)
        finally:
            # By name, so that it also finds what an interrupted call has made.
            with _undisturbed():
                _remove(events, sqs, bus, name)


def _lay(events: Any, sqs: Any, bus: str, name: str, pattern: dict[str, Any]) -> str:
    """Make the rule, then the queue that only this rule may fill: the queue's URL."""
    rule = events.put_rule(
        Name=name,
        EventBusName=bus,
        EventPattern=json.dumps(pattern),
        Description="Temporary: somebody follows the bus with millrace.",
    )["RuleArn"]
    # The account and the region of the rule are those of the queue.
    _, partition, _, region, account, _ = rule.split(":", 5)
    arn = f"arn:{partition}:sqs:{region}:{account}:{name}"
    url = str(
        sqs.create_queue(
            QueueName=name,
            Attributes={
                "MessageRetentionPeriod": str(KEPT_SECONDS),
                "SqsManagedSseEnabled": "true",
                "Policy": json.dumps(_policy(arn, rule)),
            },
        )["QueueUrl"]
    )
    answer = events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": TARGET, "Arn": arn}])
    if answer.get("FailedEntryCount"):
        raise MillraceError(f"The bus does not deliver: {answer['FailedEntries']}.")
    return url


def _policy(queue_arn: str, rule_arn: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "DeliverFromRule",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
            },
            {
                "Sid": "RefusePlainHttp",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": queue_arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def _remove(events: Any, sqs: Any, bus: str, name: str) -> None:
    """Remove whatever is there; what is not is no fault. Raises MillraceError for what stays."""
    steps: tuple[Callable[[], Any], ...] = (
        lambda: events.remove_targets(Rule=name, EventBusName=bus, Ids=[TARGET]),
        lambda: events.delete_rule(Name=name, EventBusName=bus),
        lambda: sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"]),
    )
    failed: list[Exception] = []
    for step in steps:
        try:
            step()
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                failed.append(error)
        except BotoCoreError as error:
            failed.append(error)
    if failed:
        raise MillraceError(
            f"The temporary rule (on {bus}) and queue {name} could not be removed, "
            f"delete them: {failed[0]}"
        )


@contextlib.contextmanager
def _ended_politely() -> Iterator[None]:
    """A polite kill and a closed terminal end the block as Ctrl-C does, not the process at once."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handling((signal.SIGTERM, signal.SIGHUP), interrupt):
        yield


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """No second Ctrl-C may interrupt the cleaning up."""
    with _handling((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handling(numbers: tuple[signal.Signals, ...], handler: Any) -> Iterator[None]:
    """Python lets only the main thread say what becomes of signals; elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _event(message: dict[str, Any]) -> BusEvent:
    sent = message.get("Attributes", {}).get("SentTimestamp")
    landed = int(sent) / 1000 if sent else time.time()
    return BusEvent(json.loads(message["Body"]), landed)
