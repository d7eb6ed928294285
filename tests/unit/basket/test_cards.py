"""Card numbers are seen when a text is one, and no identifier of ours is taken for one."""

import hashlib
import random
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.basket.cards import is_card_number
from lambdas.basket.domain import Basket
from lambdas.catalog.domain import product_id_for
from lambdas.notification.domain import notification_id
from lambdas.payment.domain import payment_id
from lambdas.sandbox_gateway.domain import reference

# Numbers that card networks publish for tests.
PUBLISHED = [
    "4111111111111111",
    "5555555555554444",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3530111333300000",
    "4222222222222",
    "6304000000000000018",
]


def with_check_digit(body: str) -> str:
    """The body and the digit that makes Luhn's sum a multiple of ten, reckoned from the left."""
    weights = [2 if (len(body) - place) % 2 else 1 for place in range(len(body))]
    products = [int(digit) * weight for digit, weight in zip(body, weights, strict=True)]
    return f"{body}{-sum(p - 9 if p > 9 else p for p in products) % 10}"


@pytest.mark.parametrize("number", PUBLISHED)
def test_a_published_number_is_seen(number: str) -> None:
    assert is_card_number(number)


@given(st.text("0123456789", min_size=12, max_size=18), st.randoms(use_true_random=False))
def test_any_number_with_its_check_digit_is_seen_and_with_another_it_is_not(
    body: str, chance: random.Random
) -> None:
    number = with_check_digit(body)
    assert is_card_number(number)
    other = chance.choice([digit for digit in "0123456789" if digit != number[-1]])
    assert not is_card_number(f"{number[:-1]}{other}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "visa_4f9d1c",
        "411111111111",
        "41111111111111110000",
        "ab4111111111111111",
        "4111 1111 1111 1111",
    ],
)
def test_what_is_no_card_number_is_let_through(text: str) -> None:
    assert not is_card_number(text)


def _hex(seed: int) -> str:
    return hashlib.sha256(str(seed).encode()).hexdigest()


MAKERS: dict[str, Callable[[int], str]] = {
    "product": lambda seed: product_id_for(_hex(seed)),
    "payment": lambda seed: payment_id(_hex(seed)),
    "notification": lambda seed: notification_id(_hex(seed), "order-confirmed"),
    "gateway's reference": lambda seed: reference(_hex(seed)),
    "basket": lambda seed: Basket(customer_id=_hex(seed)).subject,
    "payment token": lambda seed: f"tok_{_hex(seed)[:24]}",
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=list(MAKERS))
def test_no_identifier_of_ours_is_taken_for_a_card_number(make: Callable[[int], str]) -> None:
    suspicious = 0
    for seed in range(5_000):
        made = make(seed)
        suspicious += bool(re.search(r"[0-9]{13}", made))
        assert not is_card_number(made.removeprefix("tok_")), made
    assert suspicious  # among so many, some hold a run of digits as long as a card's
