"""Where pictures and manifests are kept: the two buckets and the images table."""

import datetime as dt
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import msgspec

from lambdas.contracts.event import Event
from lambdas.contracts.images import ImageRejectedV1, ImageRenderedV1
from lambdas.core import aws, observability
from lambdas.core.errors import ConditionFailed
from lambdas.core.outbox import Cause, event_write, timestamp
from lambdas.core.table_store import Table, Write
from lambdas.image_pipeline.domain import RejectionReason
from lambdas.image_pipeline.manifest import Manifest, Recorded, Upload, settles

CONTENT_TYPES = {"jpeg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}


class SourceGone(Exception):
    """The uploaded bytes cannot be had any more: deleted, or replaced by a later upload."""


class SourceTooLarge(Exception):
    """The object is longer than it may be; it was not read."""


class SourceClosed(Exception):
    """S3 keeps the object, and nobody without its owner's help can read it."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Picture(Protocol):
    """The bytes of a rendition and the format they are in."""

    @property
    def format(self) -> str: ...
    @property
    def data(self) -> bytes: ...


class ImageStore:
    """The pipeline's storage. `s3` is a botocore client, by default the process's own."""

    def __init__(self, table: Table, renditions_bucket: str, s3: Any = None) -> None:
        self.renditions_bucket = renditions_bucket
        self._table = table
        self._given = s3

    @property
    def _s3(self) -> Any:
        return self._given or aws.client("s3")

    def read_source(self, upload: Upload, max_bytes: int) -> bytes:
        """The uploaded bytes, of exactly this upload.

        Raises SourceGone, SourceTooLarge and SourceClosed; anything else may pass.
        """
        source = upload.source
        which = {"VersionId": source.version_id} if source.version_id else {"IfMatch": source.etag}
        try:
            answer = self._s3.get_object(Bucket=source.bucket, Key=source.key, **which)
        except Exception as error:
            if aws.error_code(error) in _GONE:
                raise SourceGone(aws.error_code(error)) from error
            if closed := _closed(error):
                raise closed from error
            raise
        with answer["Body"] as body:
            if answer["ContentLength"] > max_bytes:
                raise SourceTooLarge(f"{answer['ContentLength']} bytes, at most {max_bytes}")
            return bytes(body.read())

    def write_renditions(self, pictures: Iterable[tuple[str, Picture]]) -> None:
        """Put each picture under its key. Keys tell the content: a second put changes nothing."""
        with ThreadPoolExecutor(max_workers=8) as pool:
            for _ in pool.map(observability.carried(self._put), pictures):
                pass  # a failed one raises here

    def _put(self, rendition: tuple[str, Picture]) -> None:
        key, picture = rendition
        self._s3.put_object(
            Bucket=self.renditions_bucket,
            Key=key,
            Body=picture.data,
            ContentType=CONTENT_TYPES[picture.format],
            CacheControl="public, max-age=31536000, immutable",
        )

    def recorded(self, upload: Upload) -> Recorded | None:
        item = self._table.get(upload.subject, "state")
        return msgspec.convert(item, Recorded) if item else None

    def record(
        self, upload: Upload, manifest: Manifest, fingerprint: str, cause: Cause, now: dt.datetime
    ) -> bool:
        """Write the manifest and its event, unless what is recorded settles this upload.

        Returns whether it was written. Two writers of one key meet in the revision's condition;
        the loser looks again.
        """
        while True:
            known = self.recorded(upload)
            if settles(known, upload, fingerprint):
                return False
            revision = known.revision if known else 0
            state = {
                "pk": upload.subject,
                "sk": "state",
                "status": manifest.status,
                "manifest": msgspec.json.encode(manifest).decode(),
                "sequencer": upload.sequencer,
                "fingerprint": fingerprint,
                "revision": revision + 1,
                "updated_at": timestamp(now),
                "event_id": cause.id,
                "correlation_id": cause.correlation_id,
                **({"trace": cause.trace} if cause.trace else {}),
            }
            try:
                self._table.transact(
                    Write(
                        put=state,
                        condition="revision = :known" if known else "attribute_not_exists(pk)",
                        values={"known": revision} if known else {},
                    ),
                    event_write(
                        upload.subject,
                        self._event(manifest),
                        subject=upload.subject,
                        sequence=revision + 1,
                        cause=cause,
                        now=now,
                    ),
                )
            except ConditionFailed as conflict:
                if not conflict.failed[0]:
                    return False  # the event of this very cause is written already
                continue
            return True

    def _event(self, manifest: Manifest) -> Event:
        if manifest.status == "rejected":
            return ImageRejectedV1(
                source=manifest.source,
                reason=manifest.reason or "",
                detail=manifest.detail or "",
            )
        return ImageRenderedV1(
            source=manifest.source,
            renditions_bucket=self.renditions_bucket,
            renditions=manifest.renditions,
            metadata=manifest.metadata,
        )


def _closed(error: Exception) -> SourceClosed | None:
    """What no retry can heal: a key that only the uploader has, a storage class to restore from."""
    code = aws.error_code(error)
    if code == "InvalidObjectState":
        return SourceClosed(RejectionReason.ARCHIVED, "the object is archived: restore it first")
    if code == "InvalidRequest" and "server side encryption" in str(error).lower():
        return SourceClosed(
            RejectionReason.ENCRYPTED, "the object is encrypted with a key of its uploader (SSE-C)"
        )
    return None


_GONE = {"NoSuchKey", "NoSuchVersion", "PreconditionFailed", "404", "412", "MethodNotAllowed"}
