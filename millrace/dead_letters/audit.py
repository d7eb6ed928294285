"""The trail of what an operator did: events on the bus, without the payloads."""

import datetime as dt
import getpass
from collections.abc import Callable
from typing import Any

from lambdas.contracts.codec import encode
from lambdas.contracts.event import Event, Meta
from lambdas.core.outbox import StoredEvent, event_id, publish, timestamp


class Audit:
    """Publishes on a bus; `put_events` is that of a botocore client, `by` is who acts."""

    def __init__(
        self,
        bus: str,
        put_events: Callable[..., dict[str, Any]],
        by: str,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.by = by
        self._bus = bus
        self._put_events = put_events
        self._now = now

    def tell(self, data: Event, *, subject: str, cause: str, sequence: int = 1) -> None:
        """Publish one event; the same cause, told twice, is the same event."""
        meta = Meta(
            id=event_id(cause, data.TYPE, subject),
            time=timestamp(self._now()),
            correlation_id=cause,
            causation_id=cause,
            subject=subject,
            sequence=sequence,
        )
        stored = StoredEvent(
            type=data.TYPE,
            source=data.SOURCE,
            time=meta.time,
            subject=subject,
            detail=encode(meta, data),
        )
        publish([stored], self._bus, self._put_events)


def operator() -> str:
    """Who is at the keyboard, where AWS does not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
