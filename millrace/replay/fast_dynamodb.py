"""Scans and batch writes past boto3's own slow (de)serialisation; all the rest stays boto3's.

boto3 spends some 20 us on each item it reads and 40 us on each it writes. Here the body of a scan
goes to msgspec as it came (`before-parse`), and the body of a batch write is made by msgspec
(`before-call`), while signing, connections, retries and errors are what they always are.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

MAX_BATCH = 25
"""Items in one batch write (DynamoDB limit)."""

_ATTEMPTS = 10
_RAW = "Raw"

Key = dict[str, dict[str, str]]
T = TypeVar("T")


class Text(msgspec.Struct, frozen=True):
    """A string as DynamoDB writes it: {"S": "..."}."""

    value: str = msgspec.field(name="S")


class Number(msgspec.Struct, frozen=True):
    """A number as DynamoDB writes it: {"N": "1"}; kept as text."""

    value: str = msgspec.field(name="N")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a scan; `last` is where the next begins, None after the end."""

    items: list[T] = msgspec.field(name="Items")
    last: Key | None = msgspec.field(name="LastEvaluatedKey", default=None)


class NotWritten(Exception):
    """The table left items unwritten however often they were offered; it is throttled."""


class FastDynamoDB:
    """A botocore DynamoDB client with a fast lane. The client must be used for nothing else."""

    def __init__(self, client: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep
        # Hooks know of a call only what boto3 tells them; they run in the caller's own thread.
        self._call = threading.local()
        client.meta.events.register("before-parse.dynamodb.Scan", _take_body)
        client.meta.events.register("before-call.dynamodb.BatchWriteItem", self._give_body)

    def scan(self, kind: type[T], start: Key | None = None, **request: Any) -> Iterator[Page[T]]:
        """The pages of a scan, each item as `kind`, a Struct of Text and Number fields.

        `request` is that of boto3's `scan`. Raises msgspec.ValidationError for another item.
        """
        decoder = msgspec.json.Decoder(Page[kind])  # type: ignore[valid-type]
        while True:
            begin = {"ExclusiveStartKey": start} if start else {}
            page = decoder.decode(self._client.scan(**request, **begin)[_RAW])
            yield page
            if page.last is None:
                return
            start = page.last

    def put_all(self, table: str, items: Sequence[Mapping[str, Any]]) -> None:
        """Write items (DynamoDB's JSON), whatever stands under their keys.

        Raises NotWritten when the table keeps refusing.
        """
        for start in range(0, len(items), MAX_BATCH):
            batch = items[start : start + MAX_BATCH]
            self._write({table: [{"PutRequest": {"Item": item}} for item in batch]})

    def _write(self, requests: Any) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            self._call.body = msgspec.json.encode({"RequestItems": requests})
            try:
                answer = self._client.batch_write_item(RequestItems=_SMALLEST)
            finally:
                del self._call.body
            requests = answer.get("UnprocessedItems")
            if not requests:
                return
            self._sleep(random.uniform(0, 0.05 * 2**attempt))
        raise NotWritten(f"{sum(map(len, requests.values()))} items of {', '.join(requests)}")

    def _give_body(self, params: dict[str, Any], **_: Any) -> None:
        params["body"] = self._call.body


# What boto3 serialises instead of our items: a request that is valid, and as short as can be.
_SMALLEST: Any = {"table": [{"DeleteRequest": {"Key": {"pk": {"S": "-"}}}}]}


def _take_body(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Keep the body of an answer from boto3's parser; errors are left to it."""
    if response_dict["status_code"] == 200:
        customized_response_dict[_RAW] = response_dict["body"]
        response_dict["body"] = b"{}"
