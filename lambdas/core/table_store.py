"""A DynamoDB table of the outbox kind (keys `pk` and `sk`): typed reads, all-or-nothing writes."""

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from lambdas.core import aws, patience
from lambdas.core.errors import ConditionFailed

Item = dict[str, Any]

MAX_WRITES = 100
"""Writes in one transaction (DynamoDB limit)."""

MAX_READS = 100
"""Keys in one batch read (DynamoDB limit)."""

_CONFLICT_ATTEMPTS = 6


class Throttled(Exception):
    """The table could not serve a whole batch read; nothing is wrong that a retry cannot heal."""


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One write of a transaction; `condition` uses DynamoDB's expression language.

    `values` may be named in `condition` and `update` as `:name`, attributes as `#name`.
    """

    put: Item | None = None
    key: tuple[str, str] | None = None
    update: str | None = None
    delete: bool = False
    condition: str | None = None
    names: Mapping[str, str] = {}
    values: Mapping[str, Any] = {}


class Table:
    """One table. `client` is a botocore DynamoDB client; by default the process's own."""

    def __init__(
        self,
        name: str,
        client: Any = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._given = client
        self._sleep = sleep

    @property
    def _client(self) -> Any:
        return self._given or aws.client("dynamodb")

    def get(self, pk: str, sk: str) -> Item | None:
        """The item as last written (a consistent read), or None."""
        answer = self._client.get_item(
            TableName=self.name, Key=_marshal({"pk": pk, "sk": sk}), ConsistentRead=True
        )
        return _unmarshal(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        """The items of these keys as last written (consistent reads), by key; absent ones are not.

        Raises Throttled when the table still leaves keys unread after a few tries.
        """
        wanted = list(dict.fromkeys(keys))
        found: dict[tuple[str, str], Item] = {}
        for start in range(0, len(wanted), MAX_READS):
            asked = [_marshal({"pk": pk, "sk": sk}) for pk, sk in wanted[start : start + MAX_READS]]
            for item in self._batch(asked):
                found[(item["pk"], item["sk"])] = item
        return found

    def _batch(self, keys: list[dict[str, Any]]) -> Iterator[Item]:
        for _ in patience.tries(_CONFLICT_ATTEMPTS, self._sleep):
            answer = self._client.batch_get_item(
                RequestItems={self.name: {"Keys": keys, "ConsistentRead": True}}
            )
            yield from map(_unmarshal, answer["Responses"].get(self.name, []))
            keys = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if not keys:
                return
        raise Throttled(f"{len(keys)} keys of {self.name} left unread")

    def query(
        self,
        pk: str,
        *,
        prefix: str = "",
        after: str | None = None,
        between: tuple[str, str] | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        """Items of one partition in order of `sk`, page by page; consistent.

        One of `prefix`, `after` (beyond that key) and `between` (both keys included) bounds `sk`.
        """
        condition, values = "pk = :pk", {":pk": pk}
        if between is not None:
            condition = f"{condition} AND sk BETWEEN :low AND :high"
            values[":low"], values[":high"] = between
        elif after is not None:
            condition, values[":after"] = f"{condition} AND sk > :after", after
        elif prefix:
            condition, values[":prefix"] = f"{condition} AND begins_with(sk, :prefix)", prefix
        pages = self._client.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=_marshal(values),
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            PaginationConfig={"MaxItems": limit, "PageSize": limit} if limit else {},
        )
        for page in pages:
            yield from map(_unmarshal, page["Items"])

    def query_index(
        self,
        index: str,
        equal: tuple[str, str],
        *,
        where: tuple[str, Literal["<", ">"], str] | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        """Items of one partition of a secondary index in order of its range key, page by page.

        `equal` is the index's hash key and its value, `where` bounds its range key.
        An index lags behind the table by some milliseconds: what matters is read again or checked.
        """
        condition, names, values = "#h = :h", {"#h": equal[0]}, {":h": equal[1]}
        if where is not None:
            names["#r"], sign, values[":r"] = where
            condition = f"{condition} AND #r {sign} :r"
        pages = self._client.get_paginator("query").paginate(
            TableName=self.name,
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=_marshal(values),
            ScanIndexForward=not newest_first,
            PaginationConfig={"MaxItems": limit, "PageSize": limit} if limit else {},
        )
        for page in pages:
            yield from map(_unmarshal, page["Items"])

    def scan_index(self, index: str, *, after: Item | None, limit: int) -> Iterator[Item]:
        """Up to `limit` items of a whole secondary index, from beyond the keys `after`.

        `after` holds the keys of the index and of the table. Partitions come in no order that
        means anything, but always in the same one; within each, items in order of the range key.
        """
        pages = self._client.get_paginator("scan").paginate(
            TableName=self.name,
            IndexName=index,
            PaginationConfig={"MaxItems": limit, "PageSize": limit},
            **({"ExclusiveStartKey": _marshal(after)} if after else {}),
        )
        for page in pages:
            yield from map(_unmarshal, page["Items"])

    def transact(self, *writes: Write) -> None:
        """Write all or nothing.

        Raises ConditionFailed when a condition does not hold. A conflict with another running
        transaction is tried again a few times, then raised as it came.
        """
        request = [self._request(write) for write in writes]
        for attempt in patience.tries(_CONFLICT_ATTEMPTS, self._sleep):
            try:
                self._client.transact_write_items(TransactItems=request)
                return
            except Exception as error:
                codes = _cancellation_codes(error)
                if "ConditionalCheckFailed" in codes:
                    failed = tuple(code == "ConditionalCheckFailed" for code in codes)
                    raise ConditionFailed(failed) from error
                if "TransactionConflict" not in codes or attempt == _CONFLICT_ATTEMPTS:
                    raise

    def put(self, write: Write) -> None:
        """Do one put of its own, which costs half of a transaction with that put in it.

        Raises ConditionFailed when its condition does not hold. A conflict with a running
        transaction is tried again a few times, then raised as it came.
        """
        request = self._request(write)["Put"]
        for attempt in patience.tries(_CONFLICT_ATTEMPTS, self._sleep):
            try:
                self._client.put_item(**request)
                return
            except Exception as error:
                code = aws.error_code(error)
                if code == "ConditionalCheckFailedException":
                    raise ConditionFailed((True,)) from error
                if code != "TransactionConflictException" or attempt == _CONFLICT_ATTEMPTS:
                    raise

    def _request(self, write: Write) -> dict[str, Any]:
        body: dict[str, Any] = {"TableName": self.name}
        if write.condition:
            body["ConditionExpression"] = write.condition
        if write.names:
            body["ExpressionAttributeNames"] = {f"#{k}": v for k, v in write.names.items()}
        if write.values:
            body["ExpressionAttributeValues"] = _marshal(
                {f":{k}": v for k, v in write.values.items()}
            )
        if write.put is not None:
            return {"Put": {**body, "Item": _marshal(write.put)}}
        if write.key is None:
            raise ValueError("a write needs `put`, or the `key` it works on")
        body["Key"] = _marshal(dict(zip(("pk", "sk"), write.key, strict=True)))
        if write.update is not None:
            return {"Update": {**body, "UpdateExpression": write.update}}
        return {"Delete" if write.delete else "ConditionCheck": body}


def _cancellation_codes(error: Exception) -> tuple[str, ...]:
    if aws.error_code(error) != "TransactionCanceledException":
        return ()
    reasons = getattr(error, "response", {}).get("CancellationReasons", [])
    return tuple(str(reason.get("Code", "None")) for reason in reasons)


@functools.cache
def _codecs() -> tuple[Any, Any]:
    from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

    return TypeSerializer(), TypeDeserializer()


def _marshal(item: Mapping[str, Any]) -> dict[str, Any]:
    serialize = _codecs()[0].serialize
    return {key: serialize(value) for key, value in item.items()}


def _unmarshal(item: Mapping[str, Any]) -> Item:
    deserialize = _codecs()[1].deserialize
    return {key: _plain(deserialize(value)) for key, value in item.items()}


def _plain(value: Any) -> Any:
    """DynamoDB's Decimals as the int or float they stand for, at any depth."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if type(value).__name__ == "Decimal":
        return int(value) if value == value.to_integral_value() else float(value)
    return value
