"""How the sandbox behaves: the token says what becomes of a capture, hashes say when calls fail.

    tok_approve...      taken
    tok_decline...      refused; `tok_decline_card_expired` for that reason, and so on
    tok_timeout...      taken, but the first call hears of it too late
    tok_duplicate...    taken, but the first call is answered with a 500
    tok_flaky...        taken; one call in five fails
    anything else       refused as an invalid token

Nothing is random: the same key fails at the same attempts on every machine.
"""

import hashlib
from typing import Annotated, Literal

import msgspec

from lambdas.contracts.money import Money
from lambdas.contracts.payments import DeclineCode

FLAKY_RATE = 0.2

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Fault = Literal["none", "before", "after", "stall"]
"""A call fails before it has its effect, after it, or after it and a long silence."""

_DECLINES: dict[str, DeclineCode] = {
    "insufficient_funds": "insufficient-funds",
    "card_expired": "card-expired",
    "suspected_fraud": "suspected-fraud",
    "invalid_token": "invalid-token",
}


class CaptureRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    order_id: Text
    token: Text
    amount: Money


class CancelRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing: the Idempotency-Key says which capture is cancelled."""


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    payment_reference: Text
    amount: Money


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """How a key ended, for ever. `request` is the digest of the body it ended with."""

    status: Literal["captured", "declined", "cancelled", "refunded"]
    request: str
    reference: str | None = None
    code: DeclineCode | None = None
    message: str | None = None


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Money moved, in minor units, and how often."""

    captured: int = 0
    refunded: int = 0
    captures: int = 0
    refunds: int = 0


def capture_ends(key: str, request: CaptureRequest) -> Settled:
    """What becomes of a capture, unless its key has ended before."""
    code = decline_code(request.token)
    if code is None:
        return Settled(status="captured", request=digest(request), reference=reference(key))
    return Settled(
        status="declined",
        request=digest(request),
        code=code,
        message=f"the sandbox declines this token: {code}",
    )


def decline_code(token: str) -> DeclineCode | None:
    """Why this token is refused, or None."""
    kind, _, reason = token.removeprefix("tok_").partition("_")
    if not token.startswith("tok_"):
        return "invalid-token"
    if kind.startswith("decline"):
        return _DECLINES.get(reason, "declined")
    known = kind.startswith(("approve", "timeout", "duplicate", "flaky"))
    return None if known else "invalid-token"


def fault_of(key: str, attempt: int, failure_rate: float, token: str = "") -> Fault:
    """How the attempt (from 1) of a call fails, if it does."""
    if attempt == 1 and token.startswith("tok_timeout"):
        return "stall"
    if attempt == 1 and token.startswith("tok_duplicate"):
        return "after"
    rate = max(failure_rate, FLAKY_RATE) if token.startswith("tok_flaky") else failure_rate
    chance = hashlib.sha256(f"{key}\n{attempt}".encode()).digest()
    if int.from_bytes(chance[:4]) >= rate * 2**32:
        return "none"
    return "after" if chance[4] % 2 else "before"


def reference(key: str) -> str:
    """The sandbox's name for what it did under a key."""
    return f"sbx_{hashlib.sha256(key.encode()).hexdigest()[:24]}"


def digest(request: msgspec.Struct) -> str:
    """The same for the same body, whatever its spelling was."""
    return hashlib.sha256(msgspec.json.encode(request, order="sorted")).hexdigest()
