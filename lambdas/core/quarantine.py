"""Records that can never be processed, kept in S3: those of a batch in one object.

    quarantine/<function>/<digest of the records>-<how many>.jsonl.gz

A line for each: {"reason": "undecodable", "detail": "...", "record": {...}}. However many records a
batch refuses, they are one call; and a batch that comes again writes the same object again.
"""

import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lambdas.core import aws
from lambdas.core.errors import Poison

Record = dict[str, Any]
Refused = tuple[Record, Poison]
Quarantine = Callable[[Iterable[Refused]], None]

_MANY = re.compile(r"-([0-9]+)\.jsonl\.gz")


def quarantine_in(bucket: str, function_name: str, s3: Any = None) -> Quarantine:
    """A quarantine in a bucket; `s3` is a botocore client, by default the process's own."""

    def put(refused: Iterable[Refused]) -> None:
        packed, digest, count = io.BytesIO(), hashlib.sha256(), 0
        with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=5, mtime=0) as lines:
            for record, poison in refused:  # one at a time: packed they are a fraction
                why = json.dumps({"reason": poison.reason, "detail": poison.detail})
                payload = json.dumps(record, sort_keys=True, default=str)
                lines.write(f'{why[:-1]}, "record": {payload}}}\n'.encode())
                digest.update(payload.encode() + b"\n")
                count += 1
        if count:
            (s3 or aws.client("s3")).put_object(
                Bucket=bucket,
                Key=f"quarantine/{function_name}/{digest.hexdigest()}-{count}.jsonl.gz",
                ContentType="application/gzip",
                Body=packed.getvalue(),
            )

    return put


def records_in(key: str) -> int:
    """How many records the object of this key holds; one if its name does not say."""
    found = _MANY.search(key)
    return int(found[1]) if found else 1


def kept_in(key: str, body: bytes) -> Iterator[Any]:
    """What an object holds, record by record. Raises ValueError for what is not JSON."""
    if not _MANY.search(key):
        yield json.loads(body)
        return
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as lines:
            yield from map(json.loads, lines)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{key} is no gzip: {error}") from error
