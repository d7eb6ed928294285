"""Events of the fraud check: a score that says how it came about."""

from typing import ClassVar

import msgspec

from lambdas.contracts.event import Event

_SOURCE = "millrace.fraud"


class RuleHit(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that applied; one in shadow is told but does not count."""

    rule: str
    points: int
    why: str
    shadow: bool = False


class FraudClearedV1(Event, frozen=True, kw_only=True):
    """The order's score is below the threshold."""

    TYPE: ClassVar[str] = "fraud.cleared.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    score: int
    hits: tuple[RuleHit, ...]
    ruleset: str


class FraudFlaggedV1(Event, frozen=True, kw_only=True):
    """The order's score reaches the threshold."""

    TYPE: ClassVar[str] = "fraud.flagged.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    score: int
    hits: tuple[RuleHit, ...]
    ruleset: str
