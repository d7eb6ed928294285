"""The payments table: one state item per order, and the events that tell of it."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.core.outbox import Cause, event_write, timestamp
from lambdas.core.table_store import Table, Write
from lambdas.payment.domain import Change, Payment


class TablePayments:
    """A PaymentStore in a table of the outbox kind."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, order_id: str) -> Payment | None:
        item = self._table.get(_subject(order_id), "state")
        return msgspec.convert(item, Payment) if item else None

    def record(self, change: Change, cause: Cause, now: dt.datetime) -> None:
        payment = change.payment
        subject = _subject(payment.order_id)
        fields: dict[str, Any] = msgspec.to_builtins(payment)
        state = {
            "pk": subject,
            "sk": "state",
            **{name: value for name, value in fields.items() if value is not None},
            "updated_at": timestamp(now),
            "correlation_id": cause.correlation_id,
        }
        first = payment.revision == 1
        writes = [
            Write(
                put=state,
                condition="attribute_not_exists(pk)" if first else "revision = :before",
                values={} if first else {"before": payment.revision - 1},
            )
        ]
        if change.event is not None:
            writes.append(
                event_write(
                    subject,
                    change.event,
                    subject=subject,
                    sequence=payment.revision,
                    cause=cause,
                    now=now,
                )
            )
        self._table.transact(*writes)


def _subject(order_id: str) -> str:
    return f"order/{order_id}"
