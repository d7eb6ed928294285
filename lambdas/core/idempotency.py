"""Doing a thing once: a record of its cause, written in the same transaction as the effect."""

import datetime as dt

from lambdas.core.table_store import Write

KEPT_FOR = dt.timedelta(days=45)
"""Longer than a message can wait in a dead-letter queue (14 days) and be replayed after (30)."""


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
