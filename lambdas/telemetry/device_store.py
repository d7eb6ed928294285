"""The telemetry table: states, closed windows, anomalies and the registry of devices."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from lambdas.core.errors import ConditionFailed
from lambdas.core.table_store import Item, Table, Write
from lambdas.telemetry import keys
from lambdas.telemetry.device_state import SILENCE, DeviceState
from lambdas.telemetry.rollups import Metrics, Step
from lambdas.telemetry.stored_states import packed, unpacked

_metrics = msgspec.msgpack.Decoder(Metrics)
_encode = msgspec.msgpack.Encoder().encode


class StateMoved(Exception):
    """Somebody else wrote the device first: load it again and work on that."""


class Loaded(msgspec.Struct, frozen=True):
    """A device's state as it was read; `version` 0 is a device that was never seen."""

    body: bytes = b""
    version: int = 0

    @property
    def state(self) -> DeviceState | None:
        """The state, each time a copy of its own; None before the device's first record."""
        return unpacked(self.body) if self.body else None


class Window(msgspec.Struct, frozen=True):
    """A closed window as it was read; `version` 0 is one that is not there."""

    metrics: Metrics
    version: int = 0


class DeviceStore:
    """Reads and writes of the telemetry table. With a `prefix`, the windows are a shadow's."""

    def __init__(self, table: Table, prefix: str = "") -> None:
        self._table = table
        self._prefix = prefix

    def load(self, device: str) -> Loaded:
        """The device's state as last written."""
        item = self._table.get(keys.device_pk(device), keys.STATE)
        return _loaded(item) if item else Loaded()

    def load_many(self, devices: Iterable[str]) -> dict[str, Loaded]:
        """The states of these devices as last written; those never seen are left out.

        Raises Throttled when the table still leaves some unread after a few tries.
        """
        found = self._table.get_many((keys.device_pk(device), keys.STATE) for device in devices)
        return {device_of(pk): _loaded(item) for (pk, _), item in found.items()}

    def window(self, device: str, step: Step, start_ms: int) -> Window:
        """One closed window as last written; empty when there is none."""
        item = self._table.get(self._rollup_pk(device, step), keys.window_sk(start_ms))
        return _window(item) if item else Window({})

    def windows(
        self, device: str, step: Step, begin_ms: int, end_ms: int
    ) -> Iterator[tuple[int, Window]]:
        """The closed windows that start in [begin, end), in order, with their starts."""
        between = (keys.window_sk(begin_ms), keys.window_sk(end_ms - 1))
        for item in self._table.query(self._rollup_pk(device, step), between=between):
            yield keys.window_start(str(item["sk"])), _window(item)

    def windows_at(
        self, device: str, wanted: Iterable[tuple[Step, int]]
    ) -> dict[tuple[Step, int], Window]:
        """These closed windows by step and start; those that are not there are left out."""
        places = {
            (self._rollup_pk(device, step), keys.window_sk(start)): (step, start)
            for step, start in wanted
        }
        found = self._table.get_many(places) if places else {}
        return {places[key]: _window(item) for key, item in found.items()}

    def window_write(
        self, device: str, step: Step, start_ms: int, window: Window, keep_days: int
    ) -> Write:
        """Replace a window, if it is still the version that `window` was made from."""
        kept = dt.timedelta(days=keep_days).total_seconds()
        return Write(
            put={
                "pk": self._rollup_pk(device, step),
                "sk": keys.window_sk(start_ms),
                "body": _encode(window.metrics),
                "version": window.version + 1,
                "expires_at": int(start_ms / 1000 + kept),
            },
            **_if_version(window.version),
        )

    def silent_since(self, before_ms: int) -> Iterator[Loaded]:
        """Devices that may not have been heard of since, whose silence was not told yet.

        The index is up to five minutes early: what counts is `arrived` in the state.
        """
        where: tuple[str, Literal["<"], str] = ("seen", "<", keys.iso(before_ms))
        for watch in keys.WATCHES:
            quiet = list(self._table.query_index(keys.SILENCE_INDEX, ("watch", watch), where=where))
            yield from self.load_many(device_of(str(item["pk"])) for item in quiet).values()

    def latest_arrival(self) -> int:
        """How far ingest has come, in ms: the arrival of the latest record it has worked on, as
        well as the index can tell (of 16 devices that were heard of last); 0 without devices."""
        newest = [
            device_of(str(item["pk"]))
            for watch in keys.WATCHES
            for item in self._table.query_index(
                keys.SILENCE_INDEX, ("watch", watch), newest_first=True, limit=1
            )
        ]
        states = [found.state for found in self.load_many(newest).values()]
        return max((state.arrived for state in states if state is not None), default=0)

    def exists(self, places: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these keys are there."""
        return set(self._table.get_many(places))

    def save(self, *writes: Write) -> None:
        """Write all or nothing; one put alone costs half of what a transaction does.

        Raises StateMoved when a condition does not hold.
        """
        try:
            if len(writes) == 1:
                self._table.put(writes[0])
            else:
                self._table.transact(*writes)
        except ConditionFailed as conflict:
            raise StateMoved from conflict

    def _rollup_pk(self, device: str, step: Step) -> str:
        return self._prefix + keys.rollup_pk(device, step)


def state_write(state: DeviceState, version: int) -> Write:
    """Replace the state, if it is still at `version`.

    A device whose silence was told is not in the silence index until it speaks again.
    """
    item: Item = {
        "pk": keys.device_pk(state.device),
        "sk": keys.STATE,
        "body": packed(state),
        "version": version + 1,
        "seen": keys.seen_at(state.arrived),
    }
    if SILENCE not in state.open:
        item["watch"] = keys.watch_of(state.device)
    return Write(put=item, **_if_version(version))


def device_of(pk: str) -> str:
    """The id in a partition key of `keys.device_pk`."""
    return pk.partition("#")[2]


def _if_version(version: int) -> dict[str, Any]:
    if not version:
        return {"condition": "attribute_not_exists(pk)"}
    return {
        "condition": "#version = :version",
        "names": {"version": "version"},
        "values": {"version": version},
    }


def _loaded(item: Item) -> Loaded:
    return Loaded(bytes(item["body"]), int(item["version"]))


def _window(item: Item) -> Window:
    return Window(_metrics.decode(bytes(item["body"])), int(item["version"]))
