"""From a basket to an order: one transaction, one order, however often it is asked for."""

import datetime as dt
import secrets

from lambdas.basket.basket_store import BasketChanged, BasketStore
from lambdas.basket.domain import Refused, emptied, order_lines
from lambdas.basket.view import view_of
from lambdas.contracts.baskets import BasketCheckedOutV1
from lambdas.contracts.money import Money
from lambdas.core.etag import Precondition
from lambdas.core.http import FieldError, Problem
from lambdas.core.outbox import Cause


def check_out(
    customer_id: str,
    email: str,
    payment_token: str,
    expected_total: Money | None,
    precondition: Precondition,
    store: BasketStore,
    *,
    cause: Cause,
    now: dt.datetime,
) -> BasketCheckedOutV1:
    """Turn the basket into an order; returns what was ordered, the same for the same cause.

    Raises a 409 Problem for a basket that cannot be ordered as it is, that costs more than
    `expected_total`, or that changes meanwhile; 412 for an unmet precondition; 422 for a cause
    that asked for another e-mail, payment or total before.
    """
    basket = store.basket(customer_id)
    # Looked up after the basket: whoever emptied it left the event with it.
    before = store.checked_out(customer_id, cause)
    if before is not None:
        return _same_order(before, email, payment_token, expected_total)
    offers = store.offers(basket.quantities)
    precondition.require(basket.version, view_of(basket, offers).tag)
    try:
        # Prices are those of this moment. Checking them again in the transaction would make all
        # shoppers who buy the same product at once fail each other.
        lines, total = order_lines(basket, offers)
    except Refused as refused:
        raise _not_orderable(refused) from refused
    if not _affordable(total, expected_total):
        raise _dearer(total)
    order = BasketCheckedOutV1(
        order_id=_new_order_id(),
        customer_id=customer_id,
        email=email,
        lines=lines,
        total=total,
        payment_token=payment_token,
    )
    try:
        store.check_out(emptied(basket), order, cause=cause, now=now)
    except BasketChanged:
        before = store.checked_out(customer_id, cause)
        if before is not None:
            return _same_order(before, email, payment_token, expected_total)
        # Not tried again: what is in the basket now is not what the customer looked at.
        raise Problem(
            409, "Basket changed", "the basket changed while it was checked out"
        ) from None
    return order


def _new_order_id() -> str:
    """96 random bits, kept for the cause by the event.

    The basket's version would not do: it goes back when the table is restored, and the next order
    would have the id of one that there is already.
    """
    return f"ord_{secrets.token_hex(12)}"


def _same_order(
    before: BasketCheckedOutV1, email: str, payment_token: str, expected_total: Money | None
) -> BasketCheckedOutV1:
    same = (before.email, before.payment_token) == (email, payment_token)
    if not same or not _affordable(before.total, expected_total):
        raise Problem(
            422,
            "Idempotency-Key reused",
            "this Idempotency-Key came with another body before",
        )
    return before


def _affordable(total: Money, expected: Money | None) -> bool:
    """Whether the customer agreed to as much. What became cheaper, nobody has to agree to again."""
    if expected is None:
        return True
    return total.currency == expected.currency and total.amount <= expected.amount


def _dearer(total: Money) -> Problem:
    detail = f"the basket costs {total.amount} {total.currency} (minor units) by now"
    errors = [FieldError(pointer="/expected_total", detail=detail)]
    return Problem(409, "Price changed", detail, errors=errors)


def _not_orderable(refused: Refused) -> Problem:
    errors = [
        FieldError(pointer=f"/lines/{product_id}", detail=reason)
        for product_id, reason in refused.lines.items()
    ]
    return Problem(409, "Basket cannot be ordered", refused.detail, errors=errors)
