"""Hold the rollups of a shadow against the live ones, and put right what differs."""

import math
from collections.abc import Iterator
from typing import Literal

import msgspec

from lambdas.core.http import Problem
from lambdas.telemetry import keys
from lambdas.telemetry.device_store import DeviceStore, StateMoved, Window
from lambdas.telemetry.queries_metrics import Snapshot, snapshot
from lambdas.telemetry.rollups import Metrics, Rollup, Step

What = Literal["missing", "different", "only live"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A window that is not what the raw files say.

    `missing`: there is no live one. `different`: `detail` says in what. `only live`: the raw files
    say nothing of it; it is never touched. `is_open`: it is in the device's state, which still
    takes readings in, so it cannot be overwritten yet.
    """

    device: str
    step: Step
    start: str
    what: What
    detail: str = ""
    is_open: bool = False


class Pair(msgspec.Struct, frozen=True):
    """The windows of one device and step, live and in the shadow."""

    device: str
    live: Snapshot
    shadow: Snapshot

    def differences(self) -> Iterator[tuple[int, Difference]]:
        """What differs, with the start of the window, in order."""
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
                        is_open=start in self.live.open,
                    ),
                )

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
    """Write the shadow's window over the live one; False when that was written meanwhile."""
    known = compared.live.closed.get(start)
    window = Window(compared.shadow.windows[start], known.version if known else 0)
    write = live.window_write(compared.device, compared.live.step, start, window, keep_days)
    try:
        live.save(write)
    except StateMoved:
        return False
    return True


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
