"""Following the bus: what lands is told once, and nothing temporary outlives the block."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from millrace import aws
from millrace.cli import events as command
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.tail import BusEvent, Tail, bus_tail

REGION = "eu-west-1"
DEV = Environment("dev", {"region": REGION, "bus_name": "shop-bus", "prefix": "shop-dev"})
OURS = {"source": [{"prefix": "millrace."}]}


class Aws:
    """The AWS of this process: what is on it, and events put on its bus."""

    def __init__(self) -> None:
        self.events = boto3.client("events", region_name=REGION)
        self.sqs = boto3.client("sqs", region_name=REGION)
        self.events.create_event_bus(Name="shop-bus")

    def put(self, event_type: str, subject: str, source: str = "millrace.ordering") -> None:
        detail = {"meta": {"id": f"{event_type} {subject}", "subject": subject}, "data": {"a": 1}}
        entry = {"EventBusName": "shop-bus", "Source": source, "DetailType": event_type}
        answer = self.events.put_events(Entries=[{**entry, "Detail": json.dumps(detail)}])
        assert answer["FailedEntryCount"] == 0

    def left(self) -> list[str]:
        """Every rule of the bus and every queue."""
        rules = self.events.list_rules(EventBusName="shop-bus")["Rules"]
        queues: list[str] = self.sqs.list_queues().get("QueueUrls", [])
        return [rule["Name"] for rule in rules] + queues


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield Aws()


def heard(tail: Tail, count: int) -> list[BusEvent]:
    """What so many fetches bring."""
    return list(tail.until(asked_times(count)))


def asked_times(count: int) -> Callable[[], bool]:
    """Over when asked so often: a fetch that finds nothing does not wait here."""
    left = [count]

    def over() -> bool:
        left[0] -= 1
        return left[0] < 0

    return over


def test_what_matches_lands_and_what_does_not_is_left_out(world: Aws) -> None:
    with bus_tail(DEV, OURS, wait_seconds=0) as tail:
        world.put("order.placed.v1", "order/1")
        world.put("order.placed.v1", "order/2", source="somebody.else")
        (event,) = heard(tail, 2)
    assert (event.type, event.source) == ("order.placed.v1", "millrace.ordering")
    assert (event.meta["subject"], event.data) == ("order/1", {"a": 1})
    assert event.landed > 1_700_000_000


def test_nothing_is_left_at_the_end(world: Aws) -> None:
    with bus_tail(DEV, OURS):
        names = world.left()
        assert len(names) == 2
        assert all("shop-dev-tail-" in name for name in names)
    assert world.left() == []


@pytest.mark.parametrize("raised", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_nothing_is_left_after_an_error(world: Aws, raised: type[BaseException]) -> None:
    def fail() -> None:
        with bus_tail(DEV, OURS):
            assert world.left()
            raise raised

    with pytest.raises(raised):
        fail()
    assert world.left() == []


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C interrupts, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_after_a_signal(
    world: Aws,
    number: signal.Signals,
    ctrl_c: None,  # noqa: ARG001
) -> None:
    before = signal.getsignal(number)
    seen = []

    def follow() -> None:
        with bus_tail(DEV, OURS, wait_seconds=0) as tail:
            seen.extend(world.left())
            os.kill(os.getpid(), number)
            for _ in tail.until(asked_times(1000)):
                pass

    with pytest.raises(KeyboardInterrupt):
        follow()
    assert len(seen) == 2
    assert world.left() == []
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("call", ["put_rule", "create_queue", "put_targets"])
def test_an_interrupt_while_it_is_being_laid_leaves_nothing(
    world: Aws, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The call has its effect, and the answer never arrives."""
    make = aws.client

    def interrupted(environment: Environment, service: str) -> Any:
        made = make(environment, service)
        if hasattr(made, call):
            real = getattr(made, call)

            def lost(**arguments: Any) -> None:
                real(**arguments)
                assert world.left()
                raise KeyboardInterrupt

            setattr(made, call, lost)
        return made

    monkeypatch.setattr(aws, "client", interrupted)
    with pytest.raises(KeyboardInterrupt), bus_tail(DEV, OURS):
        pytest.fail("nothing was interrupted")
    assert world.left() == []


