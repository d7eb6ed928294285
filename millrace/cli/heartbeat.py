"""Without a terminal nothing moves; a line now and then says that something still goes on."""

import threading
from collections.abc import Callable

SILENCE_SECONDS = 8.0
"""After so long without a line there is one; looked at once a second, so at most nine."""


class Heartbeat:
    """Calls `still` when nothing was said for SILENCE_SECONDS. A `with` block."""

    def __init__(self, still: Callable[[], None], clock: Callable[[], float]) -> None:
        self._still = still
        self._clock = clock
        self._last = clock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def said(self) -> None:
        """Something was said."""
        self._last = self._clock()

    def beat(self) -> None:
        """Speak up, if it has been silent for long enough."""
        if self._clock() - self._last >= SILENCE_SECONDS:
            self._still()
            self.said()

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(1):
            self.beat()
