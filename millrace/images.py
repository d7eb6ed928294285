"""Put pictures into the pipeline and read what became of them."""

import json
import mimetypes
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from millrace import aws
from millrace.environments import Environment
from millrace.errors import MillraceError

Manifest = dict[str, Any]
STATUSES = ("rendered", "rejected")
SHOWN = ("status", "reason", "source", "renditions", "metadata")
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Outcome:
    """What is recorded of a key: the manifest, of which event, when (UTC), and its trace header."""

    manifest: Manifest
    event_id: str
    updated_at: datetime
    trace: str | None


@dataclass(frozen=True)
class Upload:
    """A finished upload: `finished` is Unix time, `before` the event recorded until then."""

    key: str
    path: Path
    bytes: int
    finished: float
    before: str | None


class Images:
    """The image pipeline of one environment."""

    def __init__(self, environment: Environment) -> None:
        self.uploads = environment.text("uploads_bucket")
        self.renditions = environment.text("renditions_bucket")
        self._table = environment.text("images_table")
        self._s3 = aws.client(environment, "s3")
        self._dynamodb = aws.client(environment, "dynamodb")

    def upload(self, path: Path, key: str) -> Upload:
        """Upload a file, in parts when it is big. Raises MillraceError for what is no file."""
        if not path.is_file():
            raise MillraceError(f"{path} is no file.")
        known = self.outcome(key)
        content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        extra = {"ContentType": content_type}
        self._s3.upload_file(str(path), self.uploads, key, ExtraArgs=extra)
        before = known.event_id if known else None
        return Upload(key, path, path.stat().st_size, time.time(), before)

    def outcome(self, key: str) -> Outcome | None:
        """What is recorded of the key, None before its first event is handled."""
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key={"pk": {"S": f"image/{key}"}, "sk": {"S": "state"}},
            ConsistentRead=True,
        )
        item = answer.get("Item")
        if item is None:
            return None
        return Outcome(
            manifest=json.loads(item["manifest"]["S"]),
            event_id=item["event_id"]["S"],
            updated_at=datetime.fromisoformat(item["updated_at"]["S"]),
            trace=item.get("trace", {}).get("S"),
        )

    def show(self, key: str) -> Manifest:
        """The manifest of the key; `pending` while the current upload is not handled yet.

        Raises MillraceError for a key that was never uploaded.
        """
        current = self._uploaded(key)
        outcome = self.outcome(key)
        if outcome is not None and (current is None or is_of(outcome.manifest["source"], current)):
            return shown(outcome.manifest)
        if current is None:
            raise MillraceError(f"No picture {key!r} in {self.uploads}.")
        return shown({"status": "pending", "source": current})

    def manifests(self) -> Iterator[Manifest]:
        """Every manifest, by status and within it the newest first."""
        pages = self._dynamodb.get_paginator("query")
        for status in STATUSES:
            found = pages.paginate(
                TableName=self._table,
                IndexName="by_status",
                KeyConditionExpression="#status = :status",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":status": {"S": status}},
                ScanIndexForward=False,
            )
            for page in found:
                for item in page["Items"]:
                    yield shown(json.loads(item["manifest"]["S"]))

    def wait(
        self, uploads: list[Upload], seconds: float, tell: Callable[[Mapping[str, Outcome]], None]
    ) -> dict[str, Outcome]:
        """Wait until every upload has its outcome; `tell` is called with those there are by now.

        Returns what there is when the time is over.
        """
        outcomes: dict[str, Outcome] = {}
        deadline = time.monotonic() + seconds
        while True:
            for upload in uploads:
                if upload.key not in outcomes:
                    outcome = self.outcome(upload.key)
                    if outcome is not None and outcome.event_id != upload.before:
                        outcomes[upload.key] = outcome
            tell(outcomes)
            if len(outcomes) == len(uploads) or time.monotonic() > deadline:
                return outcomes
            time.sleep(POLL_SECONDS)

    def rendition(self, key: str) -> bytes:
        """The bytes of a rendition."""
        body: bytes = self._s3.get_object(Bucket=self.renditions, Key=key)["Body"].read()
        return body

    def _uploaded(self, key: str) -> dict[str, Any] | None:
        """The source of the key as it is in the uploads bucket now."""
        try:
            head = self._s3.head_object(Bucket=self.uploads, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                return None
            raise
        return {
            "bucket": self.uploads,
            "key": key,
            "version_id": head.get("VersionId"),
            "etag": head["ETag"].strip('"'),
        }


def is_of(source: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Whether a manifest's source is the current upload of its key."""
    versions = (source.get("version_id"), current.get("version_id"))
    if all(versions):
        return versions[0] == versions[1]
    return bool(source["etag"] == current["etag"])


def shown(manifest: Manifest) -> Manifest:
    """The manifest with exactly the fields that are promised, absent ones empty."""
    empty: Manifest = {"reason": None, "renditions": [], "metadata": {}}
    return {name: manifest.get(name, empty.get(name)) for name in SHOWN}
