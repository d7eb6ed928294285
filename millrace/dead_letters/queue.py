"""One SQS queue, in batches: what SQS refuses for now is tried again, what for ever is told."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from lambdas.core.aws import error_code
from millrace.dead_letters.message import DeadLetter

BATCH = 10
"""Messages in one call (SQS limit)."""
BATCH_BYTES = 256 * 1024
"""Bytes in one call: the limit of queues that were not given a higher one."""
ATTEMPTS = 5


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages there are, as far as SQS knows; `hidden` ones are with a reader."""

    visible: int
    hidden: int

    @property
    def total(self) -> int:
        return self.visible + self.hidden


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """By the id of the message: its new id, or the code with which SQS refused it."""

    ids: dict[str, str]
    refused: dict[str, str]


class TooManyHidden(Exception):
    """SQS gives no more before some of the messages received are deleted or visible again."""


class Queue:
    """A queue by its URL; `sqs` is a botocore client."""

    def __init__(self, sqs: Any, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.url = url
        self._sqs = sqs
        self._sleep = sleep

    @property
    def is_fifo(self) -> bool:
        return self.url.endswith(".fifo")

    def depth(self) -> Depth:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._attributes(names)
        return Depth(visible=int(found[names[0]]), hidden=int(found[names[1]]))

    def arn(self) -> str:
        return str(self._attributes(["QueueArn"])["QueueArn"])

    def receive(self, hide_seconds: int, wait_seconds: int = 1) -> list[DeadLetter]:
        """Up to ten messages, hidden from others for a while. Raises TooManyHidden.

        With a wait SQS asks all of its servers, so that an empty answer means something.
        """
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=BATCH,
                VisibilityTimeout=hide_seconds,
                WaitTimeSeconds=wait_seconds,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except ClientError as error:
            if error_code(error).endswith("OverLimit"):
                raise TooManyHidden from error
            raise
        return [DeadLetter.of(message) for message in answer.get("Messages", [])]

    def send(
        self,
        messages: Iterable[DeadLetter],
        tell: Callable[[dict[str, str]], None] = lambda _: None,
    ) -> Sent:
        """Send up to ten messages with all their attributes; see `chunks` for what fits.

        `tell` hears the new ids by the old ones as soon as SQS has said so, before another call.
        """
        ids: dict[str, str] = {}

        def hear(done: dict[str, dict[str, Any]]) -> None:
            new = {key: str(answer["MessageId"]) for key, answer in done.items()}
            ids.update(new)
            tell(new)

        entries = {message.id: self._entry(message) for message in messages}
        return Sent(refused=self._in_batch(self._sqs.send_message_batch, entries, hear), ids=ids)

    def delete(self, receipts: Mapping[str, str]) -> set[str]:
        """Delete messages by id and receipt; returns the ids that are gone.

        What is not gone was received again since: its receipt is an old one.
        """
        return self._by_receipt(self._sqs.delete_message_batch, receipts, {})

    def hide(self, receipts: Mapping[str, str], seconds: int) -> set[str]:
        """Hide messages for so long from now, 0 shows them; returns the ids where that worked."""
        call = self._sqs.change_message_visibility_batch
        return self._by_receipt(call, receipts, {"VisibilityTimeout": seconds})

    def _attributes(self, names: list[str]) -> dict[str, str]:
        answer = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        found: dict[str, str] = answer["Attributes"]
        return found

    def _by_receipt(
        self, call: Callable[..., Any], receipts: Mapping[str, str], extra: dict[str, Any]
    ) -> set[str]:
        worked: set[str] = set()
        for ids in batches(list(receipts)):
            entries = {key: {"ReceiptHandle": receipts[key], **extra} for key in ids}
            self._in_batch(call, entries, worked.update)
        return worked

    def _in_batch(
        self,
        call: Callable[..., Any],
        entries: dict[str, dict[str, Any]],
        hear: Callable[[dict[str, dict[str, Any]]], None],
    ) -> dict[str, str]:
        """Tell the answers by key; gives the codes of what SQS refuses for ever."""
        waiting = list(entries)
        refused: dict[str, str] = {}
        for attempt in range(ATTEMPTS):
            if not waiting:
                break
            if attempt:
                self._sleep(0.1 * 2**attempt)
            batch = [{"Id": str(number), **entries[key]} for number, key in enumerate(waiting)]
            answer = call(QueueUrl=self.url, Entries=batch)
            done = {waiting[int(one["Id"])]: one for one in answer.get("Successful", [])}
            if done:
                hear(done)
            for one in answer.get("Failed", []):
                if one.get("SenderFault") or attempt == ATTEMPTS - 1:
                    refused[waiting[int(one["Id"])]] = str(one.get("Code", "Unknown"))
            waiting = [key for key in waiting if key not in done and key not in refused]
        return refused

    def _entry(self, message: DeadLetter) -> dict[str, Any]:
        entry: dict[str, Any] = {"MessageBody": message.body}
        if message.attributes:
            entry["MessageAttributes"] = {
                name: {key: part for key, part in value.items() if not key.endswith("ListValues")}
                for name, value in message.attributes.items()
            }
        if message.trace:
            header = {"DataType": "String", "StringValue": message.trace}
            entry["MessageSystemAttributes"] = {"AWSTraceHeader": header}
        if message.group:
            entry["MessageGroupId"] = message.group
        if self.is_fifo:
            entry["MessageDeduplicationId"] = _deduplication_id(message)
        return entry


def _deduplication_id(message: DeadLetter) -> str:
    """The id it had, and which dead letter it was.

    With the old id alone SQS would take the message and never deliver it, within five minutes of
    the first send. With this one the same dead letter, sent twice, arrives once.
    """
    old = message.system.get("MessageDeduplicationId", "")
    return f"{old[:90]}#{message.id}"


def batches(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def chunks(messages: Iterable[DeadLetter], most: int = BATCH) -> Iterator[list[DeadLetter]]:
    """The messages in order, as many at once as one call takes.

    Those of one FIFO group go in calls of their own: if the first is refused for now, the second
    must not overtake it.
    """
    chunk: list[DeadLetter] = []
    room, groups = BATCH_BYTES, set[str]()
    for message in messages:
        size = _bytes(message)
        if chunk and (len(chunk) == min(most, BATCH) or size > room or message.group in groups):
            yield chunk
            chunk, room, groups = [], BATCH_BYTES, set()
        chunk.append(message)
        room -= size
        if message.group:
            groups.add(message.group)
    if chunk:
        yield chunk


def _bytes(message: DeadLetter) -> int:
    attributes = sum(
        len(name) + sum(len(part) for part in value.values() if isinstance(part, str | bytes))
        for name, value in message.attributes.items()
    )
    return len(message.body.encode()) + attributes * 4
