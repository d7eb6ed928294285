"""Cursors of paged lists: where the next page starts, opaque to the caller."""

import base64
from typing import Any

import msgspec

from lambdas.core.http import invalid


def encode(position: dict[str, Any] | None) -> str | None:
    """A cursor for DynamoDB's LastEvaluatedKey; None when there is no further page."""
    if not position:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def decode(cursor: str | None, keys: frozenset[str]) -> dict[str, Any] | None:
    """The position behind a cursor, with exactly these keys. Raises a 422 Problem otherwise."""
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        position = msgspec.json.decode(text, type=dict[str, str | int])
    except (ValueError, msgspec.DecodeError) as error:
        raise invalid("cursor", "not a cursor of this list") from error
    if set(position) != keys:
        raise invalid("cursor", "not a cursor of this list")
    return dict(position)
