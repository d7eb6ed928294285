"""The HTTP API as strangers meet it: whatever is sent, and whatever token it comes with."""

import base64
import copy
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from millrace import openapi
from millrace.local_aws import LocalAws
from tests.e2e.shop import ADMIN_SCOPES, Answer, Shop
from tests.e2e.world import World, wait_until, wait_while

EXAMPLES_EACH = 25
DESCRIBED: dict[str, Any] = json.loads(openapi.DOCUMENT.read_text())
EVERY = [
    (method.upper(), path, operation)
    for path, operations in DESCRIBED["paths"].items()
    for method, operation in operations.items()
]
CONFORMANT = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

PROTECTED = [
    (method, path, operation["security"][0]["token"])
    for method, path, operation in EVERY
    if operation["security"]
]


def tokenless(described: dict[str, Any]) -> dict[str, Any]:
    """Without the demand for a token: else one is invented now and then, and goes first."""
    open_to_all = copy.deepcopy(described)
    for operations in open_to_all["paths"].values():
        for operation in operations.values():
            operation["security"] = []
    return open_to_all


SCHEMA = schemathesis.openapi.from_dict(tokenless(DESCRIBED))
OPERATIONS = {said["operationId"]: SCHEMA[path][method] for method, path, said in EVERY}


# --- whatever is sent -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What there is, so that not every request ends at "no such thing"."""

    product_id: str
    doomed_id: str
    order_id: str
    device_id: str


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the machine must not take the requests
        yield session


@pytest.fixture(scope="module")
def known(shop: Shop) -> Known:
    token = shop.token("fuzz", *ADMIN_SCOPES)
    assert shop.call("DELETE", "/basket", token).status == 204
    product_id = shop.product("Fuzz", 100, on_hand=10_000)
    fill(shop, product_id)
    body = {"payment_token": "tok_approve_fuzz", "email": "fuzz@example.com"}
    key = {"idempotency-key": f"fuzz-{time.time_ns()}"}
    answer = shop.call("POST", "/basket/checkout", token, body, key)
    assert answer.status == 202, answer
    doomed_id = shop.product("Doomed", 100, on_hand=1)
    return Known(product_id, doomed_id, str(answer.body["order_id"]), device(shop, token))


def fill(shop: Shop, product_id: str) -> None:
    """The user's basket holds the product, as soon as the basket knows of it."""
    wait_until("a basket", lambda: shop.put_item("fuzz", product_id, 1).status == 200)


def device(shop: Shop, token: str) -> str:
    """A device that was heard of."""
    name, now = "fuzz", time.time_ns() // 1_000_000
    reading = {"device": name, "time": now, "sequence": now, "metrics": {"celsius": 20.5}}
    shop.world.client("kinesis").put_record(
        StreamName=shop.world.outputs["telemetry_stream"],
        Data=json.dumps(reading).encode(),
        PartitionKey=name,
    )
    path = f"/devices/{name}"
    wait_until("a device", lambda: shop.call("GET", path, token).status == 200)
    return name


def cases(operation: Any) -> Any:
    """Valid requests, and invalid ones where there is anything to get wrong."""
    valid: Any = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if not (operation.body or operation.query or operation.headers):
        return valid
    return valid | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


def test_the_served_description_is_the_committed_one(shop: Shop) -> None:
    answer = shop.call("GET", "/openapi.json")
    assert (answer.status, answer.body) == (200, DESCRIBED)


