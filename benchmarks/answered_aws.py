"""botocore clients that are answered in this process: all of a call's CPU but the socket's.

Requests are made, signed and parsed as on AWS. What answering takes is in `spent`, to be left out.
"""

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class AnsweredAws:
    """A DynamoDB table and buckets. With `keeps`, what is put is there for later reads; else it is
    let go, so that every round of a benchmark finds the same."""

    def __init__(self) -> None:
        self.keeps = True
        self.calls = 0
        self.spent = 0.0
        self._items: dict[tuple[str, str], str] = {}
        self.dynamodb = self._client("dynamodb")
        self.s3 = self._client("s3")

    def _client(self, service: str) -> Any:
        client = boto3.client(
            service,
            region_name="eu-west-1",
            aws_access_key_id="nobody",
            aws_secret_access_key="nobody's",
        )
        client.meta.events.register(f"before-send.{service}", self._answer)
        return client

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        began = time.process_time()
        self.calls += 1
        name = str(request.headers.get("X-Amz-Target", b""), "ascii").rpartition(".")[2]
        text = self._table(name, request.body) if name else ""
        body = _Body(text.encode())
        self.spent += time.process_time() - began
        return AWSResponse(request.url, 200, HTTPHeaders(), body)

    def _table(self, name: str, body: bytes) -> str:
        if name == "BatchGetItem":
            return self._get(json.loads(body))
        if self.keeps:
            self._keep(name, json.loads(body))
        return "{}"

    def _get(self, request: dict[str, Any]) -> str:
        ((table, asked),) = request["RequestItems"].items()
        found = [self._items[key] for key in map(_key, asked["Keys"]) if key in self._items]
        return f'{{"Responses": {{"{table}": [{",".join(found)}]}}, "UnprocessedKeys": {{}}}}'

    def _keep(self, name: str, request: dict[str, Any]) -> None:
        many = name == "TransactWriteItems"
        writes = [one.get("Put") for one in request["TransactItems"]] if many else [request]
        for write in filter(None, writes):
            self._items[_key(write["Item"])] = json.dumps(write["Item"])


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
