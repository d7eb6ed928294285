"""Which windows are open, and what is written when they close. Pure.

Minutes before `DeviceState.closed_before` are closed. A reading of an open minute goes into the
state; a minute that closes goes, whole, into its hour and into an item. A reading that is late,
of a minute closed before, goes into that minute's item and into the hour, wherever that is.
"""

import msgspec

from lambdas.telemetry.device_state import DeviceState
from lambdas.telemetry.rollups import Metrics, Step, Windows, merge_into, start_of


class Closed(msgspec.Struct, frozen=True):
    """Readings for the item of one closed window."""

    step: Step
    start: int
    metrics: Metrics
    late: bool
    """There may be an item already; it stays, and these readings are added to it."""


def close_windows(state: DeviceState, late: Windows, before: int) -> list[Closed]:
    """What leaves the state, now that the watermark has moved; `before` is the boundary that
    `late` minutes lie before."""
    closed: list[Closed] = []
    hour_before = start_of(before, "hour")
    late_hours: Windows = {}
    for start, metrics in late.items():
        hour = start_of(start, "hour")
        into = late_hours if hour < hour_before else state.hours
        merge_into(into.setdefault(hour, {}), metrics, "hour")
        closed.append(Closed("minute", start, metrics, late=True))
    closed += [Closed("hour", hour, metrics, late=True) for hour, metrics in late_hours.items()]
    boundary = state.closed_before
    if boundary > before:
        closed += _close(state, boundary)
    return closed


def _close(state: DeviceState, boundary: int) -> list[Closed]:
    closed = []
    for start in [start for start in state.minutes if start < boundary]:
        metrics = state.minutes.pop(start)
        merge_into(state.hours.setdefault(start_of(start, "hour"), {}), metrics, "hour")
        closed.append(Closed("minute", start, metrics, late=False))
    hour_boundary = start_of(boundary, "hour")
    for start in [start for start in state.hours if start < hour_boundary]:
        closed.append(Closed("hour", start, state.hours.pop(start), late=False))
    return closed
