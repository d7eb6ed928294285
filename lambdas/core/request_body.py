"""A request's JSON body: a budget for reading it, then its type.

Reading costs what the bytes cost: their number is bounded first, then the depth and the number of
values in them, before anything is made of the values. Text comes out in one spelling (Unicode
NFC), so that what looks the same is the same.
"""

import unicodedata
from typing import Any

import msgspec

from lambdas.core.problems import Problem

MAX_BODY_BYTES = 256 * 1024
"""A longer body is refused before it is parsed."""
MAX_DEPTH = 16
"""Objects and arrays within each other."""
MAX_VALUES = 1_000
"""Members of all objects and elements of all arrays together."""


def decode_body(raw: bytes, kind: Any) -> Any:
    """The body as `kind`. Raises a 400 or 413 Problem, or msgspec.ValidationError."""
    if not raw:
        raise Problem(400, "Malformed body", "a body is required")
    if len(raw) > MAX_BODY_BYTES:
        raise Problem(413, "Body too large", f"at most {MAX_BODY_BYTES} bytes")
    try:
        body = msgspec.json.decode(raw)
    except msgspec.ValidationError as error:  # a number that no machine number can hold
        raise Problem(400, "Malformed body", f"the body has an unusable value: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, "Malformed body", f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise _too_deep() from error
    return msgspec.convert(_normalised(body), kind, str_keys=True)


def _normalised(body: Any) -> Any:
    """The same value with its texts in NFC. Raises a Problem once it is beyond the budget."""
    root = [body]
    level: list[dict[Any, Any] | list[Any]] = [root]
    values = 0
    for _ in range(MAX_DEPTH + 1):
        deeper: list[dict[Any, Any] | list[Any]] = []
        for container in level:
            values += len(container)
            if values > MAX_VALUES + 1:  # the body itself is one
                raise Problem(413, "Body too large", f"at most {MAX_VALUES} values")
            places = container.items() if isinstance(container, dict) else enumerate(container)
            for place, value in list(places):
                if isinstance(value, str):
                    container[place] = unicodedata.normalize("NFC", value)
                elif isinstance(value, dict | list):
                    deeper.append(value)
        if not deeper:
            return root[0]
        level = deeper
    raise _too_deep()


def _too_deep() -> Problem:
    return Problem(
        400, "Malformed body", f"the body is nested too deeply: at most {MAX_DEPTH} levels"
    )
