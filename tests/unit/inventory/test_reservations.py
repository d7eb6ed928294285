"""Any interleaving of orders, cancellations and counts leaves the sums right."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lambdas.core.errors import Poison
from lambdas.core.etag import Precondition
from lambdas.core.outbox import Cause
from lambdas.core.table_store import Table
from lambdas.inventory import counting, reservations
from lambdas.inventory.counting import Busy
from lambdas.inventory.reservations import ATTEMPTS, Contended
from lambdas.inventory.stock_store import StockStore
from tests.fake_dynamodb import ClientError, FakeDynamoDb
from tests.shop_events import NOON, line
from tests.unit.inventory.stories import Interrupted, audit, cancelled, created, placed, told

ORDERS = {
    "o1": placed("o1", line("tea", 1)),
    "o2": placed("o2", line("tea", 2), line("pot", 1)),
    "o3": placed("o3", line("pot", 2), line("tea", 1), line("pot", 1)),
    "o4": placed("o4", line("tin", 1), line("tea", 1)),
}
order_ids = st.sampled_from(sorted(ORDERS))
# One thing that somebody does: place or cancel an order, count or announce a product.
deeds = st.one_of(
    st.tuples(st.just("place"), order_ids, st.just(0)),
    st.tuples(st.just("cancel"), order_ids, st.just(0)),
    st.tuples(st.just("count"), st.sampled_from(["tea", "pot", "tin"]), st.integers(0, 5)),
    st.tuples(st.just("announce"), st.sampled_from(["tea", "pot", "tin"]), st.just(0)),
)
Deed = tuple[str, str, int]


class StockMachine(RuleBasedStateMachine):
    """Deeds in any order, any number of times, and one in the very middle of another."""

    def __init__(self) -> None:
        super().__init__()
        self.client = FakeDynamoDb()
        self.counts = 0
        self.fates: dict[str, str] = {}

    @initialize()
    def stock_up(self) -> None:
        for name in ("tea", "pot"):
            self.do(("count", name, 4), Table("stock", self.client))

    @rule(deed=deeds)
    def alone(self, deed: Deed) -> None:
        self.do(deed, Table("stock", self.client))

    @rule(deed=deeds, others=st.lists(deeds, min_size=1, max_size=3))
    def amid_others(self, deed: Deed, others: list[Deed]) -> None:
        """Before each transaction of the deed, another deed is done from begin to end."""
        between = [self._later(other) for other in others]
        self.do(deed, Interrupted(*between, client=self.client))

    @rule(order_id=order_ids, verbs=st.permutations(["place", "cancel"]))
    def amid_its_own(self, order_id: str, verbs: list[str]) -> None:
        """An order is placed in the middle of its cancellation, or the other way round."""
        first, second = verbs
        between = self._later((second, order_id, 0))
        self.do((first, order_id, 0), Interrupted(between, client=self.client))

    def _later(self, deed: Deed) -> Callable[[], None]:
        return lambda: self.do(deed, Table("stock", self.client))

    def do(self, deed: Deed, table: Table) -> None:
        what, name, number = deed
        store = StockStore(table)
        if what == "place":
            reservations.reserve(ORDERS[name], store, NOON)
        elif what == "cancel":
            reservations.release(cancelled(name), store, NOON)
        elif what == "announce":
            reservations.add_product(created(name), store)
        else:
            self.counts += 1
            cause = Cause(id=f"count-{self.counts}", correlation_id="c")
            counting.count(
                name, number, store, precondition=Precondition(), by="me", cause=cause, now=NOON
            )

    @invariant()
    def the_sums_are_right(self) -> None:
        audit(list(self.client.items.values()))

    @invariant()
    def a_fate_is_final_but_for_a_release(self) -> None:
        for (_, sk), item in self.client.items.items():
            if sk == "reservation":
                order_id, now = str(item["order_id"]), str(item["status"])
                before = self.fates.get(order_id, now)
                assert now == before or (before, now) == ("reserved", "released")
                self.fates[order_id] = now

    @invariant()
    def the_last_piece_is_told_whenever_a_shelf_became_empty(self) -> None:
        """Each depletion carries the revision that emptied the shelf; an empty one has told it."""
        events = Counter(
            (s, n) for kind, s, n in told(self.client.items.values()) if "depl" in kind
        )
        for (pk, sk), item in self.client.items.items():
            announced = sk == "state" and item["revision"] == 1
            if sk == "state" and item["on_hand"] == 0 and not announced:
                assert (pk, item["revision"]) in events


TestStock = StockMachine.TestCase
TestStock.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_fifty_orders_at_once_sell_each_piece_once_and_none_comes_near_the_dead_letters() -> None:
    """As many deliveries at a time as the inbox allows; a third of the transactions in conflict."""
    client = FakeDynamoDb(conflicts=0.33, seed=7)
    table = Table("stock", client, sleep=lambda _: None)
    counting.count(
        "tea",
        60,
        StockStore(table),
        precondition=Precondition(),
        by="me",
        cause=Cause(id="count", correlation_id="c"),
        now=NOON,
    )
    waiting = [(placed(f"o{number}", line("tea", 2)), 1) for number in range(50)]
    receives: list[int] = []

    def work() -> None:
        while waiting:
            try:
                order, receive = waiting.pop(0)
            except IndexError:
                return
            receives.append(receive)
            try:
                reservations.reserve(order, StockStore(table), NOON)
            except (Contended, ClientError):
                if receive < 5:
                    waiting.append((order, receive + 1))

    workers = [threading.Thread(target=work, daemon=True) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    items: list[dict[str, Any]] = list(client.items.values())
    fates = Counter(item["status"] for item in items if item["sk"] == "reservation")
    assert fates == {"reserved": 30, "rejected": 20}
    assert client.items["stock/tea", "state"]["on_hand"] == 0
    assert [kind for kind, _, _ in told(items)].count("stock.depleted.v1") == 1
    assert max(receives) <= 3, "the fifth receive that fails ends among the dead letters"
    audit(items)


def test_stock_that_never_rests_fails_the_delivery_instead_of_guessing() -> None:
    client = FakeDynamoDb()
    deeds = StockMachine()
    deeds.client = client
    deeds.do(("count", "tea", 4), Table("stock", client))

    def fidget() -> None:
        for number in (5, 4):
            deeds.do(("count", "tea", number), Table("stock", client))

    order = placed("all", line("tea", 4))
    with pytest.raises(Contended):
        reservations.reserve(
            order, StockStore(Interrupted(*[fidget] * ATTEMPTS, client=client)), NOON
        )
    with pytest.raises(Busy):
        deeds.do(("count", "tea", 9), Interrupted(*[fidget] * ATTEMPTS, client=client))
    assert ("order/all", "reservation") not in client.items
    reservations.reserve(order, StockStore(Table("stock", client)), NOON)
    audit(list(client.items.values()))


@pytest.mark.parametrize("before", [[], ["cancel"]])
@pytest.mark.parametrize("stock", [9, 1])
def test_another_order_under_the_same_id_is_poison(before: list[str], stock: int) -> None:
    store = StockStore(Table("stock", FakeDynamoDb()))
    for name in ("tea", "pot"):
        counting.count(
            name,
            stock,
            store,
            precondition=Precondition(),
            by="me",
            cause=Cause(id=name, correlation_id="c"),
            now=NOON,
        )
    order = placed("o1", line("tea", 2))
    reservations.reserve(order, store, NOON)
    for _ in before:
        reservations.release(cancelled("o1"), store, NOON)
    reservations.reserve(order, store, NOON)
    with pytest.raises(Poison, match="other-order"):
        reservations.reserve(placed("o1", line("pot", 2)), store, NOON)
