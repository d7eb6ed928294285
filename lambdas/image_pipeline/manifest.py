"""What the pipeline says of one uploaded object: the manifest, and when it may replace another."""

import hashlib
from typing import Literal

import msgspec

from lambdas.contracts.images import RenditionObject, SourceObject


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """One upload of one key. `sequencer` orders the uploads of a key, and means nothing else."""

    source: SourceObject
    size: int
    sequencer: str

    @property
    def is_folder(self) -> bool:
        """Whether a tool only wanted to show an empty folder, which S3 does not have.

        The S3 console puts an object without bytes under `a/b/`, Hadoop one under `a/b_$folder$`.
        """
        return self.size == 0 and self.source.key.endswith(("/", "_$folder$"))

    @property
    def subject(self) -> str:
        return f"image/{self.source.key}"

    def id_for(self, fingerprint: str) -> str:
        """The same for every delivery of this upload's event, rendered by the same profile."""
        parts = (self.source.bucket, self.source.key, self.sequencer, fingerprint)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for an upload, as `millrace images show` prints it."""

    status: Literal["rendered", "rejected"]
    source: SourceObject
    reason: str | None = None
    detail: str | None = None
    renditions: tuple[RenditionObject, ...] = ()
    metadata: dict[str, str | int | float | bool | None] = {}


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded for a key by now: of which upload, by which profile, the how-manieth."""

    sequencer: str
    fingerprint: str
    revision: int


def settles(recorded: Recorded | None, upload: Upload, fingerprint: str) -> bool:
    """Whether what is recorded makes this upload's outcome moot.

    It does when it tells of a later upload of the key, or of this very one by the same profile.
    """
    if recorded is None:
        return False
    known, given = _padded(recorded.sequencer), _padded(upload.sequencer)
    return known > given or (known == given and recorded.fingerprint == fingerprint)


def _padded(sequencer: str) -> str:
    """Sequencers compare as hexadecimal strings, the shorter padded on the right with zeros.

    Source: Amazon S3 User Guide, "Event message structure".
    """
    return sequencer.upper().ljust(64, "0")
