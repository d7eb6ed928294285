"""Time-outs as facts: every order that was placed too long ago and is not at its end."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from lambdas.core import observability
from lambdas.core.event_store import UNREADABLE, EventStore
from lambdas.core.outbox import Cause, timestamp
from lambdas.ordering.domain import IllegalTransition, Order, Status, TimedOut, subject_of
from lambdas.ordering.orders import advance
from lambdas.ordering.projection import placed_key
from lambdas.ordering.view_store import Overdue

WAITING: tuple[Status, ...] = ("placed", "approved")

BROKEN = (*UNREADABLE, IllegalTransition)
"""What another try does not heal."""


class Rows(Protocol):
    """Where waiting orders are looked up; what it says may be late, the event store decides."""

    def placed_before(self, state: Status, moment: str) -> Iterator[Overdue]: ...


class SweepFailed(Exception):
    """Some orders could not be swept; all the others were."""


def sweep(
    rows: Rows,
    orders: EventStore[Order],
    timeout: dt.timedelta,
    now: Callable[[], dt.datetime],
    time_left: Callable[[], bool],
) -> int:
    """Cancel what is overdue while there is time left; returns how many orders were cancelled.

    The next sweep takes the rest. Trouble with one order does not keep the others waiting: raises
    SweepFailed at the end. An order whose events are broken is only counted (`OrdersBroken`): it
    would fail every sweep there is, and each would leave a dead letter.
    """
    moment = placed_key(timestamp(now() - timeout))
    overdue = itertools.chain.from_iterable(rows.placed_before(state, moment) for state in WAITING)
    return _cancel(itertools.takewhile(lambda _: time_left(), overdue), orders, now)


def _cancel(
    rows: Iterable[Overdue], orders: EventStore[Order], now: Callable[[], dt.datetime]
) -> int:
    cancelled, broken, failed = 0, 0, []
    for row in rows:
        cause = Cause(
            id=f"timeout/{row.order_id}",
            correlation_id=row.correlation_id,
            trace=observability.trace_header(),
        )
        with (
            observability.step("time out"),
            observability.correlated(row.correlation_id, subject=subject_of(row.order_id)),
        ):
            try:
                cancelled += bool(advance(orders, TimedOut(order_id=row.order_id), cause, now))
            except BROKEN:
                observability.logger().exception("order broken")
                broken += 1
            except Exception:
                observability.logger().exception("order not swept")
                failed.append(row.order_id)
    observability.count("OrdersTimedOut", cancelled)
    observability.count_by_function("OrdersBroken", broken)
    if failed:
        raise SweepFailed(f"{len(failed)} orders, among them {failed[:5]}")
    return cancelled
