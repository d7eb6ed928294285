"""AWS in this process: one table, two buckets, one bus, empty for each test."""

import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from lambdas.core import aws
from tests.privileges.record import REMEDY, Session, committed, merge, missing
from tests.privileges.recorder import Record, watch

REGION = "eu-west-1"


@pytest.fixture
def aws_region(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Everything below talks to an AWS that lives in this process, in this region."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    # moto keeps its state in plain dictionaries: one request at a time, or it trips over itself.
    monkeypatch.setattr(BotocoreStubber, "__call__", _one_at_a_time(BotocoreStubber.__call__))
    # Keeping the session keeps its parsed service models: a client costs 5 ms instead of 80.
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        aws.client.cache_clear()
        # The queue that the events of tests.fakes.sqs_event come from.
        boto3.client("sqs", region_name=REGION).create_queue(QueueName="inbox")
        yield REGION
        aws.client.cache_clear()


@pytest.fixture(autouse=True)
def _privileges(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No function does what the record of privileges does not know."""
    made: Record = {}
    watch(monkeypatch, made)
    yield
    session = pytestconfig.pluginmanager.get_plugin("privileges")
    assert isinstance(session, Session)
    merge(session.made, made)
    unknown = [] if session.writes else missing(made, committed())
    assert not unknown, f"{REMEDY}: {unknown}"


def _one_at_a_time(call: Callable[..., Any]) -> Callable[..., Any]:
    turn = threading.RLock()  # a request may cause another: a rule that delivers to a queue

    @functools.wraps(call)
    def in_turn(*args: Any, **kwargs: Any) -> Any:
        with turn:
            return call(*args, **kwargs)

    return in_turn


@pytest.fixture
def make_table(aws_region: str) -> Any:
    """Make a table of the outbox kind: `make_table("orders", by_state=("state", "placed_at"))`."""

    def make(name: str, **indexes: tuple[str, str]) -> str:
        attributes = dict.fromkeys(
            ("pk", "sk", *(key for keys in indexes.values() for key in keys))
        )
        request: dict[str, Any] = {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": _key_schema("pk", "sk"),
            "AttributeDefinitions": [
                {"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes
            ],
        }
        if indexes:
            request["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": index,
                    "KeySchema": _key_schema(*keys),
                    "Projection": {"ProjectionType": "ALL"},
                }
                for index, keys in indexes.items()
            ]
        boto3.client("dynamodb", region_name=aws_region).create_table(**request)
        return name

    return make


def _key_schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]


@pytest.fixture
def make_bucket(aws_region: str) -> Any:
    def make(name: str, versioned: bool = False) -> str:
        s3 = boto3.client("s3", region_name=aws_region)
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws_region})
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    return make
