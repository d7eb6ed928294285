"""The stock table: a state item per product with its ledger, and a reservation per order.

Nothing here reads before it writes without saying in a condition what was read, so that any
number of functions may work on one product.
"""

import datetime as dt
from collections.abc import Iterable, Mapping

import msgspec

from lambdas.contracts.stock import (
    StockDepletedV1,
    StockLine,
    StockRejectedV1,
    StockReleasedV1,
    StockReservedV1,
)
from lambdas.core.errors import ConditionFailed
from lambdas.core.outbox import Cause, event_write, timestamp
from lambdas.core.table_store import Item, Table, Write
from lambdas.inventory.domain import Reservation, Stock, released

_STOCK = "stock/"
_TAKE = "SET on_hand = on_hand - :q, reserved = reserved + :q, revision = revision + :one"
_GIVE_BACK = "SET on_hand = on_hand + :q, reserved = reserved - :q, revision = revision + :one"


class AlreadyDecided(Exception):
    """The order's reservation is not what the writer assumed: load it and look again."""


class StockChanged(Exception):
    """A product's stock is not what the writer assumed: load it and decide again."""


class StockStore:
    """Reads and writes of the stock table; every write is one transaction with its events."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def stock(self, product_id: str) -> Stock | None:
        """The product's stock as last written, or None when it was never heard of."""
        item = self._table.get(_stock_key(product_id), "state")
        return msgspec.convert(item, Stock) if item else None

    def stocks(self, lines: Iterable[StockLine]) -> dict[str, Stock]:
        """The stock of the products that these lines name; unknown ones are left out."""
        items = self._table.get_many((_stock_key(line.product_id), "state") for line in lines)
        return {
            pk.removeprefix(_STOCK): msgspec.convert(item, Stock) for (pk, _), item in items.items()
        }

    def reservation(self, order_id: str) -> Reservation | None:
        item = self._table.get(_order_key(order_id), "reservation")
        return msgspec.convert(item, Reservation) if item else None

    def add_product(self, product_id: str) -> None:
        """A product of which there is nothing yet; no effect on one that is there."""
        try:
            self._table.transact(
                Write(
                    put=_stock_item(product_id, Stock(revision=1)),
                    condition="attribute_not_exists(pk)",
                )
            )
        except ConditionFailed:
            return

    def count(
        self,
        product_id: str,
        seen: Stock | None,
        on_hand: int,
        *,
        by: str,
        cause: Cause,
        now: dt.datetime,
    ) -> Stock:
        """Set the pieces on hand, and enter the difference in the product's ledger.

        Raises StockChanged when the stock is not as `seen` any more.
        """
        known = seen or Stock()
        after = msgspec.structs.replace(known, on_hand=on_hand, revision=known.revision + 1)
        entry = {
            "pk": _stock_key(product_id),
            "sk": f"count#{after.revision:012d}",
            "delta": on_hand - known.on_hand,
            "by": by,
            "at": timestamp(now),
        }
        runs_out = on_hand == 0 and known.on_hand > 0
        writes = [
            Write(
                put=_stock_item(product_id, after),
                condition="revision = :seen" if seen else "attribute_not_exists(pk)",
                values={"seen": known.revision} if seen else {},
            ),
            Write(put=entry),
            *([_depleted(product_id, after.revision, cause, now)] if runs_out else []),
        ]
        try:
            self._table.transact(*writes)
        except ConditionFailed as conflict:
            raise StockChanged(product_id) from conflict
        return after

    def reserve(
        self,
        order_id: str,
        lines: tuple[StockLine, ...],
        last_pieces: Mapping[str, int],
        *,
        cause: Cause,
        now: dt.datetime,
    ) -> None:
        """Set every line aside for the order, or none.

        `last_pieces` are the products that this leaves empty, with the revision they were seen
        at: only for those must nobody else have been there meanwhile. Of all others a piece must
        be left, so orders for a product in good supply never get into each other's way.
        Raises AlreadyDecided or StockChanged.
        """
        reservation = Reservation(order_id=order_id, status="reserved", lines=lines)
        event = StockReservedV1(order_id=order_id, lines=lines)
        self._write(
            Write(put=_reservation_item(reservation), condition="attribute_not_exists(pk)"),
            event_write(
                _order_key(order_id),
                event,
                subject=_order_key(order_id),
                sequence=reservation.revision,
                cause=cause,
                now=now,
            ),
            *(_take(line, last_pieces.get(line.product_id)) for line in lines),
            *(
                _depleted(product_id, revision + 1, cause, now)
                for product_id, revision in last_pieces.items()
            ),
        )

    def reject(
        self,
        order_id: str,
        missing: tuple[StockLine, ...],
        *,
        cause: Cause,
        now: dt.datetime,
    ) -> None:
        """Write that nothing is set aside for the order, and why. Raises AlreadyDecided."""
        reservation = Reservation(order_id=order_id, status="rejected", lines=missing)
        self._write(
            Write(put=_reservation_item(reservation), condition="attribute_not_exists(pk)"),
            event_write(
                _order_key(order_id),
                StockRejectedV1(order_id=order_id, missing=missing),
                subject=_order_key(order_id),
                sequence=reservation.revision,
                cause=cause,
                now=now,
            ),
        )

    def release(self, reservation: Reservation, *, cause: Cause, now: dt.datetime) -> None:
        """Give back what was set aside. Raises AlreadyDecided when somebody did it meanwhile."""
        after = released(reservation)
        self._write(
            Write(
                put=_reservation_item(after),
                condition="#status = :reserved",
                names={"status": "status"},
                values={"reserved": "reserved"},
            ),
            event_write(
                _order_key(after.order_id),
                StockReleasedV1(order_id=after.order_id, lines=after.lines),
                subject=_order_key(after.order_id),
                sequence=after.revision,
                cause=cause,
                now=now,
            ),
            *(_give_back(line) for line in after.lines),
        )

    def refuse_in_advance(self, reservation: Reservation) -> None:
        """Mark an order that was cancelled before it was seen. Raises AlreadyDecided."""
        self._write(Write(put=_reservation_item(reservation), condition="attribute_not_exists(pk)"))

    def _write(self, reservation: Write, *others: Write) -> None:
        try:
            self._table.transact(reservation, *others)
        except ConditionFailed as conflict:
            if conflict.failed[0]:
                raise AlreadyDecided from conflict
            raise StockChanged from conflict


