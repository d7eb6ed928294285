"""What taking payments needs of the world: somebody who moves money, and a memory."""

import datetime as dt
from typing import Protocol

import msgspec

from lambdas.contracts.money import Money
from lambdas.core.outbox import Cause
from lambdas.payment.domain import Change, Outcome, Payment


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What to take, by which token, for which order (the gateway's merchant reference)."""

    order_id: str
    token: str
    amount: Money


class GatewayUnavailable(Exception):
    """The gateway gave no usable answer; whether it acted is unknown. Ask again, same key."""


class PaymentGateway(Protocol):
    """Moves money. The same key has the same effect and answer, however often it is used.

    Every call raises GatewayUnavailable when there is no answer, and Poison when the gateway
    refuses the request itself.
    """

    def capture(self, key: str, charge: Charge) -> Outcome:
        """Take the money, unless the key is cancelled; or say how the key's capture ended."""
        ...

    def cancel(self, key: str) -> Outcome:
        """Say how the key's capture ended; if there was none, see to it that none ever will be."""
        ...

    def refund(self, key: str, reference: str, amount: Money) -> None:
        """Give captured money back."""
        ...


class PaymentStore(Protocol):
    """Remembers payments."""

    def load(self, order_id: str) -> Payment | None: ...

    def record(self, change: Change, cause: Cause, now: dt.datetime) -> None:
        """Write the new state and its event, all or nothing.

        Raises ConditionFailed when the stored payment is not of the revision before.
        """
        ...
