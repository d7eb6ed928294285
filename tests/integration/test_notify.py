"""`notify` from the order's event to SES over HTTP, and what SES may answer."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from lambdas.contracts.orders import OrderCancelledV1, OrderConfirmedV1
from lambdas.notification.notify import handler
from millrace.paths import ROOT
from tests.fakes import sqs_event
from tests.loopback import Asked, Reply, serving
from tests.shop_events import CONTEXT, body, line, published
from tests.tracing_world import trace_aws_calls, traced_invocation

TEMPLATES = ROOT / "modules" / "notification" / "templates"


class World:
    """SES, as far as it shows: it renders templates as it does, and drops what it cannot."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.mails: list[dict[str, str]] = []
        self.answers: list[Reply] = []
        self._table = boto3.resource("dynamodb").Table("notifications")

    def serve(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        reply = self.answers.pop(0) if self.answers else Reply(200, {"MessageId": "m-1"})
        if reply.status == 200 and not reply.hang_up:
            self.mails.append(self._rendered(asked.body))
        return reply

    def _rendered(self, request: dict[str, Any]) -> dict[str, str]:
        template = request["Content"]["Template"]
        values = json.loads(template["TemplateData"])
        name = template["TemplateName"].removeprefix("millrace-test-")
        parts = {
            part: re.sub(
                r"{{(\w+)}}",
                lambda found: str(values[found[1]]),
                (TEMPLATES / f"{name}.{part}").read_text(),
            )
            for part in ("subject.txt", "txt", "html")
        }
        return {"to": request["Destination"]["ToAddresses"][0], **parts}

    def deliver(self, *messages: str) -> list[str]:
        answer = handler(sqs_event(*messages), CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def events(self) -> list[dict[str, Any]]:
        items = [i for i in self._table.scan()["Items"] if str(i["sk"]).startswith("event#")]
        return [json.loads(str(item["detail"])) for item in items]


@pytest.fixture
def world(make_table: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("NOTIFICATIONS_TABLE", make_table("notifications"))
    monkeypatch.setenv("SENDER", "shop@example.com")
    monkeypatch.setenv("TEMPLATE_PREFIX", "millrace-test-")
    monkeypatch.setenv("CONFIGURATION_SET", "millrace-test")
    world = World()
    with serving(world.serve) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", url)
        yield world


def confirmed(name: str = "Copper kettle", order_id: str = "ord_1") -> str:
    kettle = line("p", 2, 4990)
    data = OrderConfirmedV1(
        order_id=order_id,
        customer_id="u",
        email="ada@example.com",
        lines=(type(kettle)(product_id="p", name=name, quantity=2, unit_price=kettle.unit_price),),
        total=kettle.unit_price,
        payment_id="pay_1",
    )
    return body(published(data, f"order/{order_id}"))


def cancelled() -> str:
    data = OrderCancelledV1(
        order_id="ord_2",
        customer_id="u",
        email="bob@example.com",
        reason="out-of-stock",
        detail="",
        total=line("p", 1, 4990).unit_price,
    )
    return body(published(data, "order/ord_2"))


def test_a_confirmed_and_a_cancelled_order_are_written_about(world: World) -> None:
    assert world.deliver(confirmed(), cancelled()) == []
    first, second = world.mails
    assert first["to"] == "ada@example.com"
    assert first["subject.txt"] == "Your order ord_1 is confirmed"
    assert "2 x Copper kettle, 49.90 EUR each" in first["txt"]
    assert "2 x Copper kettle, 49.90 EUR each" in first["html"]
    assert second["to"] == "bob@example.com"
    assert "out of stock" in second["txt"]
    request = world.asked[0].body
    assert request["FromEmailAddress"] == "shop@example.com"
    assert request["ConfigurationSetName"] == "millrace-test"


def test_each_mail_is_told_of_once_however_often_its_cause_comes(world: World) -> None:
    assert world.deliver(confirmed(), confirmed()) == []
    assert world.deliver(confirmed()) == []
    assert len(world.mails) == 1
    (event,) = world.events()
    assert event["data"]["template"] == "order-confirmed"
    assert event["data"]["about"] == "order/ord_1"
    assert event["meta"]["subject"] == f"notification/{event['data']['notification_id']}"


def test_a_product_name_cannot_write_html(world: World) -> None:
    world.deliver(confirmed("<script>alert(1)</script>"))
    assert "<script>" not in world.mails[0]["html"]
    assert "&lt;script&gt;" in world.mails[0]["html"]


def test_a_throttled_mail_is_sent_at_the_next_delivery(world: World) -> None:
    headers = {"x-amzn-errortype": "TooManyRequestsException"}
    world.answers = [Reply(429, {"message": "slow down"}, headers)]
    assert world.deliver(confirmed()) == ["message-0"]
    assert world.deliver(confirmed()) == []
    assert len(world.mails) == 1


@pytest.mark.parametrize("answer", [Reply(500, {}), Reply(hang_up=True)])
def test_an_unknown_outcome_is_not_repeated_by_the_client_nor_at_once(
    world: World, answer: Reply
) -> None:
    world.answers = [answer]
    assert world.deliver(confirmed()) == ["message-0"]
    assert world.deliver(confirmed()) == ["message-0"]
    assert len(world.asked) == 1


def test_a_mail_ses_refuses_for_ever_fails_alone_and_its_address_is_not_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"x-amzn-errortype": "MessageRejected"}
    said = {"message": "Email address is not verified: ada@example.com"}
    world.answers = [Reply(400, said, headers)]
    assert world.deliver(confirmed(), cancelled()) == ["message-0"]
    assert [mail["to"] for mail in world.mails] == ["bob@example.com"]
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "mail-refused" in logged
    assert "ada@example.com" not in logged


@pytest.mark.parametrize(
    ("status", "code"), [(400, "MessageRejected"), (400, "Odd"), (429, "Slow"), (500, "Inner")]
)
def test_an_address_that_ses_repeats_is_in_no_trace_and_no_log(
    status: int,
    code: str,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    trace_aws_calls(monkeypatch)
    said = {"message": "Email address is not verified: ada@example.com"}
    world.answers = [Reply(status, said, {"x-amzn-errortype": code})]
    with traced_invocation(monkeypatch) as sent:
        assert world.deliver(confirmed()) == ["message-0"]
    (failed,) = sent.named("email")
    assert failed["aws"]["operation"] == "SendEmail"
    assert failed["cause"]["exceptions"]
    assert code in json.dumps(failed["cause"], default=vars)
    told = json.dumps(sent.segments, default=vars) + caplog.text
    told += "".join(str(vars(record)) for record in caplog.records)
    assert "ada@example.com" not in told
