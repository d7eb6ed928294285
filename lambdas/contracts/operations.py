"""What an operator did to the platform by hand: the audit trail. Payloads are never repeated."""

from typing import ClassVar, Literal

from lambdas.contracts.event import Event

_SOURCE = "millrace.operations"

RedriveOutcome = Literal["completed", "interrupted", "abandoned"]


class DeadLetterRedrivenV1(Event, frozen=True, kw_only=True):
    """Dead letters of an inbox were sent to it again.

    The counts are those of the whole run, what was done before a kill included. `filters` are the
    options as typed; `native` says that SQS moved the messages itself, so types are not known.
    """

    TYPE: ClassVar[str] = "dead_letter.redriven.v1"
    SOURCE: ClassVar[str] = _SOURCE

    run_id: str
    inbox: str
    by: str
    filters: dict[str, str]
    native: bool
    outcome: RedriveOutcome
    sent: int
    sent_by_type: dict[str, int]
    perhaps_sent_twice: int


class DeadLetterEditedV1(Event, frozen=True, kw_only=True):
    """One dead letter was sent to its inbox again with another body; digests are of the bodies."""

    TYPE: ClassVar[str] = "dead_letter.edited.v1"
    SOURCE: ClassVar[str] = _SOURCE

    inbox: str
    message_id: str
    sent_as: str
    event_type: str
    by: str
    sha256_before: str
    sha256_after: str


class DeadLetterDroppedV1(Event, frozen=True, kw_only=True):
    """One dead letter was taken out for good; it is kept under `key` in `bucket`."""

    TYPE: ClassVar[str] = "dead_letter.dropped.v1"
    SOURCE: ClassVar[str] = _SOURCE

    inbox: str
    message_id: str
    event_type: str
    by: str
    reason: str
    bucket: str
    key: str
