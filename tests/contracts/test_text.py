"""Text of people: what is seen is what is there, in every body of every route."""

import json
import re
import unicodedata
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.contracts.text import LINE, PROSE
from lambdas.core.http import Problem
from lambdas.core.request_body import decode_body
from millrace import openapi

BODIES = [route.body for api in openapi.apis() for route in api.routes if route.body is not None]

GOOD = [
    "Kettle",
    "Café",
    "湯のみ",
    "קומקום",
    "إبريق",
    "نیم‌فاصله",  # a non-joiner belongs to its spelling
    "👩‍🍳 & 👨🏽‍🍳",  # joiners hold an emoji together
    "❤️",
    "1 µm × 2 Ω ‰ – “x”",  # noqa: RUF001
    "葛󠄀城",
    " padded ",
]
HOSTILE = [
    "a\x00b",
    "a\x1b[31mb",
    "a\x7fb",
    "a\x85b",
    "a\u009b31mb",
    "a\rb",
    "\u202egnp.exe",
    "a\u2066b\u2069",
    "a\u200fb",
    "a\u061cb",
    "a\u200bb",
    "a\u2060b",
    "a\ufeffb",
    "a\u00adb",
    "a\u2028b",
    "a\u2029b",
    "a\ufffeb",
    "a\U000e0041b",
]
BLANK = [
    "",
    " ",
    "\u00a0",
    "\u3000",
    "\u200d",
    "\u200c\u200d",
    "\u0301",
    "\u3164",
    "\u2800",
    "\ufe0f",
]
LINES = ["a\nb", "a\tb", "a\n"]


@pytest.mark.parametrize("text", GOOD)
def test_what_people_write_in_any_script_is_taken(text: str) -> None:
    assert re.search(LINE, unicodedata.normalize("NFC", text))
    assert re.search(PROSE, f"{text}\n\t{text}")


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_cannot_be_seen_is_refused(text: str) -> None:
    assert not re.search(LINE, text)
    assert not re.search(PROSE, f"more\n{text}")


@pytest.mark.parametrize("text", [*BLANK, *LINES], ids=ascii)
def test_a_name_is_one_line_with_something_to_see(text: str) -> None:
    assert not re.search(LINE, text)
    assert re.search(PROSE, text)


@given(st.text(max_size=50))
def test_no_control_or_format_character_gets_through_but_the_joiners(text: str) -> None:
    if re.search(LINE, text):
        seen = {unicodedata.category(letter) for letter in set(text) - {"\u200c", "\u200d"}}
        assert not seen & {"Cc", "Zl", "Zp"}
        assert not any(unicodedata.bidirectional(letter) in BIDI_CONTROLS for letter in text)


BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def text_fields(kind: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all texts in a body's type."""
    if get_origin(kind) is Annotated:
        return text_fields(get_args(kind)[0], path)
    if kind is str:
        return [path]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = msgspec.structs.fields(kind)
        return [found for f in fields for found in text_fields(f.type, (*path, f.encode_name))]
    return [found for part in get_args(kind) for found in text_fields(part, path)]


FIELDS = [(body, path) for body in BODIES for path in text_fields(body)]


def body_with(text: str, path: tuple[str, ...]) -> bytes:
    value: Any = text
    for name in reversed(path):
        value = {name: value}
    return json.dumps(value).encode()


def refused_at(kind: Any, raw: bytes) -> str:
    """Where and why the body is refused; fields that are missing come after those that are bad."""
    with pytest.raises((msgspec.ValidationError, Problem)) as refusal:
        decode_body(raw, kind)
    return str(refusal.value)


@pytest.mark.parametrize(("kind", "path"), FIELDS, ids=lambda part: str(part))
def test_no_field_of_any_body_takes_what_cannot_be_seen(kind: Any, path: tuple[str, ...]) -> None:
    for text in HOSTILE:
        assert f"`$.{'.'.join(path)}`" in refused_at(kind, body_with(text, path)), ascii(text)


def test_there_are_texts_to_look_at() -> None:
    assert {path[-1] for _, path in FIELDS} >= {"name", "description", "currency", "payment_token"}