def _take(line: StockLine, last_seen: int | None) -> Write:
    condition, values = "on_hand > :q", {"q": line.quantity, "one": 1}
    if last_seen is not None:
        condition, values["seen"] = "on_hand = :q AND revision = :seen", last_seen
    return Write(
        key=(_stock_key(line.product_id), "state"), update=_TAKE, condition=condition, values=values
    )


def _give_back(line: StockLine) -> Write:
    return Write(
        key=(_stock_key(line.product_id), "state"),
        update=_GIVE_BACK,
        condition="reserved >= :q",  # never false; if it were, an alarm is better than a lie
        values={"q": line.quantity, "one": 1},
    )


def _depleted(product_id: str, revision: int, cause: Cause, now: dt.datetime) -> Write:
    return event_write(
        _stock_key(product_id),
        StockDepletedV1(product_id=product_id),
        subject=_stock_key(product_id),
        sequence=revision,
        cause=cause,
        now=now,
    )


def _stock_key(product_id: str) -> str:
    return f"{_STOCK}{product_id}"


def _order_key(order_id: str) -> str:
    return f"order/{order_id}"


def _stock_item(product_id: str, stock: Stock) -> Item:
    return {"pk": _stock_key(product_id), "sk": "state", **msgspec.structs.asdict(stock)}


def _reservation_item(reservation: Reservation) -> Item:
    return {
        "pk": _order_key(reservation.order_id),
        "sk": "reservation",
        "order_id": reservation.order_id,
        "status": reservation.status,
        "lines": [msgspec.structs.asdict(line) for line in reservation.lines],
        "revision": reservation.revision,
    }
