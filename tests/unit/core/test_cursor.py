"""Cursors: what is encoded comes back, and nothing else is taken."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core import cursor
from lambdas.core.http import Problem

KEYS = frozenset({"sk", "placed"})
texts = st.text(min_size=1, max_size=40)


def forged(document: str) -> str:
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


@given(texts, texts)
def test_a_place_comes_back_as_it_was(sk: str, placed: str) -> None:
    text = cursor.encode({"sk": sk, "placed": placed})
    assert text is not None
    assert cursor.decode(text, KEYS) == {"sk": sk, "placed": placed}


@given(texts)
def test_a_cursor_needs_no_escaping_in_a_url(sk: str) -> None:
    text = cursor.encode({"sk": sk})
    assert text is not None
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_no_place_is_no_cursor_and_no_cursor_is_the_beginning() -> None:
    assert cursor.encode(None) is None
    assert cursor.encode({}) is None
    assert cursor.decode(None, KEYS) is None
    assert cursor.decode("", KEYS) is None


@pytest.mark.parametrize(
    "given_text",
    [
        "a",
        "not a cursor",
        "äöü",
        "////",
        forged("null"),
        forged("[]"),
        forged('{"sk": "a"}'),
        forged('{"sk": "a", "placed": "b", "pk": "customer/somebody-else"}'),
        forged('{"sk": 1, "placed": "b"}'),
        forged('{"sk": "", "placed": "b"}'),
        forged('{"sk": "a", "placed": {"S": "b"}}'),
        forged('{"sk": "a", "placed": "b"'),
        forged("[" * 100_000),
        base64.urlsafe_b64encode(b'{"sk": "\xff", "placed": "b"}').decode(),
    ],
)
def test_what_is_no_cursor_of_the_list_is_the_callers_fault(given_text: str) -> None:
    with pytest.raises(Problem) as refusal:
        cursor.decode(given_text, KEYS)
    assert refusal.value.status == 422
    assert refusal.value.errors[0].pointer == "cursor"


@given(st.text(max_size=200))
def test_any_text_is_decoded_or_refused(text: str) -> None:
    position, status = None, 422
    try:
        position = cursor.decode(text, KEYS)
    except Problem as problem:
        status = problem.status
    assert status == 422
    assert position is None or position.keys() == KEYS
