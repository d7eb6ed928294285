"""Long work in one invocation ends before Lambda ends it: what is left, the next one takes."""

from collections.abc import Callable
from typing import Any

KEPT_SECONDS = 5.0
"""Enough for the item in work, the metrics and the answer to SQS."""


def time_left(context: Any) -> Callable[[], bool]:
    """Asks whether the invocation of this Lambda context has time for one more item."""

    def ask() -> bool:
        return bool(context.get_remaining_time_in_millis() > KEPT_SECONDS * 1000)

    return ask
