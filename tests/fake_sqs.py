"""SQS as its documentation has it, in this process, with a clock of its own and faults on demand.

Standard queues: a received message is hidden for its visibility time-out, each receive gives it a
new receipt, and an old receipt deletes nothing. FIFO queues: while a message of a group is hidden,
no other of that group is given; what was sent with a known deduplication id is taken and dropped.
"""

import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

START = 1_795_253_415.0
DEDUPLICATION_SECONDS = 300


class Killed(BaseException):
    """The process was killed: from here on it makes no call."""


@dataclass
class Stored:
    id: str
    body: str
    sent_at: float
    attributes: dict[str, Any]
    system: dict[str, str]
    visible_at: float = 0.0
    receives: int = 0
    receipt: str | None = None


@dataclass
class Box:
    messages: dict[str, Stored] = field(default_factory=dict)
    known: dict[str, tuple[float, str]] = field(default_factory=dict)


class FakeSqs:
    """The calls that dead letters need. `kill_at(n)` ends the process at its n-th call.

    `after` says whether that call still had its effect. `refuse` holds codes by body: such a
    message is refused for ever; `busy` makes every n-th entry of a batch fail for now.
    """

    def __init__(self, hidden_limit: int = 120_000) -> None:
        self.now = START
        self.calls: list[str] = []
        self.refuse: dict[str, str] = {}
        self.busy = 0
        self._limit = hidden_limit
        self._boxes: dict[str, Box] = {}
        self._ids = itertools.count(1)
        self._entries = itertools.count(1)
        self._kill: tuple[int, bool] | None = None
        self._dead = False

    # --- the test's side ---

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def kill_at(self, call: int, *, after: bool) -> None:
        self._kill = (len(self.calls) + call, after)

    def restart(self) -> None:
        """A new process."""
        self._kill, self._dead = None, False

    def put(self, queue: str, body: str, **entry: Any) -> str:
        """A message that is there from the start; returns its id."""
        return self._store(queue, {"MessageBody": body, **entry})

    def bodies(self, queue: str) -> list[str]:
        return [message.body for message in self._box(queue).messages.values()]

    def stored(self, queue: str) -> list[Stored]:
        return list(self._box(queue).messages.values())

    def visible(self, queue: str) -> int:
        return sum(message.visible_at <= self.now for message in self.stored(queue))

    def fail_again(self, inbox: str, dead_letters: str) -> None:
        """What is in the inbox fails and is a dead letter again, with the id it has."""
        self._box(dead_letters).messages |= self._box(inbox).messages
        self._box(inbox).messages.clear()

    # --- the client's side ---

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self._call("receive")
        box, now = self._box(request["QueueUrl"]), self.now
        hidden = [m for m in box.messages.values() if m.visible_at > now]
        if len(hidden) >= self._limit:
            raise ClientError({"Error": {"Code": "OverLimit"}}, "ReceiveMessage")
        fifo = request["QueueUrl"].endswith(".fifo")
        blocked = {m.system.get("MessageGroupId") for m in hidden} if fifo else set()
        given: list[dict[str, Any]] = []
        for message in box.messages.values():
            if len(given) == request["MaxNumberOfMessages"]:
                break
            if message.visible_at > now:
                continue
            if fifo and message.system["MessageGroupId"] in blocked:
                continue
            message.visible_at = now + request["VisibilityTimeout"]
            message.receives += 1
            message.receipt = f"{message.id}/{message.receives}"
            given.append(_as_given(message))
        if not given:
            self.now += request["WaitTimeSeconds"]
        self._called()
        return {"Messages": given} if given else {}

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        entries = request["Entries"]
        assert sum(len(entry["MessageBody"].encode()) for entry in entries) <= 1024 * 1024

        def send(entry: dict[str, Any]) -> dict[str, str]:
            if code := self.refuse.get(entry["MessageBody"]):
                raise _Refused(code)
            return {"MessageId": self._store(request["QueueUrl"], entry)}

        return self._batch("send", entries, send)

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        box = self._box(request["QueueUrl"])

        def delete(entry: dict[str, Any]) -> dict[str, str]:
            del box.messages[self._received(box, entry).id]
            return {}

        return self._batch("delete", request["Entries"], delete)

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        box = self._box(request["QueueUrl"])

        def change(entry: dict[str, Any]) -> dict[str, str]:
            self._received(box, entry).visible_at = self.now + entry["VisibilityTimeout"]
            return {}

        return self._batch("hide", request["Entries"], change)

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        self._call("attributes")
        self._called()
        visible, all_of_them = (
            self.visible(request["QueueUrl"]),
            len(self.stored(request["QueueUrl"])),
        )
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(visible),
                "ApproximateNumberOfMessagesNotVisible": str(all_of_them - visible),
                "QueueArn": f"arn:aws:sqs:eu-west-1:111111111111:{request['QueueUrl']}",
            }
        }

    # --- inside ---

    def _box(self, queue: str) -> Box:
        return self._boxes.setdefault(queue, Box())

    def _call(self, name: str) -> None:
        """A call goes out, unless the process is killed before it."""
        if self._dead:
            raise Killed
        self.calls.append(name)
        if self._kill and self._kill == (len(self.calls), False):
            self._dead = True
            raise Killed

    def _called(self) -> None:
        """Its answer comes in, unless the process is killed meanwhile."""
        if self._kill and self._kill == (len(self.calls), True):
            self._dead = True
            raise Killed

    def _batch(self, name: str, entries: list[dict[str, Any]], do: Any) -> dict[str, Any]:
        self._call(name)
        assert 0 < len(entries) <= 10
        assert len({entry["Id"] for entry in entries}) == len(entries)
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in entries:
            failed = {"Id": entry["Id"], "SenderFault": False}
            if self.busy and next(self._entries) % self.busy == 0:
                answer["Failed"].append({**failed, "Code": "ServiceUnavailable"})
                continue
            try:
                answer["Successful"].append({"Id": entry["Id"], **do(entry)})
            except _Refused as refused:
                code = str(refused)
                answer["Failed"].append({**failed, "Code": code, "SenderFault": True})
        self._called()
        return answer

    def _received(self, box: Box, entry: dict[str, Any]) -> Stored:
        receipt = entry["ReceiptHandle"]
        message = box.messages.get(receipt.partition("/")[0])
        if message is None or message.receipt != receipt:
            raise _Refused("ReceiptHandleIsInvalid")
        return message

    def _store(self, queue: str, entry: dict[str, Any]) -> str:
        box = self._box(queue)
        known = entry.get("MessageDeduplicationId")
        if queue.endswith(".fifo"):
            assert known
            assert entry["MessageGroupId"]
            if known in box.known and box.known[known][0] > self.now - DEDUPLICATION_SECONDS:
                return box.known[known][1]
        number = next(self._ids)
        message_id = hashlib.sha256(str(number).encode()).hexdigest()[:36]
        system = {name: entry[name] for name in _KEPT if name in entry}
        if header := entry.get("MessageSystemAttributes"):
            system["AWSTraceHeader"] = header["AWSTraceHeader"]["StringValue"]
        box.messages[message_id] = Stored(
            id=message_id,
            body=entry["MessageBody"],
            sent_at=entry.get("sent_at", self.now),
            attributes=entry.get("MessageAttributes", {}),
            system=system,
        )
        if known:
            box.known[known] = (self.now, message_id)
        return message_id


_KEPT = ("MessageGroupId", "MessageDeduplicationId")


class _Refused(Exception):
    pass


def _as_given(message: Stored) -> dict[str, Any]:
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "Attributes": {
            "SentTimestamp": str(int(message.sent_at * 1000)),
            "ApproximateReceiveCount": str(message.receives),
            **message.system,
        },
        "MessageAttributes": message.attributes,
    }
