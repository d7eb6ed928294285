"""The payment's own rules: which step follows, and what an outcome makes of it."""

from typing import get_args

import pytest

from lambdas.contracts.money import Money
from lambdas.contracts.payments import PaymentCapturedV1, PaymentDeclinedV2, PaymentRefundedV1
from lambdas.payment import domain
from lambdas.payment.domain import Cancelled, Captured, Declined, Payment, Status

AMOUNT = Money(amount=100, currency="EUR")


def payment(status: Status) -> Payment:
    return Payment(
        order_id="o", payment_id="p", status=status, amount=AMOUNT, gateway_reference="r"
    )


def test_an_approval_works_on_until_the_gateway_has_answered_and_no_longer() -> None:
    assert domain.after_approval(None) == "begin-capture"
    steps = {status: domain.after_approval(payment(status)) for status in get_args(Status)}
    assert steps.pop("capturing") == "capture"
    assert set(steps.values()) == {"nothing"}


def test_a_cancellation_works_on_until_nothing_is_held() -> None:
    assert domain.after_cancellation(None) == "void"
    steps = {status: domain.after_cancellation(payment(status)) for status in get_args(Status)}
    assert steps == {
        "capturing": "cancel-capture",
        "captured": "begin-refund",
        "refunding": "refund",
        "declined": "nothing",
        "refunded": "nothing",
        "voided": "nothing",
    }


def test_each_outcome_of_a_capture_is_told_by_its_event_and_a_cancelled_one_by_none() -> None:
    begun = domain.begun("o", AMOUNT).payment
    captured = domain.settled(begun, Captured("ref"))
    assert captured.event == PaymentCapturedV1(
        order_id="o", payment_id=begun.payment_id, amount=AMOUNT
    )
    assert (captured.payment.status, captured.payment.gateway_reference) == ("captured", "ref")
    declined = domain.settled(begun, Declined("card-expired", "old"))
    assert declined.event == PaymentDeclinedV2(order_id="o", code="card-expired", message="old")
    voided = domain.settled(begun, Cancelled())
    assert (voided.event, voided.payment.status) == (None, "voided")
    assert {c.payment.revision for c in (captured, declined, voided)} == {begun.revision + 1}


def test_a_refund_keeps_the_reference_and_tells_the_amount() -> None:
    captured = domain.settled(domain.begun("o", AMOUNT).payment, Captured("ref")).payment
    done = domain.refunded(domain.refund_begun(captured).payment)
    assert (done.payment.status, done.payment.gateway_reference) == ("refunded", "ref")
    assert done.event == PaymentRefundedV1(
        order_id="o", payment_id=captured.payment_id, amount=AMOUNT
    )


def test_keys_and_ids_of_different_orders_never_meet() -> None:
    for of in (domain.capture_key, domain.refund_key, domain.payment_id):
        assert of("a") != of("b")
    assert domain.capture_key("a") != domain.refund_key("a")


def test_a_payment_without_what_its_status_promises_is_not_guessed_at() -> None:
    with pytest.raises(domain.BrokenPayment, match="without an amount"):
        domain.amount_of(domain.tombstone("o").payment)
    with pytest.raises(domain.BrokenPayment, match="without a reference"):
        domain.reference_of(domain.begun("o", AMOUNT).payment)
