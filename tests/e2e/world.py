"""What the e2e tests say and see: the verbs of an operator, and waiting with a deadline."""

import http.client
import json
import operator
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import psutil

T = TypeVar("T")

SUMS: list[str] = []
"""What tests counted and measured, for the end of the run."""


PATIENCE_SECONDS = 120
"""Much more than anything takes where all is well; a busy machine must not fail a test."""


def wait_until(what: str, look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """Look until there is something to see. Raises AssertionError with `what` at the deadline."""
    seen = _looked(what, look, bool, seconds)
    assert seen is not None
    return seen


def wait_while(what: str, look: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Look until there is nothing to see. Raises AssertionError with `what` at the deadline."""
    _looked(f"nothing {what}", look, operator.not_, seconds)


def _looked(what: str, look: Callable[[], T], is_enough: Callable[[T], bool], seconds: float) -> T:
    deadline = time.monotonic() + seconds
    while not is_enough(seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}; last seen: {seen!r}"
        time.sleep(0.1)
    return seen


class World:
    """The applied environment. `client(service)` speaks to its AWS; `pid` is the emulator's."""

    def __init__(self, outputs: dict[str, Any], client: Callable[[str], Any], pid: int) -> None:
        self.outputs = outputs
        self.client = client
        self.pid = pid

    def upload(self, key: str, content: bytes) -> None:
        self.client("s3").put_object(Bucket=self.outputs["uploads_bucket"], Key=key, Body=content)

    def state(self, key: str) -> dict[str, Any] | None:
        """The row of a key in the images table, or None while there is none."""
        answer = self.client("dynamodb").get_item(
            TableName=self.outputs["images_table"],
            Key={"pk": {"S": f"image/{key}"}, "sk": {"S": "state"}},
            ConsistentRead=True,
        )
        item = answer.get("Item")
        return {name: next(iter(value.values())) for name, value in item.items()} if item else None

    def manifest(self, key: str) -> dict[str, Any] | None:
        row = self.state(key)
        return json.loads(row["manifest"]) if row else None

    def manifests(self, prefix: str) -> dict[str, dict[str, Any]]:
        """Every row whose key begins with `prefix`, by key."""
        pages = (
            self.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.outputs["images_table"],
                FilterExpression="sk = :state AND begins_with(pk, :prefix)",
                ExpressionAttributeValues={
                    ":state": {"S": "state"},
                    ":prefix": {"S": f"image/{prefix}"},
                },
                ConsistentRead=True,
            )
        )
        return {
            item["pk"]["S"].removeprefix("image/"): {
                **json.loads(item["manifest"]["S"]),
                "revision": item["revision"]["N"],
                "updated_at": item["updated_at"]["S"],
            }
            for page in pages
            for item in page["Items"]
        }

    def depth(self, url: str) -> int:
        """Messages in a queue, visible or in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def waiting(self) -> dict[str, int]:
        """The inboxes that are not empty."""
        return self._depths("inboxes")

    def dead_letters(self) -> dict[str, int]:
        """The dead-letter queues that are not empty."""
        return self._depths("dead_letter_queues")

    def _depths(self, output: str) -> dict[str, int]:
        queues: dict[str, str] = self.outputs[output]
        assert queues
        return {name: depth for name, url in queues.items() if (depth := self.depth(url))}

    def workers(self, function: str) -> list[psutil.Process]:
        """The processes that run a function at this moment."""
        name = self.outputs["functions"][function]
        found = []
        for process in psutil.Process(self.pid).children(recursive=True):
            try:
                if process.environ().get("AWS_LAMBDA_FUNCTION_NAME") == name:
                    found.append(process)
            except psutil.Error:
                continue
        return found


class IdleConnection:
    """A connection to local AWS that is asked something now and then."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self._asked = 0.0
        self.ask()

    @property
    def idle_seconds(self) -> float:
        return time.monotonic() - self._asked

    def ask(self) -> int:
        """The status of the answer. Raises an OSError when the connection was closed."""
        self._connection.request("GET", "/_ministack/health")
        response = self._connection.getresponse()
        response.read()
        self._connection.auto_open = 0
        self._asked = time.monotonic()
        return response.status

    def close(self) -> None:
        self._connection.close()


class Tap:
    """A queue of its own that gets every event of a bus which matches a pattern."""

    def __init__(self, world: World, pattern: dict[str, Any], bus: str, number: int) -> None:
        self._events, self._sqs = world.client("events"), world.client("sqs")
        self._bus = bus
        self._name = f"tap-{number}-{uuid.uuid4().hex[:8]}"
        self._seen: list[dict[str, Any]] = []
        self._url = self._sqs.create_queue(QueueName=self._name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self._events.put_rule(Name=self._name, EventBusName=bus, EventPattern=json.dumps(pattern))
        target = {"Id": "tap", "Arn": attributes["Attributes"]["QueueArn"]}
        self._events.put_targets(Rule=self._name, EventBusName=bus, Targets=[target])

    def events(self) -> list[dict[str, Any]]:
        """Everything that has come so far."""
        self._seen.extend(self._receive())
        return self._seen

    def counted(self) -> Counter[tuple[str, str]]:
        """How often each type came for each subject."""
        return Counter((e["detail-type"], e["detail"]["meta"]["subject"]) for e in self.events())

    def _receive(self) -> Iterator[dict[str, Any]]:
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            yield from (json.loads(message["Body"]) for message in messages)
            self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ],
            )

    def close(self) -> None:
        self._events.remove_targets(Rule=self._name, EventBusName=self._bus, Ids=["tap"])
        self._events.delete_rule(Name=self._name, EventBusName=self._bus)
        self._sqs.delete_queue(QueueUrl=self._url)
