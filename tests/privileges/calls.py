"""Which IAM actions a call of botocore takes, on what, and with which leading part of the key."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Request = Mapping[str, Any]

WHOLE = "*"
"""A key of which nothing is known, or asked."""
FUNCTION = "<function>"
"""Stands in a key for the full name of the function that makes the call."""
INBOX = "inbox"
GIVEN = "given"
"""What no setting names: the event says which bucket it is."""

# "Amazon DynamoDB Transactions: how it works", section "IAM": a transaction has no action of its
# own, each part of it takes the permission of the call that would do the same.
_PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


class Use(NamedTuple):
    """One use of a permission. `on` is the setting that names what is used."""

    action: str
    on: str
    key: str = WHOLE

    def __str__(self) -> str:
        return f"{self.action} {self.on} {self.key}"


def uses(service: str, operation: str, request: Request) -> Iterator[Use]:
    """The permissions that a call takes. Raises KeyError for one that nobody has looked up."""
    yield from _CALLS[f"{service}.{operation}"](request)


def leading(key: str) -> str:
    """The part of a key that tells its kind: "order/ord_1" is of the kind "order/*"."""
    kind = re.match(r"[a-z-]+[/#]", key)
    return f"{kind[0]}*" if kind else key


def setting(value: str) -> str:
    """The environment variable that holds this name, which is how a function came to know it.

    Of two that stand in for each other it is either: VIEW_A and VIEW_B are both VIEW_?.
    """
    names = sorted(name for name, known in os.environ.items() if known == value)
    return re.sub("_[AB]$", "_?", names[0]) if names else GIVEN


def _item(action: str, part: Request) -> Use:
    pk = part["Item"]["pk"] if "Item" in part else part["Key"]["pk"]
    return Use(f"dynamodb:{action}", setting(part["TableName"]), leading(pk["S"]))


def _transaction(request: Request) -> Iterator[Use]:
    for part in request["TransactItems"]:
        for kind, body in part.items():
            yield _item(_PARTS[kind], body)


def _batch_get(request: Request) -> Iterator[Use]:
    for table, asked in request["RequestItems"].items():
        for key in asked["Keys"]:
            yield _item("BatchGetItem", {"TableName": table, "Key": key})


def _query(request: Request) -> Iterator[Use]:
    table = setting(request["TableName"])
    if index := request.get("IndexName"):
        yield Use("dynamodb:Query", f"{table}/index/{index}")
        return
    bound = re.match(r"pk = (:\w+)", request["KeyConditionExpression"])
    if bound is None:
        raise ValueError(f"no single partition in {request['KeyConditionExpression']!r}")
    pk = request["ExpressionAttributeValues"][bound[1]]["S"]
    yield Use("dynamodb:Query", table, leading(pk))


def _scan(request: Request) -> Iterator[Use]:
    yield Use("dynamodb:Scan", f"{setting(request['TableName'])}/index/{request['IndexName']}")


def _object(action: str, request: Request) -> Iterator[Use]:
    bucket, kind = setting(request["Bucket"]), leading(request["Key"])
    own = f"/{os.environ.get('AWS_LAMBDA_FUNCTION_NAME')}/"
    if own in request["Key"]:
        kind = f"{request['Key'].partition(own)[0]}/{FUNCTION}/*"
    is_told = bucket != GIVEN and kind.endswith("*")  # a key without a kind is one of many
    yield Use(f"s3:{action}", bucket, kind if is_told else WHOLE)


def _get_object(request: Request) -> Iterator[Use]:
    yield from _object("GetObjectVersion" if "VersionId" in request else "GetObject", request)


def _put_events(request: Request) -> Iterator[Use]:
    for bus in {entry["EventBusName"] for entry in request["Entries"]}:
        yield Use("events:PutEvents", setting(bus))


def _send_email(request: Request) -> Iterator[Use]:
    # SES checks an e-mail of a template under the older action's name as well.
    actions = ["SendEmail"] + (["SendTemplatedEmail"] if "Template" in request["Content"] else [])
    for action in actions:
        yield Use(f"ses:{action}", setting(request["FromEmailAddress"]))


_CALLS: Mapping[str, Any] = {
    "dynamodb.GetItem": lambda request: [_item("GetItem", request)],
    "dynamodb.PutItem": lambda request: [_item("PutItem", request)],
    "dynamodb.BatchGetItem": _batch_get,
    "dynamodb.Query": _query,
    "dynamodb.Scan": _scan,
    "dynamodb.TransactWriteItems": _transaction,
    "dynamodb.TransactGetItems": _transaction,
    "s3.GetObject": _get_object,
    "s3.PutObject": lambda request: _object("PutObject", request),
    "events.PutEvents": _put_events,
    "sqs.ChangeMessageVisibility": lambda _: [Use("sqs:ChangeMessageVisibility", INBOX)],
    "sqs.ChangeMessageVisibilityBatch": lambda _: [Use("sqs:ChangeMessageVisibility", INBOX)],
    "sqs.GetQueueUrl": lambda _: [Use("sqs:GetQueueUrl", INBOX)],
    "ssm.GetParameter": lambda request: [Use("ssm:GetParameter", setting(request["Name"]))],
    "secretsmanager.GetSecretValue": lambda request: [
        Use("secretsmanager:GetSecretValue", setting(request["SecretId"]))
    ],
    "sesv2.SendEmail": _send_email,
}