@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_is_sent_the_answer_is_a_documented_one(
    shop: Shop, http: requests.Session, known: Known, name: str
) -> None:
    answered: Counter[int] = Counter()
    authorization = {"Authorization": f"Bearer {shop.token('fuzz', *ADMIN_SCOPES)}"}
    there = {"order_id": known.order_id, "product_id": known.product_id, "id": known.device_id}
    if name == "catalog.remove":
        there["product_id"] = known.doomed_id

    @settings(
        max_examples=EXAMPLES_EACH,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        case = data.draw(cases(OPERATIONS[name]))
        if case.path_parameters and data.draw(st.booleans(), label="something that there is"):
            case.path_parameters = {part: there[part] for part in case.path_parameters}
        if name == "basket.place_order":
            shop.put_item("fuzz", known.product_id, 1)
        response = case.call(base_url=shop.url, session=http, headers=authorization)
        case.validate_response(response, checks=CONFORMANT)
        assert response.status_code not in (401, 403), "the token grants everything"
        assert "Traceback" not in response.text
        answered[response.status_code] += 1

    send()
    assert any(status < 300 for status in answered), f"nothing got past the checks: {answered}"


def test_nothing_that_was_sent_has_got_stuck(shop: Shop, world: World) -> None:
    """What was accepted is also worked off: no order of a stranger poisons an inbox."""
    assert shop.call("GET", "/basket", shop.token("fuzz")).status == 200
    wait_while("waiting", world.waiting)
    assert world.dead_letters() == {}


# --- whatever token it comes with -----------------------------------------------------------------

Claims = dict[str, Any]


class Forger:
    """Makes tokens with the user pool's own key, from the claims of a real one."""

    def __init__(self, token: str, key: rsa.RSAPrivateKey) -> None:
        self.token = token
        self._key = key
        self._header, self.claims = (decoded(part) for part in token.split(".")[:2])

    def signed(self, *, key: rsa.RSAPrivateKey | None = None, **changed: Any) -> str:
        """With these claims changed; by the pool's key or another one under its name."""
        text = f"{encoded(self._header)}.{encoded({**self.claims, **changed})}"
        signature = (key or self._key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{base64url(signature)}"

    def with_claims_of_another(self) -> str:
        """The real signature below a text that it is not of."""
        header, _, signature = self.token.split(".")
        return f"{header}.{encoded({**self.claims, 'sub': 'somebody-else'})}.{signature}"

    def unsigned(self) -> str:
        return f"{encoded({**self._header, 'alg': 'none'})}.{self.token.split('.')[1]}."


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encoded(part: Claims) -> str:
    return base64url(json.dumps(part).encode())


def decoded(part: str) -> Claims:
    found: Claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


@pytest.fixture(scope="module")
def forger(shop: Shop, local_aws: LocalAws) -> Forger:
    pool = shop.world.outputs["user_pool_id"]
    keys = local_aws.root / "tmp" / "state" / "cognito-pool-keys"
    pem = (keys / f"{pool}-access.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return Forger(shop.token("mallory", *ADMIN_SCOPES), key)


def an_hour_ago() -> int:
    return int(time.time()) - 3600


def any_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


REFUSED: dict[str, Callable[[Forger], str | None]] = {
    "none": lambda _: None,
    "not a token": lambda _: "Zm9v.YmFy.YmF6",
    "expired": lambda f: f.signed(exp=an_hour_ago()),
    "of another audience": lambda f: f.signed(client_id="another-client"),
    "of another issuer": lambda f: f.signed(iss=f.claims["iss"] + "x"),
    "signed by another key": lambda f: f.signed(key=any_key()),
    "with the claims of another": lambda f: f.with_claims_of_another(),
    "unsigned": lambda f: f.unsigned(),
    "cut": lambda f: f.token[:-8],
}


def everywhere(shop: Shop, token: str | None, needing: bool | None = None) -> Iterator[Answer]:
    """What every protected route answers, or only those that need a scope."""
    for method, path, scopes in PROTECTED:
        if needing is None or bool(scopes) == needing:
            filled = path.replace("{product_id}", "prod_any").replace("{order_id}", "ord_any")
            yield shop.call(method, filled, token, {} if method in ("POST", "PUT") else None)


def gives_nothing_away(answer: Answer, forger: Forger) -> bool:
    secrets = (forger.claims["sub"], forger.claims["client_id"], "millrace/", "Traceback", "boto")
    said = f"{answer.text} {dict(answer.headers)}"
    return not any(secret in said for secret in secrets)


def test_a_token_with_the_pools_signature_is_taken(shop: Shop, forger: Forger) -> None:
    """Else the next test would show nothing about what it changes."""
    token = forger.signed(exp=int(time.time()) + 600)
    assert token != forger.token
    assert shop.call("GET", "/basket", token).status == 200


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_token_opens_no_route_and_learns_nothing(
    shop: Shop, forger: Forger, kind: str
) -> None:
    answers = list(everywhere(shop, REFUSED[kind](forger)))
    assert len(answers) == len(PROTECTED) > 10
    for answer in answers:
        assert (answer.status, answer.body) == (401, {"message": "Unauthorized"}), answer
        assert gives_nothing_away(answer, forger), answer


@pytest.mark.parametrize(
    "scope", [None, "openid", "millrace/orders.admin", "millrace/catalog.writer"]
)
def test_without_its_scope_a_route_stays_closed_and_says_nothing(
    shop: Shop, forger: Forger, scope: str | None
) -> None:
    token = forger.signed(scope=scope or "")
    answers = list(everywhere(shop, token, needing=True))
    assert len(answers) >= 5
    for answer in answers:
        assert (answer.status, answer.body) == (403, {"message": "Forbidden"}), answer
        assert gives_nothing_away(answer, forger), answer


def test_one_scope_does_not_stand_for_another(shop: Shop, forger: Forger) -> None:
    catalog = forger.signed(scope="millrace/catalog.write")
    stock = forger.signed(scope="millrace/stock.write")
    assert shop.call("PUT", "/stock/prod_any", catalog, {"on_hand": 1}).status == 403
    assert shop.call("DELETE", "/products/prod_any", stock).status == 403
    assert shop.call("DELETE", "/products/prod_any", catalog).status == 204


def test_everybodys_orders_need_the_scope_that_the_handler_asks_for(
    shop: Shop, forger: Forger
) -> None:
    answer = shop.call("GET", "/orders?everybody=true", forger.signed(scope=""))
    assert answer.status == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert forger.claims["sub"] not in answer.text
