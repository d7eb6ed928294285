"""Hold several workers together to a number of events a second."""

import threading
import time
from collections.abc import Callable


class Pace:
    """`rate` events a second, shared by every thread that asks; None: as fast as it goes."""

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = clock()

    def take(self, events: int) -> None:
        """Wait until this many events more may be worked on."""
        if self._rate is None:
            return
        with self._lock:
            begin = max(self._clock(), self._free_at)
            self._free_at = begin + events / self._rate
        wait = begin - self._clock()
        if wait > 0:
            self._sleep(wait)
