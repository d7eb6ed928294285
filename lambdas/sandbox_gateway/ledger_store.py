"""The sandbox's books: how every key ended, and what each order has paid and got back."""

import hashlib
from typing import Any

import msgspec

from lambdas.core.errors import ConditionFailed
from lambdas.core.table_store import Table, Write
from lambdas.sandbox_gateway.domain import Balance, Settled

SHARDS = 16
"""Partitions the orders are spread over; all of them are read for the totals."""


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """What a reference stands for."""

    order_id: str
    currency: str


class Ledger:
    def __init__(self, table: Table) -> None:
        self._table = table

    def count_attempt(self, operation: str, key: str) -> int:
        """How often this operation was called with this key, this call included."""
        pk, sk = f"key/{key}", f"attempts#{operation}"
        while True:
            item = self._table.get(pk, sk)
            before = int(item["attempts"]) if item else 0
            try:
                self._table.transact(
                    Write(
                        put={"pk": pk, "sk": sk, "attempts": before + 1},
                        condition="attempts = :n" if before else "attribute_not_exists(pk)",
                        values={"n": before} if before else {},
                    )
                )
            except ConditionFailed:
                continue  # another call counted first
            return before + 1

    def ended(self, key: str) -> Settled | None:
        item = self._table.get(f"key/{key}", "ended")
        return msgspec.convert(item, Settled) if item else None

    def payment(self, reference: str) -> Payment | None:
        item = self._table.get(f"payment/{reference}", "payment")
        return msgspec.convert(item, Payment) if item else None

    def end(self, key: str, settled: Settled) -> Settled:
        """End a key without moving money; returns how it ended, now or before."""
        return self._end(key, settled)

    def capture(self, key: str, settled: Settled, payment: Payment, amount: int) -> Settled:
        """End a key by taking money; returns how it ended, now or before."""
        known = {"pk": f"payment/{settled.reference}", "sk": "payment"}
        return self._end(
            key,
            settled,
            Write(put={**known, **msgspec.to_builtins(payment)}),
            Write(
                key=_order_key(payment.order_id),
                update="ADD captured :amount, captures :one, balance :amount",
                values={"amount": amount, "one": 1},
            ),
        )

    def refund(self, key: str, settled: Settled, payment: Payment, amount: int) -> Settled | None:
        """End a key by giving money back; None when the order has not that much left."""
        try:
            return self._end(
                key,
                settled,
                Write(
                    key=_order_key(payment.order_id),
                    update="ADD refunded :amount, refunds :one, balance :back",
                    condition="balance >= :amount",
                    values={"amount": amount, "one": 1, "back": -amount},
                ),
            )
        except ConditionFailed:
            return None

    def balance(self, order_id: str) -> Balance:
        item = self._table.get(*_order_key(order_id))
        return msgspec.convert(item, Balance) if item else Balance()

    def totals(self) -> tuple[int, Balance]:
        """How many orders there are, and the sum over all of them."""
        orders, sums = 0, dict.fromkeys(Balance.__struct_fields__, 0)
        for shard in range(SHARDS):
            for item in self._table.query(f"ledger/{shard}"):
                orders += 1
                for name in sums:
                    sums[name] += int(item.get(name, 0))
        return orders, Balance(**sums)

    def _end(self, key: str, settled: Settled, *moves: Write) -> Settled:
        """Raises ConditionFailed when the key is open and a move is not allowed."""
        fields: dict[str, Any] = msgspec.to_builtins(settled)
        item = {name: value for name, value in fields.items() if value is not None}
        first = Write(
            put={"pk": f"key/{key}", "sk": "ended", **item},
            condition="attribute_not_exists(pk)",
        )
        try:
            self._table.transact(first, *moves)
        except ConditionFailed as conflict:
            before = self.ended(key)
            if before is None:
                raise conflict from None
            return before
        return settled


def _order_key(order_id: str) -> tuple[str, str]:
    shard = hashlib.sha256(order_id.encode()).digest()[0] % SHARDS
    return f"ledger/{shard}", f"order/{order_id}"
