"""The gateway over HTTP: keys that make repetition harmless, and patience that has an end.

    POST /payments       {order_id, token, amount}        201 {reference} | 402 {code, message}
                                                          | 410 when the key was cancelled
    POST /cancellations  {}                               200 {status, reference?, code?, message?}
    POST /refunds        {payment_reference, amount}      201 {reference}

Each carries `Idempotency-Key`; a cancellation carries the key of the capture it cancels.
"""

import random
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
import urllib3
from msgspec import Meta

from lambdas.contracts.money import Money
from lambdas.contracts.payments import DeclineCode
from lambdas.core import observability
from lambdas.core.errors import Poison
from lambdas.core.secret_store import Secret
from lambdas.payment.domain import Cancelled, Captured, Declined, Outcome
from lambdas.payment.ports import Charge, GatewayUnavailable

_MAX_PAUSE_SECONDS = 1.0
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_KEY_REFUSED = frozenset({401, 403})
_DONE = frozenset({200, 201})
_DECLINED, _CANCELLED = 402, 410


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long one try may take, and how many there are. Two calls fit in one invocation."""

    connect_seconds: float = 2.0
    read_seconds: float = 5.0
    attempts: int = 4


_Reference = Annotated[str, Meta(min_length=1)]


class _Accepted(msgspec.Struct):
    reference: _Reference


class _Refused(msgspec.Struct):
    code: str = "declined"
    message: str = ""


class _Ended(_Refused, kw_only=True):
    status: Literal["captured", "declined", "cancelled"]
    reference: _Reference | None = None


class InsecureGateway(Exception):
    """The gateway's URL would carry the API key in the clear."""


class HttpGateway:
    """A PaymentGateway behind `base_url`; one connection pool serves all calls."""

    def __init__(
        self,
        base_url: str,
        api_key: Secret,
        timing: Timing,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        loopback = host in ("127.0.0.1", "::1", "localhost") or host.endswith(".localhost")
        if parts.scheme != "https" and not loopback:
            raise InsecureGateway(f"a gateway wants https, got {parts.scheme}://{host}")
        self._base = base_url.rstrip("/")
        self._api_key = api_key
        self._attempts = timing.attempts
        self._sleep = sleep
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=timing.connect_seconds, read=timing.read_seconds),
            retries=False,  # ours below, with jitter and counted
        )

    def capture(self, key: str, charge: Charge) -> Outcome:
        final = _DONE | {_DECLINED, _CANCELLED}
        status, body = self._post("/payments", key, charge, final)
        if status == _DECLINED:
            return _declined(_decoded(body, _Refused))
        if status == _CANCELLED:
            return Cancelled()
        return Captured(_decoded(body, _Accepted).reference)

    def cancel(self, key: str) -> Outcome:
        _, body = self._post("/cancellations", key, {}, _DONE)
        ended = _decoded(body, _Ended)
        if ended.status == "captured":
            if ended.reference is None:  # without it the money could never be given back
                raise GatewayUnavailable("captured, but it does not say under which reference")
            return Captured(ended.reference)
        return _declined(ended) if ended.status == "declined" else Cancelled()

    def refund(self, key: str, reference: str, amount: Money) -> None:
        self._post("/refunds", key, {"payment_reference": reference, "amount": amount}, _DONE)

    def _post(self, path: str, key: str, body: Any, final: frozenset[int]) -> tuple[int, bytes]:
        """The gateway's final word: a status that has a meaning for this request, and its body.

        Raises GatewayUnavailable when every try failed, Poison for a refused request.
        """
        payload = msgspec.json.encode(body)
        trouble = "no try"
        for attempt in range(1, self._attempts + 1):
            if attempt > 1:
                observability.count("GatewayRetries")
                self._sleep(random.uniform(0, min(_MAX_PAUSE_SECONDS, 0.1 * 2**attempt)))
            try:
                answer = self._send(path, key, payload)
            except urllib3.exceptions.HTTPError as error:
                trouble = type(error).__name__
                continue
            if answer.status in _KEY_REFUSED:
                self._api_key.forget()
            if answer.status in _TRY_AGAIN | _KEY_REFUSED:
                trouble = f"status {answer.status}"
                continue
            if answer.status in final:
                return answer.status, answer.data
            raise Poison("gateway-refused", f"POST {path}: status {answer.status}")
        observability.count("GatewayUnavailable")
        raise GatewayUnavailable(f"POST {path}: {trouble} after {self._attempts} tries")

    def _send(self, path: str, key: str, payload: bytes) -> urllib3.BaseHTTPResponse:
        started = time.perf_counter()
        try:
            return self._pool.request(
                "POST",
                self._base + path,
                redirect=False,  # the key is for this host alone
                body=payload,
                headers={
                    "content-type": "application/json",
                    "idempotency-key": key,
                    "x-api-key": self._api_key.value(),
                },
            )
        finally:
            observability.measure_ms("GatewayCall", (time.perf_counter() - started) * 1000)


def _decoded(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        # Money may have moved: asking again under the same key is safe, giving up is not.
        raise GatewayUnavailable(f"an answer that is not understood: {error}") from error


def _declined(refused: _Refused) -> Declined:
    try:
        code = msgspec.convert(refused.code, DeclineCode)
    except msgspec.ValidationError:
        code = "declined"
    return Declined(code, refused.message[:200])
