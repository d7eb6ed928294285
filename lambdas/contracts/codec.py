"""Between an event and the JSON text that travels: `detail = {"meta": ..., "data": ...}`."""

import functools
from typing import Any, Generic, TypeVar

import msgspec

from lambdas.contracts.event import Event, Meta
from lambdas.contracts.registry import BY_TYPE
from lambdas.contracts.upcasters import upcast

E = TypeVar("E", bound=Event)

UNDECODABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding raises for text that is not JSON, breaks its contract, or is nested too deep."""


class Published(msgspec.Struct, Generic[E], frozen=True, kw_only=True):
    """An event as it was published: its meta data and its typed payload."""

    meta: Meta
    data: E


class UnknownType(Exception):
    """No class carries this type token."""


def encode(meta: Meta, data: Event) -> str:
    """The `detail` of the event, as JSON text."""
    return msgspec.json.encode({"meta": meta, "data": data}).decode()


def decode(event_type: str, detail: bytes | str | msgspec.Raw) -> Published[Any]:
    """The event behind a `detail`, in the newest version of its type.

    Raises UnknownType for a type no class carries, one of UNDECODABLE for text that is not JSON,
    breaks its contract or is nested too deep.
    """
    if event_type not in BY_TYPE:
        raise UnknownType(event_type)
    published = _decoder(event_type).decode(detail)
    newest = upcast(published.data)
    return published if newest is published.data else Published(meta=published.meta, data=newest)


@functools.cache
def _decoder(event_type: str) -> msgspec.json.Decoder[Published[Any]]:
    kind: Any = BY_TYPE[event_type]
    return msgspec.json.Decoder(Published[kind])
