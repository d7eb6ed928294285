"""Cursors of paged lists: where the next page starts, opaque to the caller."""

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from lambdas.core.http import invalid


def encode(position: Mapping[str, str] | None) -> str | None:
    """A cursor for a place in a list, by the names of its keys; None when no page follows."""
    if not position:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def decode(cursor: str | None, keys: frozenset[str]) -> dict[str, Any] | None:
    """The place behind a cursor: exactly these keys, each a text that is not empty.

    A caller can forge one, so a partition key never belongs in it. Raises a 422 Problem for
    anything that `encode` would not have made.
    """
    if not cursor:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = msgspec.json.decode(text, type=dict[str, str])
    except (ValueError, msgspec.DecodeError) as error:
        raise invalid("cursor", "not a cursor of this list") from error
    if position.keys() != keys or not all(position.values()):
        raise invalid("cursor", "not a cursor of this list")
    return dict(position)
