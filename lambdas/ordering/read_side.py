"""The live view, whichever of the two tables that is."""

import functools

import msgspec

from lambdas.core.table_store import Table
from lambdas.ordering.projection_store import Name, PointerStore, RecentPointer
from lambdas.ordering.view_store import ViewStore


class ViewSettings(msgspec.Struct, frozen=True):
    """Settings of every function that reads or writes the view."""

    orders_table: str
    orders_view_a: str
    orders_view_b: str

    def view(self, name: Name) -> ViewStore:
        return ViewStore(self.orders_view_a if name == "a" else self.orders_view_b)


def live_view(config: ViewSettings) -> ViewStore:
    """The view table to read from; after a swap the old one is read for some seconds more."""
    return config.view(_pointer(config.orders_table).get().active)


@functools.cache
def _pointer(orders_table: str) -> RecentPointer:
    return RecentPointer(PointerStore(Table(orders_table)))
