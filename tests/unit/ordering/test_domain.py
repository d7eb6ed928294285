"""The order and its process manager: each fact's effect, and every order of arrival."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.contracts.event import Event
from lambdas.contracts.money import Money
from lambdas.contracts.orders import (
    OrderApprovedV1,
    OrderCancelledV1,
    OrderConfirmedV1,
    OrderFraudClearedV1,
    OrderPlacedV1,
    OrderStockReservedV1,
)
from lambdas.core.errors import Poison
from lambdas.ordering import domain
from lambdas.ordering.domain import FINAL, Fact, IllegalTransition, Order, TooEarly, decide, evolve
from tests.unit.ordering.shop import (
    LINES,
    ORDER,
    TOTAL,
    Shop,
    captured,
    checked_out,
    cleared,
    declined,
    flagged,
    rejected,
    reserved,
    tell,
    timed_out,
)

PAYLOADS = Path(__file__).parents[2] / "payloads" / "events"


def tokens(events: list[Event]) -> list[str]:
    return [event.TYPE for event in events]


@pytest.mark.parametrize("kind", domain._FOLLOWS, ids=lambda kind: str(kind.TYPE))
def test_every_event_of_an_order_changes_it_in_every_status_it_may_happen_in(
    kind: type[Event],
) -> None:
    example = json.loads((PAYLOADS / f"{kind.TYPE}.json").read_text())["data"]
    assert domain._FOLLOWS[kind]
    for status in domain._FOLLOWS[kind]:
        before = Order(status=status)
        assert evolve(before, msgspec.convert(example, kind)) != before


def test_an_event_that_nobody_wrote_a_case_for_is_illegal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OrderTeleportedV1(Event, frozen=True, kw_only=True):
        TYPE = "order.teleported.v1"

    follows: dict[Any, Any] = {**domain._FOLLOWS, OrderTeleportedV1: frozenset({"placed"})}
    monkeypatch.setattr(domain, "_FOLLOWS", follows)
    for order in (Order(status="placed"), Order(status="confirmed")):
        with pytest.raises(IllegalTransition, match=r"order\.teleported\.v1"):
            evolve(order, OrderTeleportedV1())


def test_a_checked_out_basket_becomes_an_order_with_all_it_says() -> None:
    order, events = tell(checked_out())
    assert tokens(events) == ["order.placed.v1"]
    assert (order.status, order.order_id, order.customer_id) == ("placed", ORDER, "ada")
    assert (order.lines, order.total, order.payment_token) == (LINES, TOTAL, "tok_approve")


@pytest.mark.parametrize("checks", [(reserved(), cleared()), (cleared(), reserved())])
def test_the_last_of_both_checks_approves_whichever_it_is(checks: tuple[Any, ...]) -> None:
    order, events = tell(checked_out(), *checks)
    assert order.status == "approved"
    assert tokens(events)[-1] == "order.approved.v1"
    assert events[-1] == OrderApprovedV1(
        order_id=ORDER, customer_id="ada", total=TOTAL, payment_token="tok_approve"
    )


def test_one_check_alone_approves_nothing() -> None:
    assert tell(checked_out(), reserved())[0].status == "placed"
    assert tell(checked_out(), cleared())[0].status == "placed"


def test_captured_money_confirms() -> None:
    order, events = tell(checked_out(), reserved(), cleared(), captured())
    assert order.status == "confirmed"
    assert events[-1] == OrderConfirmedV1(
        order_id=ORDER,
        customer_id="ada",
        email="ada@example.com",
        lines=LINES,
        total=TOTAL,
        payment_id="pay_1",
    )


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ([rejected()], "out-of-stock"),
        ([cleared(), rejected()], "out-of-stock"),
        ([flagged()], "fraud"),
        ([reserved(), flagged()], "fraud"),
        ([reserved(), cleared(), declined()], "payment-declined"),
        ([timed_out()], "timed-out"),
        ([reserved(), cleared(), timed_out()], "timed-out"),
    ],
)
def test_every_refusal_and_time_out_cancels_with_its_reason(facts: list[Fact], reason: str) -> None:
    order, events = tell(checked_out(), *facts)
    assert order.status == "cancelled"
    assert isinstance(events[-1], OrderCancelledV1)
    assert events[-1].reason == reason
    assert events[-1].detail


def test_a_cancellation_does_not_tell_the_fraud_rules() -> None:
    cancelled = tell(checked_out(), flagged())[1][-1]
    assert isinstance(cancelled, OrderCancelledV1)
    assert "90" not in cancelled.detail


FACTS: list[Any] = [
    checked_out(), reserved(), rejected(), cleared(), flagged(), captured(), declined(),
    timed_out(),
]  # fmt: skip


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
@pytest.mark.parametrize(
    "ended",
    [tell(checked_out(), reserved(), cleared(), captured())[0], tell(checked_out(), flagged())[0]],
    ids=lambda order: str(order.status),
)
def test_nothing_follows_the_end(ended: Order, fact: Fact) -> None:
    assert ended.status in FINAL
    assert decide(ended, fact) == ()


@pytest.mark.parametrize("fact", FACTS[1:], ids=lambda fact: type(fact).__name__)
def test_a_fact_that_comes_before_the_order_is_tried_again(fact: Fact) -> None:
    with pytest.raises(TooEarly):
        decide(Order(), fact)


def test_money_for_an_order_not_yet_approved_is_tried_again() -> None:
    with pytest.raises(TooEarly):
        decide(tell(checked_out(), reserved())[0], captured())


def test_another_amount_than_the_orders_total_is_poison() -> None:
    approved = tell(checked_out(), reserved(), cleared())[0]
    with pytest.raises(Poison) as poison:
        decide(approved, captured(amount=Money(amount=1, currency="EUR")))
    assert poison.value.reason == "wrong-amount"


@pytest.mark.parametrize(
    "facts",
    [[reserved(), reserved()], [cleared(), cleared()], [reserved(), rejected()],
     [cleared(), flagged()], [declined()]],
)  # fmt: skip
def test_a_repeated_or_contradicting_answer_changes_nothing(facts: list[Any]) -> None:
    *before, last = facts
    assert decide(tell(checked_out(), *before)[0], last) == ()


EVENTS: dict[str, list[Event]] = {
    "none": [],
    "placed": tell(checked_out())[1],
    "approved": tell(checked_out(), reserved(), cleared())[1],
    "confirmed": tell(checked_out(), reserved(), cleared(), captured())[1],
    "cancelled": tell(checked_out(), flagged())[1],
}
LEGAL = {
    ("none", OrderPlacedV1),
    ("placed", OrderStockReservedV1),
    ("placed", OrderFraudClearedV1),
    ("placed", OrderApprovedV1),
    ("placed", OrderCancelledV1),
    ("approved", OrderConfirmedV1),
    ("approved", OrderCancelledV1),
}
ALL = {type(e): e for events in EVENTS.values() for e in events}


@pytest.mark.parametrize("event", ALL.values(), ids=lambda event: str(event.TYPE))
@pytest.mark.parametrize("status", EVENTS)
def test_only_legal_transitions_can_be_folded(status: str, event: Event) -> None:
    order = Order()
    for earlier in EVENTS[status]:
        order = evolve(order, earlier)
    assert order.status == status
    if (status, type(event)) in LEGAL:
        assert evolve(order, event) != order
    else:
        with pytest.raises(IllegalTransition):
            evolve(order, event)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), stock=st.booleans(), honest=st.booleans(), funds=st.booleans())
def test_any_interleaving_ends_once_and_undoes_what_it_must(
    data: st.DataObject, stock: bool, honest: bool, funds: bool
) -> None:
    """Duplicates, any order, time-outs at any moment; `evolve` refuses illegal transitions."""
    shop = Shop(stock=stock, honest=honest, funds=funds)
    for _ in range(data.draw(st.integers(0, 60), label="wild deliveries")):
        if not shop.inboxes:
            break
        if data.draw(st.integers(0, 9), label="dice") == 0:
            shop.time_out()
        index = data.draw(st.integers(0, len(shop.inboxes) - 1), label="message")
        shop.deliver(index, again=data.draw(st.booleans(), label="again"))
    _calm_down(shop)
    (end,) = shop.ends
    assert shop.history[-1] is end
    confirmed = isinstance(end, OrderConfirmedV1)
    assert shop.inventory.held == confirmed
    assert shop.payment.captured == confirmed
    if confirmed:
        assert stock and honest and funds  # noqa: PT018 (one statement about the outcome)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), stock=st.booleans(), honest=st.booleans(), funds=st.booleans())
def test_without_time_outs_the_outcome_is_what_the_services_said(
    data: st.DataObject, stock: bool, honest: bool, funds: bool
) -> None:
    shop = Shop(stock=stock, honest=honest, funds=funds)
    for _ in range(60):
        if shop.inboxes:
            index = data.draw(st.integers(0, len(shop.inboxes) - 1))
            shop.deliver(index, again=data.draw(st.booleans()))
    _calm_down(shop)
    assert (shop.order.status == "confirmed") == (stock and honest and funds)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), lost=st.sampled_from(["stock", "fraud", "payment"]))
def test_an_answer_that_never_comes_ends_in_a_time_out(data: st.DataObject, lost: str) -> None:
    shop = Shop(stock=True, honest=True, funds=True)
    sources = {"stock": "millrace.inventory", "fraud": "millrace.fraud"}
    source = sources.get(lost, "millrace.payment")
    while True:
        shop.inboxes = [
            (to, message)
            for to, message in shop.inboxes
            if getattr(message, "SOURCE", None) != source
        ]
        if not shop.inboxes:
            break
        shop.deliver(data.draw(st.integers(0, len(shop.inboxes) - 1)))
    assert shop.order.status not in FINAL
    shop.time_out()
    _calm_down(shop)
    assert [e.reason for e in shop.ends if isinstance(e, OrderCancelledV1)] == ["timed-out"]
    assert not shop.inventory.held
    assert not shop.payment.captured


def _calm_down(shop: Shop) -> None:
    """Deliver what waits, in turns, until nothing is left."""
    for _ in range(1000):
        if not shop.inboxes:
            return
        waiting = len(shop.inboxes)
        shop.deliver(0)
        if len(shop.inboxes) == waiting and shop.inboxes:
            shop.inboxes.append(shop.inboxes.pop(0))
    raise AssertionError("messages are waiting for ever")


@pytest.mark.parametrize("facts", [[], [reserved(), cleared()], [flagged()]])
@pytest.mark.parametrize(
    "change",
    [
        {"customer_id": "eve"},
        {"email": "eve@example.com"},
        {"lines": ()},
        {"payment_token": "tok_other"},
        {"total": Money(amount=1, currency="EUR")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_order_under_the_id_of_one_that_is_there_is_poison(
    facts: list[Any], change: dict[str, Any]
) -> None:
    order = tell(checked_out(), *facts)[0]
    assert decide(order, checked_out()) == ()
    with pytest.raises(Poison, match="other-order"):
        decide(order, msgspec.structs.replace(checked_out(), **change))


def test_money_of_another_amount_is_poison_even_after_the_end() -> None:
    confirmed = tell(checked_out(), reserved(), cleared(), captured())[0]
    assert decide(confirmed, captured()) == ()
    with pytest.raises(Poison, match="wrong-amount"):
        decide(confirmed, captured(amount=Money(amount=1, currency="EUR")))
