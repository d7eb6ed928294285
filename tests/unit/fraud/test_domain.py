"""Rules are data: which are accepted, when they apply, what they come to."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.fraud.domain import Condition, Facts, Number, Ruleset, Text, judge
from lambdas.fraud.velocity import facts
from tests.shop_events import NOON
from tests.unit.fraud.stories import RULESET, order, ruleset

CALM: Facts = facts(order(), NOON, [], [])


def condition(field: str, op: str, value: Any = None, values: Any = None) -> Condition:
    given = {"field": field, "op": op, "value": value, "values": values}
    return msgspec.convert({k: v for k, v in given.items() if v is not None}, Condition)


def test_every_fact_that_a_rule_may_name_is_known_of_every_order() -> None:
    assert set(CALM) == {*get_args(Number), *get_args(Text)}
    assert all(isinstance(CALM[name], int) for name in get_args(Number))
    assert all(isinstance(CALM[name], str) for name in get_args(Text))


@pytest.mark.parametrize(
    ("op", "below", "same", "above"),
    [
        ("lt", True, False, False),
        ("lte", True, True, False),
        ("eq", False, True, False),
        ("gte", False, True, True),
        ("gt", False, False, True),
    ],
)
def test_an_operator_compares_as_its_name_says(
    op: str, below: bool, same: bool, above: bool
) -> None:
    rule = condition("order.total", op, 1000)
    held = [rule.holds({**CALM, "order.total": total}) for total in (999, 1000, 1001)]
    assert held == [below, same, above]


def test_words_and_numbers_can_be_in_a_list() -> None:
    assert condition("order.currency", "in", values=["USD", "EUR"]).holds(CALM)
    assert not condition("order.currency", "in", values=["USD"]).holds(CALM)
    assert condition("order.email_domain", "in", values=["example.com"]).holds(CALM)
    assert condition("order.hour", "in", values=["11", "12"]).holds(CALM)


@pytest.mark.parametrize(
    ("field", "op", "value", "values"),
    [
        ("order.colour", "gt", 1, None),
        ("order.total", "about", 1, None),
        ("order.total", "gt", None, None),
        ("order.total", "gt", 1, ["1"]),
        ("order.total", "gt", "1", None),
        ("order.total", "gt", 1.5, None),
        ("order.total", "in", 1, None),
        ("order.total", "in", None, [1]),
        ("order.currency", "eq", 1, None),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(
    field: str, op: str, value: Any, values: Any
) -> None:
    with pytest.raises(msgspec.ValidationError):
        condition(field, op, value, values)


RULE = RULESET["rules"][0]


@pytest.mark.parametrize(
    "broken",
    [
        {"threshold": 0},
        {"version": ""},
        {"rules": [RULE, RULE]},
        {"rules": [{**RULE, "points": 0}]},
        {"rules": [{**RULE, "when": []}]},
        {"rules": [{**RULE, "mode": "asleep"}]},
        {"rules": [{**RULE, "note": "unknown"}]},
        {"rules": [{**RULE, "id": "Not Kebab"}]},
    ],
    ids=str,
)
def test_a_ruleset_that_makes_no_sense_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        ruleset(**broken)


def test_an_order_that_reaches_the_threshold_is_flagged_and_says_why() -> None:
    verdict = judge({**CALM, "order.total": 100_000, "order.max_quantity": 12}, ruleset())
    assert (verdict.score, verdict.flagged) == (80, True)
    assert [(hit.rule, hit.why) for hit in verdict.hits] == [
        ("dear-and-many", "order.total is 100000 (>= 100000) and order.max_quantity is 12 (>= 10)")
    ]


def test_a_rule_of_two_conditions_wants_both() -> None:
    verdict = judge({**CALM, "order.total": 100_000, "order.max_quantity": 9}, ruleset())
    assert (verdict.score, verdict.hits, verdict.flagged) == (0, (), False)


def test_a_rule_in_shadow_is_told_and_not_counted() -> None:
    verdict = judge({**CALM, "order.hour": 3}, ruleset())
    assert [(hit.rule, hit.points, hit.shadow) for hit in verdict.hits] == [("night", 500, True)]
    assert (verdict.score, verdict.flagged) == (0, False)


@given(
    st.fixed_dictionaries(
        {
            "customer.orders_1h": st.integers(1, 5),
            "customer.declines_24h": st.integers(0, 4),
            "token.customers_24h": st.integers(1, 5),
            "order.total": st.integers(0, 200_000),
            "order.max_quantity": st.integers(1, 20),
            "order.hour": st.integers(0, 23),
        }
    )
)
def test_the_score_is_what_its_live_hits_add_up_to(known: dict[str, int]) -> None:
    verdict = judge({**CALM, **known}, ruleset())
    assert verdict.score == sum(hit.points for hit in verdict.hits if not hit.shadow)
    assert verdict.flagged == (verdict.score >= 80)
    without_shadow = Ruleset(
        version="live",
        threshold=80,
        rules=tuple(rule for rule in ruleset().rules if rule.mode == "live"),
    )
    assert judge({**CALM, **known}, without_shadow).score == verdict.score
