"""Events from a queue and items from a table: each is an event, or poison with a short reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core import inbox
from lambdas.core.errors import Poison
from lambdas.core.speaker import Speaker
from lambdas.outbox.publish_events import stored_event
from millrace.dead_letters.message import judge
from tests.dead_letters_world import current
from tests.unit.outbox.test_publish_events import record

SPEAKER = Speaker("millrace.image-pipeline", frozenset({"image.rejected.v1"}))
GOOD = json.loads(current(1))

_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_values = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
_deep = st.integers(1, 30_000).map(lambda depth: "[" * depth + "]" * depth)
_changes = st.dictionaries(st.sampled_from([*GOOD, "trace"]), _values, max_size=3)
_bodies = st.one_of(
    _changes.map(lambda some: json.dumps({**GOOD, **some})),
    _deep.map(lambda text: json.dumps({**GOOD, "detail": 0}).replace('"detail": 0', text)),
    _deep.map(lambda text: json.dumps({**GOOD, "detail": 0}).replace(": 0}", f": {text}}}")),
    st.text(max_size=100),
)
_strings = st.text(max_size=40) | _deep | _values.map(json.dumps)
_attributes = _strings.map(lambda text: {"S": text}) | _values
_names = st.sampled_from(["type", "source", "time", "subject", "detail", "trace"])


@given(_bodies)
def test_any_body_is_an_event_or_poison_and_a_dead_letter_is_judged_the_same(body: str) -> None:
    verdict, reason = judge(body), ""
    try:
        published = inbox.published_in(inbox.event_in(body))
    except Poison as poison:
        reason = poison.reason
    else:
        assert verdict.event_id == published.meta.id
    assert reason in {"", "undecodable", "unknown-type", "forged-source"}
    assert (verdict.kind in ("poison", "foreign")) == bool(reason)


@given(st.dictionaries(_names, _attributes, max_size=3))
def test_any_item_is_one_that_the_bus_takes_or_poison(changes: dict[str, Any]) -> None:
    reason = detail = ""
    try:
        event = stored_event(record(**changes))
        SPEAKER.check(event)
    except Poison as poison:
        reason, detail = poison.reason, poison.detail
    else:
        assert isinstance(json.loads(event.detail), dict)
    assert reason in {"", "undecodable", "forged-source", "foreign-type", "too-large"}
    assert len(detail) < 500


def test_a_batch_with_one_event_nested_too_deep_fails_that_one_alone() -> None:
    deep = json.dumps({**GOOD, "detail": 0}).replace(": 0}", f": {'[' * 30_000}{']' * 30_000}}}")
    with pytest.raises(Poison, match="undecodable"):
        inbox.event_in(deep)
