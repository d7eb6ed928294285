"""What stock is, and what an order's wish for it comes to. Pure: no clock, no table.

Pieces of a product are on hand, or set aside for an order. Only a count by an administrator makes
pieces appear or vanish; orders move them between the two.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from lambdas.contracts.money import Line
from lambdas.contracts.stock import StockLine
from lambdas.core.errors import Poison

MAX_LINES = 40
"""Products in one order: each may need two writes of a transaction, which has room for 100."""

Status = Literal["reserved", "rejected", "released"]


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """A product's pieces; `reserved` are set aside for orders, sold ones included."""

    on_hand: int = 0
    reserved: int = 0
    revision: int = 0


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order's wish. It is decided once and, if granted, given back once.

    reserved -> released; rejected is final; an order cancelled before it was seen is released
    from the start, with no lines.
    """

    order_id: str
    status: Status
    lines: tuple[StockLine, ...] = ()
    revision: int = 1


def wanted(lines: Iterable[Line]) -> tuple[StockLine, ...]:
    """The pieces of each product, lines of one product merged, in order of product.

    Raises Poison for an order of more products than one transaction can hold.
    """
    pieces: dict[str, int] = {}
    for line in lines:
        pieces[line.product_id] = pieces.get(line.product_id, 0) + line.quantity
    if len(pieces) > MAX_LINES:
        raise Poison("too-many-lines", f"{len(pieces)} products, at most {MAX_LINES}")
    return tuple(StockLine(product_id=key, quantity=pieces[key]) for key in sorted(pieces))


def missing(lines: Iterable[StockLine], stock: Mapping[str, Stock]) -> tuple[StockLine, ...]:
    """The products of which there are too few, with the number of pieces that lack."""
    short = (
        (line.product_id, line.quantity - stock.get(line.product_id, Stock()).on_hand)
        for line in lines
    )
    return tuple(StockLine(product_id=key, quantity=lack) for key, lack in short if lack > 0)


def depleted(lines: Iterable[StockLine], stock: Mapping[str, Stock]) -> dict[str, int]:
    """The products of which these lines take the last piece, and the revision that they had."""
    return {
        line.product_id: stock[line.product_id].revision
        for line in lines
        if stock[line.product_id].on_hand == line.quantity
    }


def answers(reservation: Reservation | None, lines: Iterable[StockLine]) -> bool:
    """Whether this can be what became of an order of these lines."""
    if reservation is None:
        return False
    if reservation.status == "rejected":
        pieces = {line.product_id: line.quantity for line in lines}
        return all(lack.quantity <= pieces.get(lack.product_id, 0) for lack in reservation.lines)
    return reservation.lines in ((), tuple(lines))  # none: cancelled before it was seen


def released(reservation: Reservation) -> Reservation:
    """The reservation once its pieces are given back; they stay named as its lines."""
    return msgspec.structs.replace(
        reservation, status="released", revision=reservation.revision + 1
    )


def cancelled_unseen(order_id: str) -> Reservation:
    """The mark of an order whose cancellation came first: it will never get anything."""
    return Reservation(order_id=order_id, status="released")
