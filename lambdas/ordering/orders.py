"""Orders move: a fact comes in, the process manager decides, its events are appended."""

import contextlib
import datetime as dt
from collections.abc import Callable

from lambdas.contracts.event import Event
from lambdas.core import observability
from lambdas.core.event_store import ConcurrentAppend, EventStore
from lambdas.core.outbox import Cause
from lambdas.core.table_store import Table
from lambdas.ordering.domain import Fact, Order, apply, decide, subject_of

ATTEMPTS = 5
"""Facts of one order seldom meet; when they do, each loser decides again on what is true then."""


def orders_in(table: Table) -> EventStore[Order]:
    """The orders kept in this table."""
    return EventStore(table, initial=Order(), apply=apply, shape="order-1")


def advance(
    orders: EventStore[Order], fact: Fact, cause: Cause, now: Callable[[], dt.datetime]
) -> tuple[Event, ...]:
    """Let a fact have its effect; returns the events appended, none for a repeated fact.

    Raises TooEarly, Poison (see `decide`), and ConcurrentAppend when others kept getting ahead.
    """
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(ConcurrentAppend):
            return _advance_once(orders, fact, cause, now())
    return _advance_once(orders, fact, cause, now())


def _advance_once(
    orders: EventStore[Order], fact: Fact, cause: Cause, now: dt.datetime
) -> tuple[Event, ...]:
    subject = subject_of(fact.order_id)
    loaded = orders.load(subject)
    events = decide(loaded.state, fact)
    if not events:
        observability.count("FactsWithoutEffect")
        return ()
    orders.append(subject, loaded, events, cause=cause, now=now)
    for event in events:
        observability.count(type(event).__name__.removesuffix("V1"))
    return events
