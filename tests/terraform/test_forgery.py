"""A forged payment in the table of products, at each wall alone, the others being open."""

import json
from typing import Any

import msgspec
import pytest

from lambdas.contracts.money import Money
from lambdas.contracts.payments import PaymentCapturedV1
from lambdas.core import inbox
from lambdas.core.errors import Poison
from lambdas.core.outbox import StoredEvent
from lambdas.core.speaker import Speaker
from tests.shop_events import body, published
from tests.terraform.conftest import PlanOf
from tests.terraform.iam import Request, Statement, is_allowed
from tests.terraform.plans import Plan
from tests.terraform.speaker_policy import statements

pytestmark = pytest.mark.terraform

PAYMENT = published(
    PaymentCapturedV1(order_id="ord_1", payment_id="p", amount=Money(amount=1, currency="EUR")),
    "order/ord_1",
)
FORGED = StoredEvent(
    type="payment.captured.v1",
    source="millrace.payment",
    time=PAYMENT.meta.time,
    subject="order/ord_1",
    detail=msgspec.json.encode(PAYMENT).decode(),
)
PUBLISHER = "millrace-prod-products-publisher"


class Prod:
    """The policies and the settings that the plan of prod gives."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = Plan(plan)
        (policy,) = self._plan.of("aws_cloudwatch_event_bus_policy")
        self.bus_policy = statements(policy)
        self.bus = self.bus_policy[0]["Resource"]
        self.account = self.bus.split(":")[4]

    def role(self, name: str) -> list[Statement]:
        policies = self._plan.of("aws_iam_role_policy")
        return [s for p in policies if p.values["role"] == name for s in statements(p)]

    def speaker(self, function: str) -> Speaker:
        functions = self._plan.of("aws_lambda_function")
        (found,) = [f for f in functions if f.values["function_name"] == function]
        variables = found.values["environment"][0]["variables"]
        return Speaker(variables["SPEAKS_AS"], frozenset(json.loads(variables["EMITS"])))

    def put(self, event: StoredEvent, principal: str | None = f"role/{PUBLISHER}") -> Request:
        keys = {"events:source": event.source, "events:detail-type": event.type}
        if principal is not None:
            keys["aws:PrincipalArn"] = f"arn:aws:iam::{self.account}:{principal}"
        return Request("events:PutEvents", self.bus, keys)

    @property
    def anything(self) -> list[Statement]:
        """The policy of somebody who may put events, as far as he himself is concerned."""
        return [{"Effect": "Allow", "Action": "events:*", "Resource": "*"}]


@pytest.fixture
def prod(plan_of: PlanOf) -> Prod:
    return Prod(plan_of("prod"))


def reason_of(refuses: Any) -> str:
    with pytest.raises(Poison) as poison:
        refuses()
    return poison.value.reason


def consume(source: str) -> None:
    message = json.loads(body(PAYMENT)) | {"source": source}
    inbox.published_in(inbox.event_in(json.dumps(message)))


def test_each_wall_alone_refuses_a_forged_payment(prod: Prod) -> None:
    role = prod.role(PUBLISHER)
    answers = {
        "the publisher's role": is_allowed(prod.put(FORGED), role, []),
        "the bus": is_allowed(prod.put(FORGED), prod.anything, prod.bus_policy),
    }
    assert answers == {"the publisher's role": False, "the bus": False}
    reasons = {
        "the publisher": reason_of(lambda: prod.speaker(PUBLISHER).check(FORGED)),
        "the consumer": reason_of(lambda: consume("millrace.catalog")),
    }
    assert set(reasons.values()) == {"forged-source"}
    for wall in answers:
        print(f"{wall:24} PutEvents is denied")
    for wall, reason in reasons.items():
        print(f"{wall:24} {reason}")


def test_each_wall_lets_the_service_itself_through(prod: Prod) -> None:
    payments = "millrace-prod-payments-publisher"
    request = prod.put(FORGED, f"role/{payments}")
    assert is_allowed(request, prod.role(payments), prod.bus_policy)
    prod.speaker(payments).check(FORGED)
    consume("millrace.payment")


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [
        (None, True),  # the archive's replay
        ("user/anna", True),
        ("role/aws-reserved/sso.amazonaws.com/Operator", True),
        ("role/millrace-prod-payments-publisher", True),
        ("role/millrace-prod-payments-publisher2", False),
        ("role/some-function", False),
    ],
)
def test_the_bus_refuses_whoever_is_neither_the_service_nor_an_operator(
    prod: Prod, principal: str | None, allowed: bool
) -> None:
    request = prod.put(FORGED, principal)
    assert is_allowed(request, prod.anything, prod.bus_policy) is allowed


def test_a_role_may_put_no_entry_without_its_source_or_type(prod: Prod) -> None:
    own = msgspec.structs.replace(FORGED, source="millrace.catalog", type="product.deleted.v1")
    request = prod.put(own)
    assert is_allowed(request, prod.role(PUBLISHER), prod.bus_policy)
    for key in ("events:source", "events:detail-type"):
        fewer = {name: value for name, value in request.keys.items() if name != key}
        assert not is_allowed(
            Request(request.action, request.resource, fewer), prod.role(PUBLISHER), []
        )
