"""How long to go on: with one thing that others keep changing, and with many in one invocation."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

KEPT_SECONDS = 5.0
"""Enough for the item in work, the metrics and the answer to SQS."""

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5

sleep = time.sleep


def tries(most: int, pause: Callable[[float], object] | None = None) -> Iterator[int]:
    """Counts the tries of something that another writer may get ahead of, from 1 to `most`.

    Before each further try it waits a random part of a time that doubles, so that writers who met
    once do not meet again. Whoever succeeds leaves the loop; if it ends, others were always faster.
    """
    for number in range(1, most + 1):
        yield number
        if number < most:
            longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**number)
            (pause or sleep)(random.uniform(0, longest))


def time_left(context: Any) -> Callable[[], bool]:
    """Asks whether the invocation of this Lambda context has time for one more item."""

    def ask() -> bool:
        return bool(context.get_remaining_time_in_millis() > KEPT_SECONDS * 1000)

    return ask
