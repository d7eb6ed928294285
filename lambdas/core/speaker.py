"""What an outbox item must be to go on the bus: what its table's service says, and sayable.

The publisher and `millrace replay outbox` ask this of every item: whoever may write a table could
else speak as any service, and an entry that the bus refuses for ever would hold up the others.
"""

import datetime as dt

import msgspec

from lambdas.contracts.codec import UNDECODABLE
from lambdas.core.errors import Poison
from lambdas.core.outbox import MAX_BYTES, StoredEvent, entry_bytes

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Speaker(msgspec.Struct, frozen=True):
    """A service on the bus: its source, and the types of the events that it emits."""

    source: str
    emits: frozenset[str]

    def check(self, event: StoredEvent) -> None:
        """Raises Poison for an event that this service never says, or that no bus would take."""
        if event.source != self.source:
            raise Poison("forged-source", f"{event.source[:100]} in a table of {self.source}")
        if event.type not in self.emits:
            raise Poison("foreign-type", f"{self.source} does not emit {event.type[:100]}")
        try:
            size = entry_bytes(event)
            if size > MAX_BYTES:
                raise Poison("too-large", f"{event.type}: an entry of {size} bytes")
            _OBJECT.decode(event.detail)
        except UNDECODABLE as error:
            raise Poison("undecodable", f"{event.type}: detail: {error}") from error
        if not _is_moment(event.time):
            raise Poison("undecodable", f"{event.type}: no time in UTC: {event.time[:40]!r}")


def _is_moment(text: str) -> bool:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return moment.utcoffset() == dt.timedelta() and moment >= _EPOCH
