"""The HTTP adapter against a real socket: answers, refusals, silence, resets and bad keys."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.contracts.money import Money
from lambdas.core.errors import Poison
from lambdas.core.secret_store import Secret
from lambdas.payment.domain import Cancelled, Captured, Declined
from lambdas.payment.payment_gateway import HttpGateway, InsecureGateway, Timing
from lambdas.payment.ports import Charge, GatewayUnavailable
from tests.loopback import Asked, Reply, serving

CHARGE = Charge(order_id="o", token="tok_approve", amount=Money(amount=100, currency="EUR"))
TIMING = Timing(connect_seconds=1, read_seconds=0.2, attempts=3)
ACCEPTED = Reply(201, {"reference": "ref-1", "status": "captured"})


class FakeSecrets:
    """Secrets Manager with one secret, rotated at every fetch."""

    def __init__(self) -> None:
        self.fetches = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        assert SecretId == "arn:secret"
        self.fetches += 1
        return {"SecretString": f"key-{self.fetches}"}


class World:
    """A gateway that answers as scripted, the last answer for ever, and notes what it was asked."""

    def __init__(self, *script: Reply | Callable[[Asked], Reply]) -> None:
        self.asked: list[Asked] = []
        self.pauses: list[float] = []
        self._script = itertools.chain(script, itertools.repeat(script[-1]))

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        reply = next(self._script)
        return reply if isinstance(reply, Reply) else reply(asked)

    def gateway(self, url: str) -> HttpGateway:
        secret = Secret("arn:secret", FakeSecrets())
        return HttpGateway(f"{url}/v1", secret, TIMING, sleep=self.pauses.append)


@pytest.fixture
def ask() -> Callable[..., tuple[World, Any]]:
    """Call the adapter once against a script; returns the world and the answer or the error."""

    def call(
        *script: Reply | Callable[[Asked], Reply],
        what: Callable[[HttpGateway], Any] = lambda gateway: gateway.capture("key-1", CHARGE),
    ) -> tuple[World, Any]:
        world = World(*script)
        with serving(world.answer) as url:
            try:
                return world, what(world.gateway(url))
            except (GatewayUnavailable, Poison) as error:
                return world, error

    return call


def test_a_capture_carries_its_key_the_api_key_and_what_to_take(ask: Any) -> None:
    world, outcome = ask(ACCEPTED)
    assert outcome == Captured("ref-1")
    (asked,) = world.asked
    assert (asked.method, asked.path) == ("POST", "/v1/payments")
    assert asked.headers["idempotency-key"] == "key-1"
    assert asked.headers["x-api-key"] == "key-1"
    assert asked.body == {
        "order_id": "o",
        "token": "tok_approve",
        "amount": {"amount": 100, "currency": "EUR"},
    }


def test_a_declined_card_is_an_answer_and_not_tried_again(ask: Any) -> None:
    world, outcome = ask(Reply(402, {"code": "card-expired", "message": "old"}))
    assert outcome == Declined("card-expired", "old")
    assert len(world.asked) == 1


def test_a_reason_we_do_not_know_is_a_plain_decline(ask: Any) -> None:
    _, outcome = ask(Reply(402, {"code": "moon-phase", "message": "x" * 500}))
    assert outcome == Declined("declined", "x" * 200)


def test_a_key_that_was_cancelled_says_so(ask: Any) -> None:
    assert ask(Reply(410, {"title": "Cancelled"}))[1] == Cancelled()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_trouble_that_may_pass_is_tried_again_with_the_same_key(ask: Any, status: int) -> None:
    world, outcome = ask(Reply(status), Reply(status), ACCEPTED)
    assert outcome == Captured("ref-1")
    assert {asked.headers["idempotency-key"] for asked in world.asked} == {"key-1"}
    assert len(world.asked) == 3
    assert len(world.pauses) == 2
    assert all(0 <= pause <= 1 for pause in world.pauses)


def test_a_connection_that_breaks_is_tried_again(ask: Any) -> None:
    assert ask(Reply(hang_up=True), ACCEPTED)[1] == Captured("ref-1")


def test_silence_is_cut_short_and_tried_again(ask: Any) -> None:
    silence = threading.Event()

    def never(_: Asked) -> Reply:
        silence.wait(5)
        return ACCEPTED

    def at_last(_: Asked) -> Reply:
        silence.set()
        return ACCEPTED

    world, outcome = ask(never, at_last)
    assert outcome == Captured("ref-1")
    assert len(world.asked) == 2


def test_tries_have_an_end(ask: Any) -> None:
    world, error = ask(Reply(503))
    assert isinstance(error, GatewayUnavailable)
    assert len(world.asked) == TIMING.attempts


def test_a_gateway_that_cannot_be_reached_is_unavailable() -> None:
    world = World(ACCEPTED)
    with serving(world.answer) as url:
        gateway = world.gateway(url)
    with pytest.raises(GatewayUnavailable):
        gateway.capture("key-1", CHARGE)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_request_the_gateway_refuses_for_ever_is_poison(ask: Any, status: int) -> None:
    world, error = ask(Reply(status, {"title": "no"}))
    assert isinstance(error, Poison)
    assert len(world.asked) == 1


def test_a_redirect_is_not_followed_with_our_key(ask: Any) -> None:
    world, error = ask(Reply(307, headers={"location": "http://127.0.0.1:1/elsewhere"}))
    assert isinstance(error, Poison)
    assert len(world.asked) == 1


def test_a_refused_api_key_is_fetched_anew(ask: Any) -> None:
    world, outcome = ask(Reply(401), ACCEPTED)
    assert outcome == Captured("ref-1")
    assert [asked.headers["x-api-key"] for asked in world.asked] == ["key-1", "key-2"]


@pytest.mark.parametrize("body", [b"<html>", b"{}", b""])
def test_an_answer_that_is_not_understood_is_asked_for_again_later(ask: Any, body: bytes) -> None:
    assert isinstance(ask(Reply(201, body))[1], GatewayUnavailable)


def refunded(gateway: HttpGateway) -> None:
    gateway.refund("key-2", "ref-1", CHARGE.amount)


def cancelled(gateway: HttpGateway) -> Any:
    return gateway.cancel("key-1")


@pytest.mark.parametrize("status", [402, 410])
@pytest.mark.parametrize("what", [refunded, cancelled])
def test_what_declines_a_capture_says_nothing_of_money_given_back(
    ask: Any, what: Callable[[HttpGateway], Any], status: int
) -> None:
    _, error = ask(Reply(status, {"code": "declined"}), what=what)
    assert isinstance(error, Poison)


@pytest.mark.parametrize(
    "body", [{}, {"error": "?"}, {"status": "captured"}, {"status": "captured", "reference": ""}]
)
def test_a_cancellation_that_leaves_open_what_was_taken_is_asked_for_again(
    ask: Any, body: Any
) -> None:
    assert isinstance(ask(Reply(200, body), what=cancelled)[1], GatewayUnavailable)


def test_a_capture_without_a_reference_is_asked_for_again(ask: Any) -> None:
    assert isinstance(ask(Reply(201, {"reference": ""}))[1], GatewayUnavailable)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"status": "cancelled"}, Cancelled()),
        ({"status": "captured", "reference": "ref-1"}, Captured("ref-1")),
        ({"status": "declined", "code": "card-expired", "message": "old"},
         Declined("card-expired", "old")),
    ],
)  # fmt: skip
def test_a_cancellation_says_how_the_capture_ended(ask: Any, body: Any, outcome: Any) -> None:
    world, got = ask(Reply(200, body), what=cancelled)
    assert got == outcome
    assert world.asked[0].path == "/v1/cancellations"
    assert world.asked[0].headers["idempotency-key"] == "key-1"


def test_a_refund_names_the_payment_and_the_amount(ask: Any) -> None:
    world, got = ask(Reply(201, {"reference": "ref-2"}), what=refunded)
    assert got is None
    assert world.asked[0].path == "/v1/refunds"
    assert world.asked[0].body == {
        "payment_reference": "ref-1",
        "amount": {"amount": 100, "currency": "EUR"},
    }


def test_the_api_key_never_travels_in_the_clear() -> None:
    with pytest.raises(InsecureGateway):
        HttpGateway("http://gateway.example/v1", Secret("arn:secret"), TIMING)


def test_a_secret_is_kept_for_minutes_and_never_shown() -> None:
    now, secrets = [0.0], FakeSecrets()
    secret = Secret("arn:secret", secrets, clock=lambda: now[0])
    assert [secret.value(), secret.value()] == ["key-1", "key-1"]
    now[0] = 300.0
    assert secret.value() == "key-2"
    secret.forget()
    assert secret.value() == "key-3"
    assert "key" not in repr(secret)
