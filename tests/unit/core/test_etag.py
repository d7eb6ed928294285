"""`If-Match`: which revisions a request may change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core import etag
from lambdas.core.http import Caller, Problem, Request


def precondition(text: str | None) -> etag.Precondition:
    headers = {} if text is None else {"if-match": text}
    return etag.if_match(
        Request(id="r", correlation_id="c", caller=Caller(id="u"), headers=headers)
    )


@given(st.integers(0, 10**12))
def test_the_tag_of_a_revision_allows_that_revision_and_no_other(revision: int) -> None:
    asked = precondition(etag.headers(revision)["etag"])
    assert asked.allows(revision)
    assert not asked.allows(revision + 1)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        (None, {0, 1, 2}),
        ("", {0, 1, 2}),
        ("*", {1, 2}),
        ('"1"', {1}),
        ('"1", "2"', {1, 2}),
        ('W/"1"', set()),
        ('"x1"', set()),
        ("1", set()),
    ],
)
def test_what_a_header_allows(text: str | None, allowed: set[int]) -> None:
    assert {revision for revision in range(3) if precondition(text).allows(revision)} == allowed


def test_a_refusal_is_a_412_that_tells_the_revision_of_now() -> None:
    with pytest.raises(Problem) as refused:
        precondition('"1"').require(4)
    assert refused.value.status == 412
    assert refused.value.headers == {"etag": '"4"'}


@given(st.text())
def test_no_header_value_makes_it_stumble(text: str) -> None:
    precondition(text).allows(1)
