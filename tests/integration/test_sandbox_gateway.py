"""The sandbox gateway as its callers meet it: keys honoured, books right, doors shut."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from lambdas.sandbox_gateway import api as sandbox
from tests.integration.http_client import Answer, HttpClient

EUR_10 = {"amount": 1000, "currency": "EUR"}


class World:
    def __init__(self) -> None:
        self._client = HttpClient(sandbox.API, sandbox.handler)

    def post(self, what: str, key: str, body: Any, api_key: str = "right") -> Answer:
        headers = {"Idempotency-Key": key, "X-Api-Key": api_key}
        return self._client.call("POST", f"/sandbox/{what}", body, headers=headers)

    def capture(self, key: str, token: str = "tok_approve", **more: Any) -> Answer:
        return self.post(
            "payments", key, {"order_id": "o", "token": token, "amount": EUR_10} | more
        )

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        asked = {"x-api-key": "right"} if headers is None else headers
        return self._client.call("GET", f"/sandbox/{path}", headers=asked)


@pytest.fixture
def world(make_table: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> World:
    arn = boto3.client("secretsmanager").create_secret(Name="s", SecretString="right")["ARN"]
    monkeypatch.setenv("GATEWAY_SECRET_ARN", arn)
    monkeypatch.setenv("LEDGER_TABLE", make_table("ledger"))
    monkeypatch.setenv("STALL_SECONDS", "0")
    return World()


def test_the_same_key_gets_the_same_answer_and_moves_money_once(world: World) -> None:
    first, second = world.capture("k"), world.capture("k")
    assert first.status == second.status == 201
    assert first.body == second.body
    assert world.get("ledger/o").body == {
        "captured": 1000,
        "refunded": 0,
        "captures": 1,
        "refunds": 0,
    }


def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    world.capture("k")
    assert world.capture("k", amount={"amount": 1, "currency": "EUR"}).status == 409
    assert world.get("ledger/o").body["captured"] == 1000


def test_a_decline_is_final_for_its_key(world: World) -> None:
    declined = world.capture("k", "tok_decline_insufficient_funds")
    assert (declined.status, declined.body["code"]) == (402, "insufficient-funds")
    assert world.capture("k", "tok_decline_insufficient_funds").body == declined.body
    assert world.post("cancellations", "k", {}).body["status"] == "declined"


def test_after_a_cancellation_nothing_is_taken_under_its_key(world: World) -> None:
    assert world.post("cancellations", "k", {}).body == {"status": "cancelled"}
    assert world.post("cancellations", "k", {}).body == {"status": "cancelled"}
    assert world.capture("k").status == 410
    assert world.get("ledger/o").body["captured"] == 0


def test_a_cancellation_that_comes_too_late_says_what_was_taken(world: World) -> None:
    reference = world.capture("k").body["reference"]
    assert world.post("cancellations", "k", {}).body == {
        "status": "captured",
        "reference": reference,
    }


def test_a_refund_gives_back_no_more_than_was_taken(world: World) -> None:
    payment = world.capture("k").body["reference"]
    refund = {"payment_reference": payment, "amount": {"amount": 600, "currency": "EUR"}}
    assert world.post("refunds", "r1", refund).status == 201
    assert world.post("refunds", "r1", refund).status == 201
    assert world.post("refunds", "r2", refund).status == 422
    other = {"payment_reference": payment, "amount": {"amount": 1, "currency": "USD"}}
    assert world.post("refunds", "r3", other).status == 422
    unknown = {**refund, "payment_reference": "sbx_none"}
    assert world.post("refunds", "r4", unknown).status == 404
    assert world.get("ledger/o").body["refunded"] == 600


def test_a_failing_answer_can_come_before_or_after_the_effect_and_a_retry_heals_both(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILURE_RATE", "0.5")
    statuses = set()
    for number in range(12):
        answer = world.capture(f"k{number}", order_id=f"o{number}")
        statuses.add(answer.status)
        while answer.status != 201:
            answer = world.capture(f"k{number}", order_id=f"o{number}")
    assert statuses == {201, 500, 503}
    books = world.get("ledger").body
    assert books["orders"] == 12
    assert (books["total"]["captured"], books["total"]["captures"]) == (12_000, 12)


def test_a_late_answer_is_a_gateway_time_out_and_the_money_is_taken(world: World) -> None:
    assert world.capture("k", "tok_timeout").status == 504
    assert world.get("ledger/o").body["captured"] == 1000
    assert world.capture("k", "tok_timeout").status == 201


def test_without_the_right_api_key_nothing_is_done_or_shown(world: World) -> None:
    body = {"order_id": "o", "token": "tok_approve", "amount": EUR_10}
    assert world.post("payments", "k", body, api_key="wrong").status == 401
    assert world.get("ledger", headers={}).status == 400
    assert world.get("ledger", headers={"x-api-key": "wröng"}).status == 401
    assert world.get("ledger/o").body["captured"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [({"amount": {"amount": -1, "currency": "EUR"}}, "amount"), ({"card": "4111"}, "card")],
)
def test_a_malformed_capture_is_refused_by_name(
    world: World, change: dict[str, Any], field: str
) -> None:
    answer = world.capture("k", **change)
    assert answer.status == 422
    assert field in str(answer.body)