def test_what_cannot_be_removed_is_named_and_the_rest_is_removed(
    world: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = aws.client

    def refusing(environment: Environment, service: str) -> Any:
        made = make(environment, service)
        if service == "events":

            def refuse(**_: Any) -> None:
                answer: Any = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
                raise ClientError(answer, "DeleteRule")

            made.delete_rule = refuse
        return made

    monkeypatch.setattr(aws, "client", refusing)
    with pytest.raises(MillraceError, match=r"shop-dev-tail-.*AccessDenied"), bus_tail(DEV, OURS):
        pass
    (rule,) = world.left()
    assert rule.startswith("shop-dev-tail-")


def test_only_the_rule_may_fill_the_queue_and_it_is_encrypted(world: Aws) -> None:
    with bus_tail(DEV, OURS):
        (url,) = world.sqs.list_queues()["QueueUrls"]
        answer = world.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        (rule,) = world.events.list_rules(EventBusName="shop-bus")["Rules"]
    attributes = answer["Attributes"]
    allow, deny = json.loads(attributes["Policy"])["Statement"]
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": rule["Arn"]}}
    assert allow["Resource"] == attributes["QueueArn"]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert attributes["SqsManagedSseEnabled"] == "true"
    assert attributes["MessageRetentionPeriod"] == "300"


def test_it_works_outside_the_main_thread(world: Aws) -> None:
    found: list[BusEvent] = []

    def follow() -> None:
        with bus_tail(DEV, OURS, wait_seconds=0) as tail:
            world.put("order.placed.v1", "order/1")
            found.extend(heard(tail, 1))

    thread = threading.Thread(target=follow)
    thread.start()
    thread.join(timeout=20)
    assert [event.meta["subject"] for event in found] == ["order/1"]
    assert world.left() == []


class Redelivering:
    """An SQS that hands out what it is told to, one batch a fetch."""

    def __init__(self, *batches: list[tuple[str, int]]) -> None:
        self._batches = list(batches)
        self.deleted = 0

    def receive_message(self, **_: Any) -> dict[str, Any]:
        if not self._batches:
            return {}
        return {
            "Messages": [
                {
                    "ReceiptHandle": name,
                    "Body": json.dumps({"id": name, "detail": "no detail of ours"}),
                    "Attributes": {"SentTimestamp": str(sent)},
                }
                for name, sent in self._batches.pop(0)
            ]
        }

    def delete_message_batch(self, **request: Any) -> None:
        self.deleted += len(request["Entries"])


def test_each_comes_once_and_the_earliest_first() -> None:
    sqs = Redelivering([("b", 2000), ("a", 1000)], [], [("a", 1000), ("c", 3000)])
    events = heard(Tail(sqs, "url"), 4)
    assert [(event.envelope["id"], event.landed) for event in events] == [
        ("a", 1.0),
        ("b", 2.0),
        ("c", 3.0),
    ]
    assert sqs.deleted == 4
    assert (events[0].meta, events[0].data) == ({}, {})


def test_the_command_follows_beginnings_of_types_and_subjects(world: Aws) -> None:
    wanted = command.pattern(["order.", "payment.captured"], ["order/"])
    with bus_tail(DEV, wanted, wait_seconds=0) as tail:
        world.put("order.placed.v1", "order/1")
        world.put("payment.captured.v1", "order/1", source="millrace.payment")
        world.put("payment.declined.v2", "order/1", source="millrace.payment")
        world.put("order.placed.v1", "basket/1")
        events = heard(tail, 2)
    assert sorted(event.type for event in events) == ["order.placed.v1", "payment.captured.v1"]


def test_a_type_that_cannot_come_is_refused() -> None:
    with pytest.raises(MillraceError, match=r"No event type begins with 'ordr'.*order.placed"):
        command.pattern(["ordr"], [])


def test_a_line_tells_no_payload() -> None:
    meta = {"time": "2026-11-21T12:00:00.000Z", "subject": "order/1"}
    detail = {"meta": meta, "data": {"email": "ada@example.com"}}
    envelope = {"detail-type": "order.placed.v1", "source": "millrace.ordering", "detail": detail}
    told = command.line(BusEvent(envelope, 1795262400.25)).plain
    assert "order.placed.v1" in told
    assert told.endswith(" order/1")
    assert "250 ms" in told
    assert "ada" not in told
