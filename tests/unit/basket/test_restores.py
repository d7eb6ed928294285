"""A basket's table goes back in time, or forgets a customer: every order stays one of its own."""

import copy
import datetime as dt
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lambdas.basket.abandonment import sweep
from lambdas.basket.basket_store import BasketStore
from lambdas.basket.checkout import check_out
from lambdas.basket.domain import Offer, put
from lambdas.contracts.baskets import BasketCheckedOutV1
from lambdas.contracts.codec import decode
from lambdas.contracts.money import Money
from lambdas.core.etag import Precondition
from lambdas.core.outbox import Cause
from lambdas.core.table_store import Table
from lambdas.ordering.domain import Order, decide, evolve
from tests.fake_dynamodb import FakeDynamoDb
from tests.shop_events import NOON

products = st.sampled_from(["tea", "pot", "tin"])


class RestoreMachine(RuleBasedStateMachine):
    """What a customer does and what befalls the table, and the orders that come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.client = FakeDynamoDb()
        self.store = BasketStore(Table("baskets", self.client))
        self.backups: list[dict[Any, Any]] = []
        self.now = NOON
        self.requests = 0
        self.accepted: list[BasketCheckedOutV1] = []
        self.orders: dict[str, Order] = {}
        self.told: dict[str, Any] = {}

    @initialize()
    def open_the_shop(self) -> None:
        for name in ("tea", "pot", "tin"):
            price = Money(amount=100, currency="EUR")
            offer = Offer(product_id=name, revision=1, name=name, price=price)
            self.store.keep_offer(offer, "2026-11-21T12:00:00.000Z")
        self.back_up()

    @rule(product=products, quantity=st.integers(1, 9))
    def fill(self, product: str, quantity: int) -> None:
        self._tick()
        basket = self.store.basket("ada")
        changed = put(basket, product, quantity, self.store.offers([*basket.quantities, product]))
        if changed is not basket:
            self.store.save(changed, self.now)

    @rule(product=products, quantity=st.integers(1, 9), times=st.integers(1, 3))
    def order(self, product: str, quantity: int, times: int) -> None:
        """A request with a key of its own, sent once or again: one order."""
        self.fill(product, quantity)
        self.requests += 1
        cause = Cause(id=f"request-{self.requests}", correlation_id="c")
        made = {self._check_out(cause).order_id for _ in range(times)}
        assert len(made) == 1

    def _check_out(self, cause: Cause) -> BasketCheckedOutV1:
        self._tick()
        ordered = check_out(
            "ada",
            "a@b.example",
            "tok_a",
            None,
            Precondition(),
            self.store,
            cause=cause,
            now=self.now,
        )
        self.accepted.append(ordered)
        return ordered

    @rule()
    def announce_what_lies_idle(self) -> None:
        self._tick()
        sweep(self.store, dt.timedelta(0), 10, self.now, lambda: True)

    @rule()
    def back_up(self) -> None:
        self.backups.append(copy.deepcopy(self.client.items))

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        self.client.items = copy.deepcopy(data.draw(st.sampled_from(self.backups)))

    @rule(events_too=st.booleans())
    def forget_the_customer(self, events_too: bool) -> None:
        for key in [*self.client.items]:
            if key[0] == "basket/ada" and (events_too or key[1] == "state"):
                del self.client.items[key]

    def _tick(self) -> None:
        self.now += dt.timedelta(seconds=1)

    @invariant()
    def every_order_that_was_accepted_is_placed_as_it_was(self) -> None:
        for ordered in self.accepted:
            order = self.orders.get(ordered.order_id, Order())
            for event in decide(order, ordered):  # raises Poison for another order under this id
                self.orders[ordered.order_id] = evolve(order, event)
            placed = self.orders[ordered.order_id]
            assert (placed.lines, placed.total) == (ordered.lines, ordered.total)

    @invariant()
    def an_events_id_always_stands_for_the_same_content(self) -> None:
        for (_, sk), item in self.client.items.items():
            if sk.startswith("event#"):
                event = decode(item["type"], item["detail"])
                # Told again after a restore it has another time, and must say the same.
                assert self.told.setdefault(event.meta.id, event.data) == event.data


TestRestores = RestoreMachine.TestCase
TestRestores.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(
    ("revision", "told_at", "name"),
    [
        (4, "2026-11-21T12:00:00.000Z", "old"),
        (3, "2026-11-21T12:00:30.000Z", "old"),
        (4, "2026-11-21T12:10:00.000Z", "new"),
        (6, "2026-11-21T11:00:00.000Z", "new"),
    ],
    ids=["late", "clocks apart", "catalog restored", "newer revision"],
)
def test_an_offer_is_replaced_by_a_newer_revision_or_after_the_catalog_was_restored(
    revision: int, told_at: str, name: str
) -> None:
    store = BasketStore(Table("baskets", FakeDynamoDb()))
    store.keep_offer(Offer(product_id="tea", revision=5, name="old"), "2026-11-21T12:00:00.000Z")
    kept = store.keep_offer(Offer(product_id="tea", revision=revision, name="new"), told_at)
    assert (store.offers(["tea"])["tea"].name, kept) == (name, name == "new")
