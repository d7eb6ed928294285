"""What every event is made of: the payload's base class, and the meta data around it.

On the bus an event has `source = "millrace.<service>"`, `detail-type = "<noun>.<past-verb>.v<N>"`
and `detail = {"meta": {...}, "data": {...}}`. The type token is also the name of the schema file,
of the stored type and of the metric dimension.
"""

from typing import ClassVar

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of one type and version. Subclasses set TYPE, SOURCE and their fields.

    Consumers ignore unknown fields, so a new optional field keeps the version; any other change
    is a new class with the next version and an upcaster.
    """

    TYPE: ClassVar[str] = ""
    SOURCE: ClassVar[str] = ""


class Meta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an event comes from and where it belongs."""

    id: str
    """Deterministic where the cause is: the same cause, the same id, so consumers can dedupe."""
    time: str
    """RFC 3339, UTC, milliseconds."""
    correlation_id: str
    """The same for everything that follows from one request or upload."""
    causation_id: str
    """The id of the event or request that directly caused this one."""
    subject: str
    """The aggregate: "order/01J...", "image/holiday/beach.jpg"."""
    sequence: int
    """Its position among the subject's events; compare only within one subject."""
    trace: str | None = None
    """The X-Ray trace header of the producer, so that one trace spans every hop."""
