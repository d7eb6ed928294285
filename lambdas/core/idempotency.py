"""Doing a thing once: a record of its cause, written in the same transaction as the effect."""

import datetime as dt

from lambdas.core.table_store import Write

KEPT_FOR = dt.timedelta(days=400)
"""Longer than the bus's archive keeps an event (prod: a year) and it can then wait, at most, in an
inbox (4 days) and its dead-letter queue (14)."""


def once(pk: str, cause_id: str, now: dt.datetime) -> Write:
    """A write that fails (ConditionFailed) when this cause had its effect on `pk` already."""
    return Write(
        put={
            "pk": pk,
            "sk": f"done#{cause_id}",
            "expires_at": int((now + KEPT_FOR).timestamp()),
        },
        condition="attribute_not_exists(pk)",
    )
