"""A function's settings: a typed struct read once from upper-case environment variables.

class Settings(msgspec.Struct, frozen=True):
    images_table: str
    rendition_profile: Profile  # a struct or a list is read as JSON

settings = load(Settings)  # reads IMAGES_TABLE and RENDITION_PROFILE
"""

import functools
import os
from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


class MissingSetting(Exception):
    """The function was deployed without a setting it needs, or with one of the wrong shape."""


@functools.cache
def load(kind: type[S]) -> S:
    """The settings of this process as `kind`. Raises MissingSetting naming the variable."""
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        variable = field.name.upper()
        text = os.environ.get(variable)
        if text is None:
            if field.required:
                raise MissingSetting(f"environment variable {variable} is not set")
            continue
        try:
            values[field.name] = _parse(text, field.type)
        except msgspec.DecodeError as error:
            raise MissingSetting(f"environment variable {variable}: {error}") from error
    return kind(**values)


def _parse(text: str, wanted: object) -> object:
    if wanted is str or wanted == (str | None):
        return text
    if wanted in (int, float, bool):
        return msgspec.convert(text, wanted, strict=False)
    return msgspec.json.decode(text, type=wanted)
