"""Events of the image pipeline: what became of an uploaded file."""

from typing import ClassVar

import msgspec

from lambdas.contracts.event import Event


class SourceObject(msgspec.Struct, frozen=True, kw_only=True):
    """The uploaded object, down to the bytes: `etag` (and `version_id`, on a versioned bucket)."""

    bucket: str
    key: str
    etag: str
    version_id: str | None = None


class RenditionObject(msgspec.Struct, frozen=True, kw_only=True):
    """One picture made from the source: `width` x `height` pixels, `bytes` long, under `key`."""

    name: str
    format: str
    width: int
    height: int
    bytes: int
    key: str


class ImageRenderedV1(Event, frozen=True, kw_only=True):
    """Every rendition of an upload is in the renditions bucket and in the manifest."""

    TYPE: ClassVar[str] = "image.rendered.v1"
    SOURCE: ClassVar[str] = "millrace.image-pipeline"

    source: SourceObject
    renditions_bucket: str
    renditions: tuple[RenditionObject, ...]
    metadata: dict[str, str | int | float | bool | None]


class ImageRejectedV1(Event, frozen=True, kw_only=True):
    """An upload cannot become renditions. It is the file's fault, so it is not tried again."""

    TYPE: ClassVar[str] = "image.rejected.v1"
    SOURCE: ClassVar[str] = "millrace.image-pipeline"

    source: SourceObject
    reason: str
    """A word to act on, such as "not-an-image"."""
    detail: str
