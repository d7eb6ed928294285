"""Card numbers are seen however people write them, and little else is taken for one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.basket.cards import holds_card_number

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
@pytest.mark.parametrize("frame", ["{}", "tok_{}", "{}@example.com", "card {} thanks", "x{}x"])
def test_a_published_number_is_seen_wherever_it_stands(number: str, frame: str) -> None:
    assert holds_card_number(frame.format(number))
    grouped = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    assert holds_card_number(frame.format(grouped))
    assert holds_card_number(frame.format(grouped.replace(" ", "-")))


@given(st.text("0123456789", min_size=12, max_size=18), st.randoms(use_true_random=False))
def test_any_number_with_its_check_digit_is_seen_and_with_another_it_is_not(
    body: str, chance: random.Random
) -> None:
    number = with_check_digit(body)
    assert holds_card_number(f"no. {number}.")
    other = chance.choice([digit for digit in "0123456789" if digit != number[-1]])
    assert not holds_card_number(f"no. {number[:-1]}{other}.")


@pytest.mark.parametrize(
    "text", ["", "ada@example.com", "tok_visa_4f9d1c", "411111111111", "41111111111111110000"]
)
def test_what_is_no_card_number_is_let_through(text: str) -> None:
    assert not holds_card_number(text)
