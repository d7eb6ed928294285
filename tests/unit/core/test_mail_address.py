"""Addresses: the plain ones that SES delivers to, and nothing that it would take for another."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.mail_address import PATTERN, is_mail_address

LABEL = "a" * 63


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com",
        "a@b.co",
        "Ada.Lovelace+shop@mail.example.co.uk",
        "o'hara_1%x@example.com",
        "ada@xn--bcher-kva.example",
        "ada@1and1.example",
        "success+demo-1@simulator.amazonses.com",
        "a" * 64 + "@example.com",
        f"a@{LABEL}.{LABEL}.{LABEL}.{'a' * 60}",  # 254 characters
    ],
)
def test_an_address_is_taken(address: str) -> None:
    assert is_mail_address(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "a@b@example.com",
        "x<victim@x.com>",
        "Ada <ada@example.com>",
        "a,b@c",
        "a,b@example.com",
        "a@b;c",
        "a@example.com;b@example.com",
        "a@example.com,b@example.com",
        "a b@example.com",
        "ada @example.com",
        " ada@example.com",
        "ada@example.com ",
        "ada@example.com\n",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada\x00@example.com",
        "ada@exam\u200bple.com",
        "\u202eada@example.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        '"ada"@example.com',
        "ada(comment)@example.com",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        "ada@-example.com",
        "ada@example-.com",
        "ada@example..com",
        "ada@example.com.",
        "ada@exa_mple.com",
        "ada@bücher.example",
        "ädä@example.com",
        "a" * 65 + "@example.com",
        f"a@{'a' * 64}.example",
        f"a@{LABEL}.{LABEL}.{LABEL}.{'a' * 61}",  # 255 characters
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_mail_address(text)


@given(st.emails())
def test_what_is_taken_is_one_mailbox_of_harmless_characters(address: str) -> None:
    if is_mail_address(address):
        assert re.fullmatch(r"[!-~]+", address)
        assert not set(address) & set('<>,;:"()[]\\ ')
        assert address.count("@") == 1


@given(st.text(alphabet="a.-@<>,;\n\r\u202e", max_size=300))
def test_what_is_taken_has_the_form_that_the_schema_tells(text: str) -> None:
    if is_mail_address(text):
        assert re.search(PATTERN, text)
