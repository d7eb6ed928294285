"""Consume a stream (DynamoDB, Kinesis): poison is quarantined, a transient fault fails the batch.

A stream has no partial failure worth having: AWS retries from the lowest failed record on, and the
shard waits. So a record that can never succeed is written to the quarantine bucket with its reason
and the batch goes on; anything else raises and the whole batch comes again, harmless to writes
that are idempotent.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from lambdas.core import aws, observability
from lambdas.core.errors import Poison

T = TypeVar("T")

Record = dict[str, Any]
Quarantine = Callable[[Record, Poison], None]


def decode_all(
    records: Iterable[Record], decode: Callable[[Record], T], quarantine: Quarantine
) -> Iterator[T]:
    """Every record that `decode` accepts; those for which it raises Poison go to quarantine."""
    for record in records:
        try:
            yield decode(record)
        except Poison as poison:
            quarantine(record, poison)
            observability.count_by_function("RecordsQuarantined")
            observability.logger().error(
                "record quarantined", extra={"reason": poison.reason, "detail": poison.detail}
            )


def quarantine_in(bucket: str, function_name: str, s3: Any = None) -> Quarantine:
    """A quarantine that keeps each record in S3, payload and reason, under a key of its content.

    The key is the same for the same record, so a batch that comes again writes no second copy.
    """

    def put(record: Record, poison: Poison) -> None:
        payload = json.dumps(record, sort_keys=True, default=str)
        digest = hashlib.sha256(payload.encode()).hexdigest()
        (s3 or aws.client("s3")).put_object(
            Bucket=bucket,
            Key=f"quarantine/{function_name}/{digest}.json",
            ContentType="application/json",
            Body=json.dumps(
                {"reason": poison.reason, "detail": poison.detail, "record": record}, default=str
            ).encode(),
        )

    return put
