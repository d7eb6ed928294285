"""Taking an order's money, and giving it back: each call works until nothing is left to do.

A step is on record before its effect (capturing, refunding) and settled after it. Whoever comes
between or after a crash goes on from the record, with the same idempotency key. Approval and
cancellation of one order may run at once: the gateway says which of capture and cancel came first.
"""

import datetime as dt
from collections.abc import Callable

from lambdas.contracts.codec import Published
from lambdas.contracts.orders import OrderApprovedV1, OrderCancelledV1
from lambdas.core import observability
from lambdas.core.errors import ConditionFailed, Poison
from lambdas.core.outbox import Cause
from lambdas.payment import domain
from lambdas.payment.domain import Change, Payment
from lambdas.payment.ports import Charge, PaymentGateway, PaymentStore


class Payments:
    def __init__(
        self, store: PaymentStore, gateway: PaymentGateway, now: Callable[[], dt.datetime]
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._now = now

    def approve(self, published: Published[OrderApprovedV1]) -> None:
        """Take the order's money, once. Raises GatewayUnavailable, Poison."""
        order, cause = published.data, Cause.of(published)
        payment = self._store.load(order.order_id)
        if payment is not None and payment.amount not in (None, order.total):
            raise Poison("other-amount", f"{order.order_id}: {order.total}, was {payment.amount}")
        while True:
            step = domain.after_approval(payment)
            if payment is None:
                change = domain.begun(order.order_id, order.total)
            elif step == "capture":
                charge = Charge(
                    order_id=order.order_id,
                    token=order.payment_token,
                    amount=domain.amount_of(payment),
                )
                with observability.step("capture"):
                    outcome = self._gateway.capture(domain.capture_key(order.order_id), charge)
                change = domain.settled(payment, outcome)
            else:
                return
            payment = self._record(change, cause)

    def cancel(self, published: Published[OrderCancelledV1]) -> None:
        """Leave nothing taken for the order, now or later. Raises GatewayUnavailable, Poison."""
        order_id, cause = published.data.order_id, Cause.of(published)
        payment = self._store.load(order_id)
        while True:
            step = domain.after_cancellation(payment)
            if payment is None:
                change = domain.tombstone(order_id)
            elif step == "cancel-capture":
                with observability.step("cancel capture"):
                    outcome = self._gateway.cancel(domain.capture_key(order_id))
                change = domain.settled(payment, outcome)
            elif step == "begin-refund":
                change = domain.refund_begun(payment)
            elif step == "refund":
                with observability.step("refund"):
                    self._gateway.refund(
                        domain.refund_key(order_id),
                        domain.reference_of(payment),
                        domain.amount_of(payment),
                    )
                change = domain.refunded(payment)
            else:
                return
            payment = self._record(change, cause)

    def _record(self, change: Change, cause: Cause) -> Payment | None:
        """The payment after the change; or as it is, when somebody else changed it first."""
        try:
            self._store.record(change, cause, self._now())
        except ConditionFailed as conflict:
            if not conflict.failed[0]:
                raise  # the event exists and the state it tells of does not: nothing to go on from
            observability.count("PaymentRacesLost")
            return self._store.load(change.payment.order_id)
        observability.count(f"Payments{change.payment.status.title()}")
        return change.payment
