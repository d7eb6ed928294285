"""Run one worker for each segment of a table; when one fails, the others stop soon."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

Stopped = Callable[[], bool]


def run_segments(segments: Sequence[int], work: Callable[[int, Stopped], None]) -> None:
    """Call `work(segment, stopped)` for every segment at once and wait for all of them.

    A worker asks `stopped()` wherever it can end. Raises what the first failing worker raised.
    """
    if not segments:
        return
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=len(segments)) as pool:
        futures = [pool.submit(work, segment, stop.is_set) for segment in segments]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            failed = [f for f in futures if f.done() and f.exception() is not None]
            if failed:
                stop.set()
            wait(futures)
        finally:  # also for the user's Ctrl-C, which reaches only this thread
            stop.set()
    for future in [*failed, *futures]:
        future.result()
