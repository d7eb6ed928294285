"""Function: render every picture whose upload S3 announces."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.contracts.images import SourceObject
from lambdas.core import inbox, observability, settings
from lambdas.core.errors import Poison
from lambdas.core.outbox import Cause
from lambdas.core.table_store import Table
from lambdas.image_pipeline.domain import Profile
from lambdas.image_pipeline.image_store import ImageStore
from lambdas.image_pipeline.manifest import Upload
from lambdas.image_pipeline.pipeline import process


class Settings(msgspec.Struct, frozen=True):
    images_table: str
    renditions_bucket: str
    rendition_profile: Profile


class _Bucket(msgspec.Struct):
    name: str


class _Object(msgspec.Struct, rename="kebab"):
    key: str
    etag: str
    sequencer: str
    size: int = 0
    version_id: str | None = None


class ObjectCreated(msgspec.Struct):
    """The detail of S3's "Object Created" event; `key` is raw here, not URL-encoded."""

    bucket: _Bucket
    object: _Object


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    config = settings.load(Settings)
    store = ImageStore(Table(config.images_table), config.renditions_bucket)

    def handle(message: inbox.BusEvent) -> None:
        upload = upload_of(message)
        if upload.is_folder:
            observability.count("FoldersIgnored")
            return
        upload_id = upload.id_for(config.rendition_profile.fingerprint)
        cause = Cause(id=upload_id, correlation_id=upload_id, trace=observability.trace_header())
        with observability.correlated(upload_id, key=upload.source.key, subject=upload.subject):
            process(upload, config.rendition_profile, store, cause, _now)

    return inbox.consume(event, handle)


def upload_of(message: inbox.BusEvent) -> Upload:
    """The upload that S3 announces. Raises Poison for any other event."""
    if (message.source, message.type) != ("aws.s3", "Object Created"):
        raise Poison("unknown-type", f"{message.source} {message.type}")
    detail: ObjectCreated = message.parse(ObjectCreated)
    return Upload(
        source=SourceObject(
            bucket=detail.bucket.name,
            key=detail.object.key,
            etag=detail.object.etag,
            version_id=detail.object.version_id,
        ),
        size=detail.object.size,
        sequencer=detail.object.sequencer,
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
