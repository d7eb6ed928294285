"""A message of a dead-letter queue, and what today's contracts make of it."""

import datetime as dt
from typing import Any, Literal

import msgspec

from lambdas.contracts.codec import UNDECODABLE
from lambdas.contracts.registry import BY_TYPE
from lambdas.core.errors import Poison
from lambdas.core.inbox import event_in, published_in

UNREADABLE = "(unreadable)"
"""Stands for the type of what is no event of a bus."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message as SQS gave it; `receipt` is good until the next receive."""

    id: str
    receipt: str
    body: str
    system: dict[str, str] = {}
    attributes: dict[str, dict[str, Any]] = {}

    @classmethod
    def of(cls, message: dict[str, Any]) -> "DeadLetter":
        return cls(
            id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            system=message.get("Attributes", {}),
            attributes=message.get("MessageAttributes", {}),
        )

    @property
    def sent_at(self) -> dt.datetime:
        """When it first came into a queue, UTC: a move to the dead-letter queue keeps the time."""
        milliseconds = int(self.system.get("SentTimestamp", "0"))
        return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)

    @property
    def receives(self) -> int:
        return int(self.system.get("ApproximateReceiveCount", "0"))

    @property
    def trace(self) -> str | None:
        """The X-Ray header that travels with it."""
        return self.system.get("AWSTraceHeader")

    @property
    def group(self) -> str | None:
        return self.system.get("MessageGroupId")

    @property
    def delivery_error(self) -> str | None:
        """Why a rule could not deliver it; None when it was a consumer that failed."""
        return self.attributes.get("ERROR_CODE", {}).get("StringValue")


Kind = Literal["current", "old", "foreign", "poison"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What today's contracts say of a body.

    `current` and `old` decode, an old version as `newest`; `foreign` is an event of AWS itself,
    for which there is no contract; `poison` cannot be handled, for `reason`.
    """

    type: str
    kind: Kind
    newest: str | None = None
    reason: str | None = None
    detail: str | None = None
    event_id: str | None = None
    subject: str | None = None
    correlation_id: str | None = None


def judge(body: str) -> Verdict:
    """Decode a body as its consumer would today."""
    try:
        event = event_in(body)
    except Poison as poison:
        return _poison(UNREADABLE, poison)
    if not event.source.startswith("millrace.") and event.type not in BY_TYPE:
        return Verdict(type=event.type, kind="foreign", event_id=event.id)
    try:
        published = published_in(event)
    except Poison as poison:
        return _poison(event.type, poison)
    except ValueError as error:
        return _poison(event.type, Poison("undecodable", str(error)))
    newest = published.data.TYPE
    return Verdict(
        type=event.type,
        kind="current" if newest == event.type else "old",
        newest=newest,
        event_id=published.meta.id,
        subject=published.meta.subject,
        correlation_id=published.meta.correlation_id,
    )


def _poison(kind: str, poison: Poison) -> Verdict:
    return Verdict(type=kind, kind="poison", reason=poison.reason, detail=poison.detail)


class Said(msgspec.Struct, frozen=True, rename={"type": "detail-type"}):
    """Who a body says it is from, and what it is; what it does not say is None."""

    source: str | None = None
    type: str | None = None


def said(body: str) -> Said:
    """As much as can be read of a body that may be broken."""
    try:
        return msgspec.json.decode(body, type=Said)
    except UNDECODABLE:
        return Said()
