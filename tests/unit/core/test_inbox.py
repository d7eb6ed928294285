"""An inbox: each record is handled and failed alone, and none is dropped."""

import json
from typing import Any

import pytest

from lambdas.core import inbox
from lambdas.core.errors import NotYet, Poison
from tests.fakes import FakeSqs, sqs_event


def body(number: int, **changes: Any) -> str:
    event = {
        "version": "0",
        "id": f"id-{number}",
        "detail-type": "thing.happened.v1",
        "source": "millrace.test",
        "account": "111111111111",
        "time": "2026-11-21T09:30:15Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {"n": number},
    }
    return json.dumps({**event, **changes})


DEEP = body(1).replace('{"n": 1}', "[" * 60_000 + "]" * 60_000)


def failures(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_records_that_succeed_leave_an_empty_response() -> None:
    seen: list[str] = []
    answer = inbox.consume(sqs_event(body(1), body(2)), lambda e: seen.append(e.id), sqs=FakeSqs())
    assert answer == {"batchItemFailures": []}
    assert seen == ["id-1", "id-2"]


def test_one_failing_record_fails_alone_and_the_rest_are_handled() -> None:
    seen: list[str] = []

    def handle(event: inbox.BusEvent) -> None:
        if event.id == "id-2":
            raise TimeoutError("the table is slow")
        seen.append(event.id)

    answer = inbox.consume(sqs_event(body(1), body(2), body(3)), handle, sqs=FakeSqs())
    assert failures(answer) == ["message-1"]
    assert seen == ["id-1", "id-3"]


@pytest.mark.parametrize("bad", ["", "not json", "[]", '"text"', "{}", '{"id": 7}', "\x00", DEEP])
def test_a_body_that_is_no_event_is_failed_not_dropped(bad: str) -> None:
    seen: list[str] = []
    answer = inbox.consume(sqs_event(bad, body(2)), lambda e: seen.append(e.id), sqs=FakeSqs())
    assert failures(answer) == ["message-0"]
    assert seen == ["id-2"]


def test_poison_and_a_last_try_come_back_at_once_other_failures_after_a_growing_pause() -> None:
    def handle(event: inbox.BusEvent) -> None:
        if event.id == "id-1":
            raise Poison("unknown-type", "what is this")
        raise TimeoutError

    pauses = []
    for receives in (1, 2, 3, 4, 5):
        sqs = FakeSqs()
        inbox.consume(sqs_event(body(1), body(2), receives=receives), handle, sqs=sqs)
        assert sqs.visibility["receipt-0"] == 0
        pauses.append(sqs.visibility["receipt-1"])
    assert pauses == [5, 30, 180, 900, 0]


@pytest.mark.parametrize(
    ("seconds", "pause"), [(0.2, 1), (99.2, 100), (1e9, inbox.MAX_DELAY_SECONDS)]
)
def test_a_record_that_cannot_be_handled_yet_comes_back_when_it_can(
    seconds: float, pause: int
) -> None:
    def handle(_: inbox.BusEvent) -> None:
        raise NotYet("somebody is at it", seconds)

    for receives in (1, 2, 3, 4):
        sqs = FakeSqs()
        inbox.consume(sqs_event(body(1), receives=receives), handle, sqs=sqs)
        assert sqs.visibility == {"receipt-0": pause}


def test_trouble_in_scheduling_retries_does_not_hide_the_failures() -> None:
    def handle(_: inbox.BusEvent) -> None:
        raise TimeoutError

    answer = inbox.consume(sqs_event(body(1)), handle, sqs=FakeSqs(broken=True))
    assert failures(answer) == ["message-0"]


def test_the_trace_header_of_the_message_comes_with_the_event() -> None:
    traces: list[str | None] = []
    event = sqs_event(body(1))
    event["Records"][0]["attributes"]["AWSTraceHeader"] = "Root=1-2-3"
    inbox.consume(event, lambda e: traces.append(e.trace), sqs=FakeSqs())
    assert traces == ["Root=1-2-3"]


def test_a_detail_of_another_shape_is_poison() -> None:
    caught: list[Poison] = []

    def handle(event: inbox.BusEvent) -> None:
        with pytest.raises(Poison) as poison:
            event.parse(dict[str, str])
        caught.append(poison.value)

    inbox.consume(sqs_event(body(1)), handle, sqs=FakeSqs())
    assert [poison.reason for poison in caught] == ["undecodable"]
