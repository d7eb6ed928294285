"""`take_payment` against the sandbox gateway over real HTTP: each token's story, and the books."""

import random
from collections.abc import Callable, Iterator

import pytest

from tests.integration.payment_world import API_KEY, TOTAL, PaymentWorld, set_up
from tests.loopback import serving

CAPTURED = [("payment.captured.v1", 2)]


@pytest.fixture
def failure_rate() -> float:
    return 0.0


@pytest.fixture
def world(
    make_table: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, failure_rate: float
) -> Iterator[PaymentWorld]:
    world = set_up(monkeypatch, make_table, failure_rate=failure_rate)
    with serving(world.serve) as url:
        monkeypatch.setenv("GATEWAY_URL", f"{url}/sandbox")
        yield world


def test_an_approved_order_is_charged_and_told_of_once(world: PaymentWorld) -> None:
    approved = world.approved("o")
    assert world.deliver(approved, approved) == []
    assert world.deliver(approved) == []
    row = world.row("o")
    assert (row["status"], row["revision"]) == ("captured", 2)
    assert row["amount"] == {"amount": TOTAL.amount, "currency": TOTAL.currency}
    assert row["gateway_reference"].startswith("sbx_")
    assert world.outbox("o") == CAPTURED
    assert (world.books("o").captured, world.books("o").captures) == (TOTAL.amount, 1)


def test_a_declined_card_is_told_with_its_reason(world: PaymentWorld) -> None:
    assert world.deliver(world.approved("o", "tok_decline_card_expired")) == []
    assert world.row("o")["status"] == "declined"
    assert world.outbox("o") == [("payment.declined.v2", 2)]
    assert '\\"code\\":\\"card-expired\\"' in world.everything_stored()
    assert world.books("o").captured == 0


@pytest.mark.parametrize("token", ["tok_timeout", "tok_duplicate"])
def test_a_capture_whose_answer_is_lost_is_found_by_the_next_try(
    world: PaymentWorld, token: str
) -> None:
    assert world.deliver(world.approved("o", token)) == []
    assert world.outbox("o") == CAPTURED
    assert world.books("o").captures == 1
    assert len([call for call in world.calls if call.path == "/sandbox/payments"]) == 2


def test_a_cancelled_order_is_refunded_once(world: PaymentWorld) -> None:
    assert world.deliver(world.approved("o"), world.cancelled("o"), world.cancelled("o")) == []
    assert world.row("o")["status"] == "refunded"
    assert world.outbox("o") == [*CAPTURED, ("payment.refunded.v1", 4)]
    assert (world.books("o").captured, world.books("o").refunded) == (TOTAL.amount, TOTAL.amount)
    assert world.books("o").refunds == 1


def test_an_approval_after_the_cancellation_takes_nothing(world: PaymentWorld) -> None:
    assert world.deliver(world.cancelled("o"), world.approved("o")) == []
    assert world.row("o")["status"] == "voided"
    assert world.outbox("o") == []
    assert world.calls == []


def test_a_capture_that_never_reached_the_gateway_is_cancelled_there(world: PaymentWorld) -> None:
    world.down = True
    assert len(world.deliver(world.approved("o"))) == 1
    assert world.row("o")["status"] == "capturing"
    world.down = False
    assert world.deliver(world.cancelled("o")) == []
    assert world.row("o")["status"] == "voided"
    assert world.deliver(world.approved("o")) == []
    assert world.books("o").captured == 0
    assert world.outbox("o") == []


def test_an_order_waits_while_the_gateway_is_down(world: PaymentWorld) -> None:
    approved = world.approved("o")
    world.down = True
    assert world.deliver(approved) == [approved]
    assert world.outbox("o") == []
    world.down = False
    assert world.deliver(approved) == []
    assert world.outbox("o") == CAPTURED


def test_no_token_and_no_api_key_is_ever_stored(world: PaymentWorld) -> None:
    world.deliver(world.approved("o", "tok_approve_ada"), world.cancelled("o"))
    stored = world.everything_stored()
    assert "order/o" in stored
    assert "tok_approve_ada" not in stored
    assert API_KEY not in stored


def test_nothing_secret_is_logged_when_a_payment_fails(
    world: PaymentWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.down = True
    world.deliver(world.approved("o", "tok_approve_ada"))
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "record failed" in logged
    assert "tok_approve_ada" not in logged
    assert API_KEY not in logged


@pytest.mark.parametrize("failure_rate", [0.2])
def test_with_one_call_in_five_failing_every_cent_is_accounted_for(world: PaymentWorld) -> None:
    """16 orders, each event twice, shuffled; half of them are cancelled."""
    orders = [world.new_order() for _ in range(16)]
    cancelled = set(orders[::2])
    messages = [world.approved(order) for order in orders]
    messages += [world.cancelled(order) for order in cancelled]
    messages *= 2
    random.Random(7).shuffle(messages)
    deliveries = world.deliver_until_done(*messages)
    books = world.books()
    confirmed = [order for order in orders if order not in cancelled]
    assert books.captured - books.refunded == TOTAL.amount * len(confirmed)
    assert all(world.outbox(order) == CAPTURED for order in confirmed)
    assert {world.row(order)["status"] for order in cancelled} <= {"voided", "refunded"}
    retried = len(world.calls) - len({(c.path, c.headers["idempotency-key"]) for c in world.calls})
    print(f"{deliveries} deliveries, {len(world.calls)} calls, {retried} retried, {books}")
    assert retried > 0
