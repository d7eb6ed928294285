"""Rules as data, facts about an order, and the score that follows. Pure: no clock, no table.

A ruleset says what looks like fraud; nothing here knows any rule. Every time is an event's own,
so the same events give the same answers, today or replayed next year.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec

from lambdas.contracts.fraud import RuleHit

Number = Literal[
    "order.total",
    "order.lines",
    "order.pieces",
    "order.max_quantity",
    "order.hour",
    "customer.orders_1h",
    "customer.orders_24h",
    "customer.amount_24h",
    "customer.declines_24h",
    "token.customers_24h",
]
"""Facts that are numbers; amounts count the minor unit of the order's currency, hours are UTC."""

Text = Literal["order.currency", "order.email_domain"]
"""Facts that are words, in lower case but for the currency."""

Operator = Literal["lt", "lte", "gt", "gte", "eq", "in"]

Facts = Mapping[str, int | str]
"""What is known of an order: a value for every Number and Text."""

_TESTS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "lt": ("<", operator.lt),
    "lte": ("<=", operator.le),
    "gt": (">", operator.gt),
    "gte": (">=", operator.ge),
    "eq": ("=", operator.eq),
}


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One comparison: a number with `value`, or any fact with the list `values` ("in")."""

    field: Number | Text
    op: Operator
    value: int | None = None
    values: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if (self.op == "in") != (self.value is None) or (self.op == "in") == (self.values is None):
            raise ValueError(f"{self.field}: `in` wants `values`, any other operator `value`")
        if self.op != "in" and self.field in get_args(Text):
            raise ValueError(f"{self.field} is no number: it can only be `in` a list")

    def holds(self, facts: Facts) -> bool:
        """Whether it is so."""
        fact = facts[self.field]
        if self.op == "in":
            return str(fact) in (self.values or ())
        return _TESTS[self.op][1](fact, self.value)

    def why(self, facts: Facts) -> str:
        """In words, e.g. "customer.orders_1h is 7 (>= 5)"."""
        wanted = (
            f"in {', '.join(self.values or ())}"
            if self.op == "in"
            else f"{_TESTS[self.op][0]} {self.value}"
        )
        return f"{self.field} is {facts[self.field]} ({wanted})"


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Points for an order to which all conditions apply; in shadow it is told but not counted."""

    id: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]+$", max_length=64)]
    points: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    when: Annotated[tuple[Condition, ...], msgspec.Meta(min_length=1, max_length=8)]
    mode: Literal["live", "shadow"] = "live"


class Ruleset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rules of one version. An order whose points reach the threshold is flagged."""

    version: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    threshold: Annotated[int, msgspec.Meta(ge=1)]
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        names = [rule.id for rule in self.rules]
        if len(set(names)) < len(names):
            raise ValueError(f"two rules of one id among {sorted(names)}")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The points of the live rules that applied, and every rule that applied."""

    score: int
    hits: tuple[RuleHit, ...]
    flagged: bool


def judge(facts: Facts, ruleset: Ruleset) -> Verdict:
    """What the rules say of an order."""
    hits = tuple(
        RuleHit(
            rule=rule.id,
            points=rule.points,
            why=" and ".join(condition.why(facts) for condition in rule.when),
            shadow=rule.mode == "shadow",
        )
        for rule in ruleset.rules
        if all(condition.holds(facts) for condition in rule.when)
    )
    score = sum(hit.points for hit in hits if not hit.shadow)
    return Verdict(score=score, hits=hits, flagged=score >= ruleset.threshold)
