"""From one uploaded object to its outcome: renditions and a manifest, or a refusal."""

import datetime as dt
import hashlib
from collections.abc import Callable

from lambdas.contracts.images import RenditionObject
from lambdas.core import observability
from lambdas.core.outbox import Cause
from lambdas.image_pipeline.domain import ImageRejected, Profile, RejectionReason
from lambdas.image_pipeline.image_store import (
    ImageStore,
    SourceClosed,
    SourceGone,
    SourceTooLarge,
)
from lambdas.image_pipeline.manifest import Manifest, Upload, settles
from lambdas.image_pipeline.rendering import Rendition, render


def process(
    upload: Upload,
    profile: Profile,
    store: ImageStore,
    cause: Cause,
    now: Callable[[], dt.datetime],
) -> None:
    """Bring the key's manifest up to this upload. Any number of calls have the effect of one.

    Raises only for trouble that is not the file's fault, so that the upload is tried again.
    """
    fingerprint = profile.fingerprint
    if settles(store.recorded(upload), upload, fingerprint):
        observability.count("UploadsAlreadySettled")
        return
    try:
        manifest = _outcome(upload, profile, store)
    except SourceGone:
        # A later upload's or a deletion's event says what is true now.
        observability.count("UploadsGone")
        return
    if store.record(upload, manifest, fingerprint, cause, now()):
        observability.count(f"Images{manifest.status.title()}")


def _outcome(upload: Upload, profile: Profile, store: ImageStore) -> Manifest:
    try:
        with observability.step("read source"):
            content = store.read_source(upload, profile.limits.max_bytes)
        with observability.step("render"):
            rendered = render(content, profile)
    except SourceTooLarge as error:
        return _rejection(upload, RejectionReason.TOO_MANY_BYTES, str(error))
    except SourceClosed as error:
        return _rejection(upload, error.reason, str(error))
    except ImageRejected as error:
        return _rejection(upload, error.reason, error.detail)
    folder = f"{hashlib.sha256(content).hexdigest()[:40]}/{profile.fingerprint}"
    with observability.step("write renditions"):
        store.write_renditions(
            (_key(folder, rendition), rendition) for rendition in rendered.renditions
        )
    return Manifest(
        status="rendered",
        source=upload.source,
        renditions=tuple(_described(folder, rendition) for rendition in rendered.renditions),
        metadata=rendered.metadata,
    )


def _rejection(upload: Upload, reason: str, detail: str) -> Manifest:
    return Manifest(status="rejected", source=upload.source, reason=str(reason), detail=detail)


def _key(folder: str, rendition: Rendition) -> str:
    return f"{folder}/{rendition.name}.{rendition.format}"


def _described(folder: str, rendition: Rendition) -> RenditionObject:
    return RenditionObject(
        name=rendition.name,
        format=rendition.format,
        width=rendition.width,
        height=rendition.height,
        bytes=len(rendition.data),
        key=_key(folder, rendition),
    )
