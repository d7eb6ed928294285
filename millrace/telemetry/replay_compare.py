"""Hold the rollups of a shadow against the live ones, and put right what differs."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Literal

import msgspec

from lambdas.core.http import Problem
from lambdas.telemetry import keys
from lambdas.telemetry.device_store import DeviceStore, StateMoved, Window
from lambdas.telemetry.queries_metrics import Snapshot, snapshot
from lambdas.telemetry.rollups import MILLISECONDS, Metrics, Rollup, Step, Windows
from millrace.telemetry.replay_shadow import STEPS

What = Literal["missing", "different", "only live"]
Hold = Literal["", "still open", "too young", "live knows more"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A window that is not what the raw files say.

    `missing`: there is no live one. `different`: `detail` says in what. `only live`: the raw files
    say nothing of it; it is never touched. `hold` says why it cannot be overwritten. `still open`:
    it is in the device's state, which still takes readings in. `too young`: late readings of it
    may have come since the raw files were listed. `live knows more`: it has readings, or a metric,
    that the raw files do not have; to overwrite it would lose them.
    """

    device: str
    step: Step
    start: str
    what: What
    detail: str = ""
    hold: Hold = ""


class Pair(msgspec.Struct, frozen=True):
    """The windows of one device and step, live and in the shadow."""

    device: str
    live: Snapshot
    shadow: Snapshot

    def differences(self, settled: float) -> Iterator[tuple[int, Difference]]:
        """What differs, with the start of the window, in order. Windows that end up to `settled`
        (ms) get no more readings."""
        live, shadow = self.live.windows, self.shadow.windows
        for start in sorted(live.keys() | shadow.keys()):
            what, detail = _judged(live.get(start), shadow.get(start))
            if what is not None:
                yield (
                    start,
                    Difference(
                        device=self.device,
                        step=self.live.step,
                        start=keys.window_sk(start),
                        what=what,
                        detail=detail,
                        hold=self._hold(start, settled, live, shadow),
                    ),
                )

    def _hold(self, start: int, settled: float, live: Windows, shadow: Windows) -> Hold:
        if start in self.live.open:
            return "still open"
        if start + MILLISECONDS[self.live.step] > settled:
            return "too young"
        if _knows_more(live.get(start, {}), shadow.get(start, {})):
            return "live knows more"
        return ""

    @property
    def compared(self) -> int:
        return len(self.live.windows.keys() | self.shadow.windows.keys())


def pair(
    live: DeviceStore, shadow: DeviceStore, device: str, step: Step, begin: int, end: int
) -> Pair:
    """The windows of a device that start in [begin, end) ms."""
    return Pair(
        device,
        _snapshot(live, device, step, begin, end),
        _snapshot(shadow, device, step, begin, end),
    )


def swap(live: DeviceStore, compared: Pair, start: int, keep_days: int) -> bool:
    """Write the shadow's window over the live one; False when that was written meanwhile.

    For a window with no `hold` only: of others the live one may be the better.
    """
    known = compared.live.closed.get(start)
    window = Window(compared.shadow.windows[start], known.version if known else 0)
    write = live.window_write(compared.device, compared.live.step, start, window, keep_days)
    try:
        live.save(write)
    except StateMoved:
        return False
    return True


class Comparison:
    """Live windows against the shadow's; with `keep_days`, what differs and has no `hold` is
    overwritten. Windows that end up to `settled` (ms) get no more readings."""

    def __init__(
        self, live: DeviceStore, shadow: DeviceStore, settled: float, keep_days: int | None
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.listed: list[Difference] = []
        self._live = live
        self._shadow = shadow
        self._settled = settled
        self._keep_days = keep_days

    def of_device(self, device: str, begin: int, end: int) -> tuple[Counter[str], list[Difference]]:
        counts: Counter[str] = Counter()
        listed = []
        for step in STEPS:
            some, found = self._of_step(device, step, begin, end)
            counts += some
            listed += found
        counts["devices"] = 1 if counts["compared"] else 0
        return counts, listed

    def _of_step(
        self, device: str, step: Step, begin: int, end: int
    ) -> tuple[Counter[str], list[Difference]]:
        compared = pair(self._live, self._shadow, device, step, begin, end)
        counts = Counter(compared=compared.compared)
        listed = []
        for start, difference in compared.differences(self._settled):
            counts[difference.what] += 1
            listed.append(difference)
            if difference.what == "only live":
                continue
            if difference.hold:
                counts[difference.hold] += 1
            elif self._keep_days is not None:
                done = swap(self._live, compared, start, self._keep_days)
                counts["swapped" if done else "moved"] += 1
        return counts, listed


def _snapshot(store: DeviceStore, device: str, step: Step, begin: int, end: int) -> Snapshot:
    try:
        return snapshot(store, device, step, begin, end)
    except Problem as problem:
        if problem.status != 404:
            raise
        return Snapshot(step, {}, {})


def _judged(live: Metrics | None, shadow: Metrics | None) -> tuple[What | None, str]:
    if live is None:
        return "missing", ""
    if shadow is None:
        return "only live", ""
    details = []
    for name in sorted(live.keys() | shadow.keys()):
        mine, its = live.get(name), shadow.get(name)
        if mine is None or its is None:
            details.append(f"{name} is only {'live' if its is None else 'in the raw files'}")
        elif fields := _differing(mine, its):
            said = ", ".join(f"{field} {a} instead of {b}" for field, a, b in fields)
            details.append(f"{name}: {said}")
    return ("different", "; ".join(details)) if details else (None, "")


def _knows_more(live: Metrics, shadow: Metrics) -> bool:
    return any(
        name not in shadow or rollup.count > shadow[name].count for name, rollup in live.items()
    )


def _differing(live: Rollup, shadow: Rollup) -> list[tuple[str, float, float]]:
    """The fields that differ. Sums may, by the rounding of floats in another order; a sketch of
    the same readings may be made of other centroids, so it is not looked at."""
    fields = ("count", "min", "max", "last", "last_time")
    found = [
        (name, getattr(live, name), getattr(shadow, name))
        for name in fields
        if getattr(live, name) != getattr(shadow, name)
    ]
    if not math.isclose(live.sum, shadow.sum, rel_tol=1e-9, abs_tol=1e-9 * live.count):
        found.append(("sum", live.sum, shadow.sum))
    return found
