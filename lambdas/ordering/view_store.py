"""A table of the read side: rows by order, by customer and by state."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from lambdas.core import aws
from lambdas.core.table_store import Table
from lambdas.ordering.domain import Status, subject_of
from lambdas.ordering.projection import ROW, OrderRow, attributes, row_of, state_shards

EXAMINED = 200
"""Orders of one customer read for a page of those in one state, whatever its length."""

NEWER = "attribute_not_exists(pk) OR version < :version"
NEWER_OR_SAME = "attribute_not_exists(pk) OR version <= :version"


class Page(msgspec.Struct, frozen=True):
    """Rows, newest first, and the `placed` after which the next page begins; None at the end."""

    rows: list[OrderRow]
    after: str | None


class Overdue(msgspec.Struct, frozen=True):
    """What a sweep needs of a row. Read by itself: rows of another layout are swept as well."""

    order_id: str
    correlation_id: str


_OVERDUE = msgspec.json.Decoder(Overdue)


class ViewStore:
    """One view table. `client` is a botocore client, by default the process's own."""

    def __init__(self, table: str, client: Any = None) -> None:
        self.table = table
        self._items = Table(table, client)
        self._given = client

    def get(self, order_id: str) -> OrderRow | None:
        """The row as last written. Raises msgspec.ValidationError for one of another layout."""
        item = self._items.get(subject_of(order_id), ROW)
        return row_of(item["body"]) if item else None

    def put(self, row: OrderRow, condition: str = NEWER) -> bool:
        """Write the row unless a newer one stands; returns whether it was written.

        One plain conditional write: a transaction of one would cost twice as much.
        """
        item = attributes(row)
        try:
            (self._given or aws.client("dynamodb")).put_item(
                TableName=self.table,
                Item=item,
                ConditionExpression=condition,
                ExpressionAttributeValues={":version": item["version"]},
            )
        except Exception as error:
            if aws.error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def by_customer(
        self, customer_id: str, state: Status | None, limit: int, after: str | None
    ) -> Page:
        """Orders of one customer, newest first, in one state or any.

        Which of a customer's orders are in the state is not known before they are read, so a page
        of one state may be short, or empty, and still have a next one.
        """
        most = EXAMINED if state else limit + 1
        rows = list(self._newest("by_customer", ("customer_id", customer_id), after, most))
        page = _page([row for row in rows if state in (None, row.state)], limit)
        if page.after is None and len(rows) == most:
            return Page(page.rows, rows[-1].placed)
        return page

    def by_state(self, state: Status, limit: int, after: str | None) -> Page:
        """Orders of everybody in one state, newest first, merged from the state's shards."""
        rows = [
            row
            for shard in state_shards(state)
            for row in self._newest("by_state", ("state_shard", shard), after, limit + 1)
        ]
        return _page(sorted(rows, key=lambda row: row.placed, reverse=True), limit)

    def placed_before(self, state: Status, moment: str) -> Iterator[Overdue]:
        """Every order in this state that was placed before a moment, oldest first in each shard.

        Pages are read as they are asked for, so a caller may stop at any row.
        """
        for shard in state_shards(state):
            for item in self._items.query_index(
                "by_state", ("state_shard", shard), where=("placed", "<", moment)
            ):
                yield _OVERDUE.decode(item["body"])

    def _newest(
        self, index: str, equal: tuple[str, str], after: str | None, limit: int | None
    ) -> Iterator[OrderRow]:
        where: tuple[str, Literal["<"], str] | None = None
        if after is not None:
            where = ("placed", "<", after)
        for item in self._items.query_index(
            index, equal, where=where, limit=limit, newest_first=True
        ):
            yield row_of(item["body"])


def _page(rows: list[OrderRow], limit: int) -> Page:
    more = len(rows) > limit
    return Page(rows[:limit], rows[limit - 1].placed if more else None)
