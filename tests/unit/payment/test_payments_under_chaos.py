"""Approvals and cancellations of one order, duplicated, interleaved and killed at any step."""

import datetime as dt
from collections import Counter
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lambdas.contracts.codec import Published
from lambdas.contracts.event import Meta
from lambdas.contracts.money import Money
from lambdas.contracts.orders import OrderApprovedV1, OrderCancelledV1
from lambdas.payment.payments import Payments
from lambdas.payment.ports import GatewayUnavailable
from tests.unit.payment.fakes import BookkeepingGateway, Killed, MemoryPayments, Task, Turns

TOTAL = Money(amount=4990, currency="EUR")
NOW = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)


def meta(event_id: str) -> Meta:
    return Meta(
        id=event_id,
        time="2026-11-21T09:30:15.123Z",
        correlation_id="c-1",
        causation_id="x",
        subject="order/o",
        sequence=1,
    )


def approved(token: str) -> Published[OrderApprovedV1]:
    data = OrderApprovedV1(order_id="o", customer_id="u", total=TOTAL, payment_token=token)
    return Published(meta=meta("approved"), data=data)


def cancelled() -> Published[OrderCancelledV1]:
    data = OrderCancelledV1(
        order_id="o", customer_id="u", email="a@b.c", reason="timed-out", detail="", total=TOTAL
    )
    return Published(meta=meta("cancelled"), data=data)


class Chaos(RuleBasedStateMachine):
    """Any number of deliveries run at once, each stopping before and after every effect."""

    def __init__(self) -> None:
        super().__init__()
        self.gateway, self.store = BookkeepingGateway(), MemoryPayments()
        gateway: Any = Turns(self.gateway)
        store: Any = Turns(self.store)
        self.payments = Payments(store, gateway, lambda: NOW)
        self.tasks: list[tuple[str, Task]] = []
        self.queued: list[str] = []
        self.sent: set[str] = set()

    @initialize(token=st.sampled_from(["tok_approve", "tok_decline"]))
    def choose_card(self, token: str) -> None:
        self.token = token

    @precondition(lambda self: len(self.tasks) < 3)
    @rule(kind=st.sampled_from(["approved", "cancelled"]))
    def deliver(self, kind: str) -> None:
        self.sent.add(kind)
        self.tasks.append((kind, Task(lambda: self.handle(kind))))

    @precondition(lambda self: self.tasks)
    @rule(
        which=st.integers(0, 2),
        turns=st.integers(1, 12),
        fault=st.sampled_from([None, None, None, None, Killed(), GatewayUnavailable("lost")]),
    )
    def advance(self, which: int, turns: int, fault: BaseException | None) -> None:
        """One delivery goes on for some turns, and then perhaps fails where it stands."""
        kind, task = self.tasks[which % len(self.tasks)]
        for turn in range(turns):
            if not task.done:
                task.step(fault if turn == turns - 1 else None)
        if task.done:
            self.tasks.remove((kind, task))
            self.judge(kind, task)

    def judge(self, kind: str, task: Task) -> None:
        """A delivery that failed stays in the queue; one that did not is gone for good."""
        assert task.error is None or isinstance(task.error, Killed | GatewayUnavailable)
        if task.error is not None:
            self.queued.append(kind)

    @invariant()
    def money_is_taken_at_most_once_and_given_back_at_most_once(self) -> None:
        assert self.gateway.captured in (0, TOTAL.amount)
        assert self.gateway.refunded in (0, self.gateway.captured)

    @invariant()
    def each_event_is_told_at_most_once(self) -> None:
        assert max(Counter(type(event) for event in self.store.events).values(), default=1) == 1

    def handle(self, kind: str) -> None:
        if kind == "approved":
            self.payments.approve(approved(self.token))
        else:
            self.payments.cancel(cancelled())

    def teardown(self) -> None:
        """What runs ends, the queue is worked off; then the books must be right."""
        for kind, task in self.tasks:
            while not task.done:
                task.step()
            self.judge(kind, task)
        for kind in self.queued:
            self.handle(kind)
        self.money_is_taken_at_most_once_and_given_back_at_most_once()
        self.each_event_is_told_at_most_once()
        told = {event.TYPE for event in self.store.events}
        kept = self.gateway.captured - self.gateway.refunded
        took_it_for_good = "payment.captured.v1" in told and "cancelled" not in self.sent
        assert kept == (TOTAL.amount if took_it_for_good else 0)
        assert ("payment.captured.v1" in told) == (self.gateway.captured > 0)
        assert ("payment.refunded.v1" in told) == (self.gateway.refunded > 0)
        if self.sent == {"approved"}:
            wanted = "declined.v2" if self.token == "tok_decline" else "captured.v1"
            assert told == {f"payment.{wanted}"}


TestChaos = Chaos.TestCase
# Not shrunk: each try costs threads, and the unshrunk history is short enough to read.
TestChaos.settings = settings(
    max_examples=120,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
