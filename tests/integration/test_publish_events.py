"""The publisher, from a stream record to the bus and the quarantine."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.core.quarantine import kept_in
from lambdas.outbox.publish_events import handler
from tests.unit.outbox.test_publish_events import record

CONTEXT = SimpleNamespace(
    function_name="publisher",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-west-1:111111111111:function:publisher",
    aws_request_id="r-1",
)


@pytest.fixture
def received(
    make_bucket: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[dict[str, Any]]]:
    """A bus with one queue that gets everything; call it for what has arrived."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="bus")
    url = sqs.create_queue(QueueName="all")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name="all", EventBusName="bus", EventPattern='{"source": [{"prefix": ""}]}')
    events.put_targets(
        Rule="all", EventBusName="bus", Targets=[{"Id": "q", "Arn": arn["QueueArn"]}]
    )
    monkeypatch.setenv("EVENT_BUS", "bus")
    monkeypatch.setenv("QUARANTINE_BUCKET", make_bucket("quarantine"))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "publisher")
    monkeypatch.setenv("SPEAKS_AS", "millrace.image-pipeline")
    monkeypatch.setenv("EMITS", '["image.rendered.v1", "image.rejected.v1"]')

    def arrived() -> list[dict[str, Any]]:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return arrived


def test_stream_records_arrive_on_the_bus_and_poison_in_quarantine(
    received: Callable[[], list[dict[str, Any]]],
) -> None:
    handler({"Records": [record(), {"dynamodb": {}}, record(subject={"S": "image/l"})]}, CONTEXT)
    events = received()
    assert [event["detail-type"] for event in events] == ["image.rejected.v1"] * 2
    s3 = boto3.client("s3")
    (kept,) = s3.list_objects_v2(Bucket="quarantine")["Contents"]
    body = s3.get_object(Bucket="quarantine", Key=kept["Key"])["Body"].read()
    (content,) = kept_in(kept["Key"], body)
    assert content["reason"] == "undecodable"
    assert content["record"] == {"dynamodb": {}}


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        (
            {"type": {"S": "payment.captured.v1"}, "source": {"S": "millrace.payment"}},
            "forged-source",
        ),
        ({"source": {"S": "millrace.payment"}}, "forged-source"),
        ({"source": {"S": "millrace.image-pipeline.x"}}, "forged-source"),
        ({"source": {"S": ""}}, "forged-source"),
        ({"type": {"S": "payment.captured.v1"}}, "foreign-type"),
        ({"type": {"S": "image.rejected.v2"}}, "foreign-type"),
        ({"time": {"S": "yesterday"}}, "undecodable"),
        ({"detail": {"S": "{"}}, "undecodable"),
        ({"detail": {"S": '{"a": ' + "[" * 60_000 + "]" * 60_000 + "}"}}, "undecodable"),
        ({"detail": {"S": '{"a": "' + "x" * 262_144 + '"}'}}, "too-large"),
    ],
)
def test_what_the_tables_service_may_not_say_is_kept_from_the_bus_and_the_rest_goes_on(
    received: Callable[[], list[dict[str, Any]]], forged: dict[str, Any], reason: str
) -> None:
    own = record(subject={"S": "image/l"})
    handler({"Records": [record(**forged), own]}, CONTEXT)
    assert [(e["source"], e["detail-type"]) for e in received()] == [
        ("millrace.image-pipeline", "image.rejected.v1")
    ]
    s3 = boto3.client("s3")
    (kept,) = s3.list_objects_v2(Bucket="quarantine")["Contents"]
    body = s3.get_object(Bucket="quarantine", Key=kept["Key"])["Body"].read()
    (content,) = kept_in(kept["Key"], body)
    assert content["reason"] == reason
    assert content["record"] == record(**forged)
