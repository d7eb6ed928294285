"""A gateway that keeps the books, a store in memory, and a way to run handlers in any order."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

from lambdas.contracts.event import Event
from lambdas.contracts.money import Money
from lambdas.core.errors import ConditionFailed
from lambdas.core.outbox import Cause
from lambdas.payment.domain import Cancelled, Captured, Change, Declined, Outcome, Payment
from lambdas.payment.ports import Charge


class BookkeepingGateway:
    """Honours keys as the port asks; `captured` and `refunded` count real movements of money."""

    def __init__(self) -> None:
        self.captured = 0
        self.refunded = 0
        self._outcomes: dict[str, Outcome] = {}
        self._refunds: set[str] = set()

    def capture(self, key: str, charge: Charge) -> Outcome:
        if key not in self._outcomes:
            if charge.token.startswith("tok_decline"):
                self._outcomes[key] = Declined("declined", "no")
            else:
                self.captured += charge.amount.amount
                self._outcomes[key] = Captured(f"ref-{key}")
        return self._outcomes[key]

    def cancel(self, key: str) -> Outcome:
        return self._outcomes.setdefault(key, Cancelled())

    def refund(self, key: str, reference: str, amount: Money) -> None:
        assert Captured(reference) in self._outcomes.values()
        if key not in self._refunds:
            self._refunds.add(key)
            self.refunded += amount.amount


class MemoryPayments:
    """A PaymentStore that holds to its promise about revisions."""

    def __init__(self) -> None:
        self.payments: dict[str, Payment] = {}
        self.events: list[Event] = []

    def load(self, order_id: str) -> Payment | None:
        return self.payments.get(order_id)

    def record(self, change: Change, cause: Cause, now: dt.datetime) -> None:
        assert cause.id
        assert now.tzinfo
        known = self.payments.get(change.payment.order_id)
        if (known.revision if known else 0) != change.payment.revision - 1:
            raise ConditionFailed((True, False))
        self.payments[change.payment.order_id] = change.payment
        if change.event is not None:
            self.events.append(change.event)


class Killed(BaseException):
    """The process ends here; no `except Exception` sees it."""


class Task:
    """A call in a thread of its own that moves only when told to, from one turn to the next."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.done = False
        self.error: BaseException | None = None
        self._fault: BaseException | None = None
        self._go, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def step(self, fault: BaseException | None = None) -> None:
        """Run on to the next turn, where the call stands still; or fail it where it stands."""
        self._fault = fault
        self._go.release()
        assert self._paused.acquire(timeout=10)

    def _run(self, call: Callable[[], None]) -> None:
        _HERE.task = self
        try:
            self.turn()
            call()
        except BaseException as error:
            self.error = error
        self.done = True
        self._paused.release()

    def turn(self) -> None:
        if _HERE.started:
            self._paused.release()
        _HERE.started = True
        assert self._go.acquire(timeout=10)
        if self._fault is not None:
            raise self._fault


class _Here(threading.local):
    task: Task | None = None
    started: bool = False


_HERE = _Here()


class Turns:
    """Wraps a port so that a Task stands still before each of its calls, and again after it."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def call(*args: Any) -> Any:
            if _HERE.task is None:
                return method(*args)
            _HERE.task.turn()
            result = method(*args)
            _HERE.task.turn()
            return result

        return call
