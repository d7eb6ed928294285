"""Archived events judged by another ruleset: the same answers whatever order they lie in."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.contracts.codec import Published
from lambdas.contracts.fraud import FraudClearedV1, FraudFlaggedV1
from lambdas.fraud.backtest import backtest
from tests.shop_events import published
from tests.unit.fraud.stories import RULESET, declined, placed, ruleset
from tests.unit.inventory.stories import created


def verdict(order_id: str, *, flagged: bool) -> Published[Any]:
    kind = FraudFlaggedV1 if flagged else FraudClearedV1
    data = kind(order_id=order_id, score=0, hits=(), ruleset="then")
    return published(data, f"order/{order_id}")


ARCHIVE = [
    placed("a1", minute=0),
    declined("a1", minute=1),
    placed("a2", minute=2),
    declined("a2", minute=3),
    placed("a3", minute=4),
    placed("b1", "bob", minute=5, token="tok_ada"),
    placed("c1", "cyd", minute=6, token="tok_ada"),
    placed("a4", minute=70),
    placed("a5", minute=26 * 60),
    verdict("a1", flagged=True),
    verdict("a3", flagged=False),
    verdict("c1", flagged=False),
]


def test_orders_are_judged_by_what_had_happened_by_then() -> None:
    report = backtest(ARCHIVE, ruleset())
    hits = {name: [hit.rule for hit in told.hits] for name, told in report.verdicts.items()}
    assert hits == {
        "a1": [],
        "a2": [],
        "a3": ["hasty", "declined-again"],
        "b1": [],
        "c1": ["shared-token"],
        "a4": ["declined-again", "shared-token"],
        "a5": [],
    }
    assert report.orders == 7
    assert report.flagged == ("a3", "a4")


def test_of_an_order_and_its_decline_in_the_same_millisecond_the_order_comes_first() -> None:
    customers = [f"c{number}" for number in range(8)]
    events = []
    for name in customers:
        for minute in (0, 70):
            events.append(placed(f"{name}-{minute}", name, minute=minute))
            events.append(declined(f"{name}-{minute}", minute=minute))
        events.append(placed(f"{name}-last", name, minute=140))
    verdicts = backtest(events, ruleset()).verdicts
    hits = [[hit.rule for hit in verdicts[f"{name}-last"].hits] for name in customers]
    assert hits == [["declined-again"]] * 8


def test_changes_against_the_verdicts_of_then_are_named() -> None:
    report = backtest(ARCHIVE, ruleset())
    assert (report.newly_flagged, report.newly_cleared) == (("a3",), ("a1",))


def test_each_rule_tells_how_often_it_hit_and_how_often_it_was_right() -> None:
    events = [*ARCHIVE, declined("a3", minute=8)]
    rules = backtest(events, ruleset()).rules
    assert set(rules) == {rule["id"] for rule in RULESET["rules"]}
    assert (rules["hasty"].hits, rules["hasty"].declined) == (1, 1)
    assert (rules["shared-token"].hits, rules["shared-token"].declined) == (2, 0)
    assert (rules["night"].hits, rules["night"].declined) == (0, 0)


@settings(deadline=None, max_examples=30)
@given(st.permutations([*ARCHIVE, ARCHIVE[0], ARCHIVE[3]]))
def test_neither_the_order_of_the_archive_nor_duplicates_change_the_report(
    events: list[Published[Any]],
) -> None:
    assert backtest(events, ruleset()) == backtest(ARCHIVE, ruleset())


def test_events_of_no_concern_are_ignored() -> None:
    assert backtest([created("tea")], ruleset()).orders == 0
