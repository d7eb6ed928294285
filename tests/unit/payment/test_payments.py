"""Approval and cancellation of an order, one after the other, and one in the midst of the other."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from lambdas.contracts.money import Money
from lambdas.core.errors import Poison
from lambdas.payment.domain import Outcome
from lambdas.payment.payments import Payments
from lambdas.payment.ports import Charge, GatewayUnavailable
from tests.unit.payment.fakes import BookkeepingGateway, MemoryPayments
from tests.unit.payment.test_payments_under_chaos import NOW, TOTAL, approved, cancelled


class World:
    def __init__(self) -> None:
        self.gateway, self.store = BookkeepingGateway(), MemoryPayments()
        self.payments = Payments(self.store, self.gateway, self.now)

    def now(self) -> dt.datetime:
        return NOW

    def approve(self, token: str = "tok_approve") -> None:
        self.payments.approve(approved(token))

    def cancel(self) -> None:
        self.payments.cancel(cancelled())

    def told(self) -> list[str]:
        return [event.TYPE for event in self.store.events]

    def money(self) -> tuple[int, int]:
        return self.gateway.captured, self.gateway.refunded

    def just_before(self, method: str, call: Callable[[], None]) -> None:
        """Once, when the gateway's `method` is called, something else happens first."""
        original = getattr(self.gateway, method)

        def first(*args: Any) -> Any:
            setattr(self.gateway, method, original)
            call()
            return original(*args)

        setattr(self.gateway, method, first)

    def lose_answer_of(self, method: str) -> None:
        """Once, the gateway does what is asked, and nobody hears of it."""
        original = getattr(self.gateway, method)

        def lost(*args: Any) -> Any:
            setattr(self.gateway, method, original)
            original(*args)
            raise GatewayUnavailable("timed out")

        setattr(self.gateway, method, lost)


@pytest.fixture
def world() -> World:
    return World()


def test_an_approved_order_is_charged_once_however_often_it_is_approved(world: World) -> None:
    for _ in range(3):
        world.approve()
    assert world.money() == (TOTAL.amount, 0)
    assert world.told() == ["payment.captured.v1"]


def test_a_declined_card_is_told_once_and_never_tried_again(world: World) -> None:
    world.approve("tok_decline")
    world.approve("tok_approve")
    assert world.money() == (0, 0)
    assert world.told() == ["payment.declined.v2"]


def test_a_cancelled_order_gets_its_money_back_once(world: World) -> None:
    world.approve()
    for _ in range(3):
        world.cancel()
    assert world.money() == (TOTAL.amount, TOTAL.amount)
    assert world.told() == ["payment.captured.v1", "payment.refunded.v1"]


def test_an_approval_that_comes_after_the_cancellation_takes_nothing(world: World) -> None:
    world.cancel()
    world.approve()
    assert world.money() == (0, 0)
    assert world.told() == []


def test_a_lost_answer_is_asked_for_again_with_the_same_key(world: World) -> None:
    world.lose_answer_of("capture")
    with pytest.raises(GatewayUnavailable):
        world.approve()
    assert world.told() == []
    world.approve()
    assert world.money() == (TOTAL.amount, 0)
    assert world.told() == ["payment.captured.v1"]


def test_a_lost_answer_to_a_refund_does_not_refund_twice(world: World) -> None:
    world.approve()
    world.lose_answer_of("refund")
    with pytest.raises(GatewayUnavailable):
        world.cancel()
    world.cancel()
    assert world.money() == (TOTAL.amount, TOTAL.amount)
    assert world.told() == ["payment.captured.v1", "payment.refunded.v1"]


def test_a_cancellation_heals_a_capture_whose_own_message_is_lost(world: World) -> None:
    world.lose_answer_of("capture")
    with pytest.raises(GatewayUnavailable):
        world.approve()
    world.cancel()
    assert world.money() == (TOTAL.amount, TOTAL.amount)
    assert world.told() == ["payment.captured.v1", "payment.refunded.v1"]


def test_a_cancellation_that_overtakes_a_capture_at_the_gateway_wins_for_good(
    world: World,
) -> None:
    world.just_before("capture", world.cancel)
    world.approve()
    world.approve()
    assert world.money() == (0, 0)
    assert world.told() == []


def test_a_capture_that_overtakes_its_cancellation_at_the_gateway_is_refunded(
    world: World,
) -> None:
    world.lose_answer_of("capture")
    with pytest.raises(GatewayUnavailable):
        world.approve()
    world.just_before("cancel", world.approve)
    world.cancel()
    assert world.money() == (TOTAL.amount, TOTAL.amount)
    assert world.told() == ["payment.captured.v1", "payment.refunded.v1"]


def test_the_intent_is_on_record_before_the_gateway_is_asked(world: World) -> None:
    seen: list[str] = []
    original = world.gateway.capture

    def looking(key: str, charge: Charge) -> Outcome:
        seen.extend(payment.status for payment in world.store.payments.values())
        return original(key, charge)

    world.gateway.capture = looking  # type: ignore[method-assign]
    world.approve()
    assert seen == ["capturing"]


@pytest.mark.parametrize("cancelled_first", [False, True])
def test_an_approval_of_another_amount_under_the_same_order_is_poison(
    world: World, cancelled_first: bool
) -> None:
    world.approve()
    if cancelled_first:
        world.cancel()
    before = world.money()
    other = approved("tok_approve")
    dearer = msgspec.structs.replace(other.data, total=Money(amount=1, currency="EUR"))
    with pytest.raises(Poison, match="other-amount"):
        world.payments.approve(msgspec.structs.replace(other, data=dearer))
    assert world.money() == before
