"""A shadow of the telemetry table inside the table itself: the same code, other keys, no effects.

    shadow#<run>#device#pump-0001     instead of device#pump-0001
    shadow#<run>#replay               how far the replay is

What others would see is left out: events, and what the indexes know a device or a day by. A
shadow that nobody removes expires.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from lambdas.core.outbox import EVENT_PREFIX
from lambdas.core.table_store import Item, Table, Write
from lambdas.telemetry import keys
from lambdas.telemetry.rollups import Step

KEPT = dt.timedelta(days=7)

STEPS: tuple[Step, ...] = ("minute", "hour")

_REPLAY = "replay"
_CHECKPOINT = "checkpoint"
_INDEXED = ("watch", "seen", "day", "at")
_AT_ONCE = 8


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How far a replay is: the first `files` of its list are worked off; `digest` is of their
    keys, so that a list in which they are others is noticed."""

    files: int = 0
    digest: str = ""
    records: int = 0


class ShadowTable(Table):
    """The table as a replay sees it. `run` names the replay; `client` is a botocore client."""

    def __init__(self, name: str, run: str, client: Any = None) -> None:
        super().__init__(name, client)
        self._prefix = f"shadow#{run}#"
        self._expires_at = int((dt.datetime.now(dt.UTC) + KEPT).timestamp())

    def get(self, pk: str, sk: str) -> Item | None:
        item = super().get(self._prefix + pk, sk)
        return self._plain(item) if item else None

    def get_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        found = super().get_many((self._prefix + pk, sk) for pk, sk in keys)
        items = map(self._plain, found.values())
        return {(item["pk"], item["sk"]): item for item in items}

    def query(self, pk: str, **bounds: Any) -> Iterator[Item]:
        return map(self._plain, super().query(self._prefix + pk, **bounds))

    def query_index(self, *_: Any, **__: Any) -> Iterator[Item]:
        """A shadow is in no index."""
        return iter(())

    def put(self, write: Write) -> None:
        for shadow in self._shadows([write]):
            super().put(shadow)

    def transact(self, *writes: Write) -> None:
        super().transact(*self._shadows(writes))

    def checkpoint(self) -> Checkpoint | None:
        """Where the replay was left; None when it never began."""
        item = self.get(_REPLAY, _CHECKPOINT)
        return msgspec.json.decode(item["state"], type=Checkpoint) if item else None

    def save(self, checkpoint: Checkpoint) -> None:
        state = msgspec.json.encode(checkpoint).decode()
        self.put(Write(put={"pk": _REPLAY, "sk": _CHECKPOINT, "state": state}))

    def devices(self) -> list[str]:
        """The ids of the devices in the shadow."""
        return [str(item["sk"]) for item in self.query(keys.REGISTRY)]

    def remove(self) -> None:
        """Remove the shadow, its checkpoint last: interrupted, it can be removed again."""
        devices = self.devices()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(self._remove_device, devices):
                pass
        self._delete((keys.REGISTRY, device) for device in devices)
        self._delete([(_REPLAY, _CHECKPOINT)])

    def _remove_device(self, device: str) -> None:
        partitions = [keys.device_pk(device), *(keys.rollup_pk(device, step) for step in STEPS)]
        for pk in partitions:
            self._delete((pk, str(item["sk"])) for item in self.query(pk))

    def _delete(self, places: Iterable[tuple[str, str]]) -> None:
        writes = [Write(key=place, delete=True) for place in places]
        for start in range(0, len(writes), 100):
            self.transact(*writes[start : start + 100])

    def _shadows(self, writes: Iterable[Write]) -> list[Write]:
        return [shadow for write in writes if (shadow := self._shadow(write)) is not None]

    def _shadow(self, write: Write) -> Write | None:
        """The write with the shadow's keys; None for an event."""
        if write.put is None:
            assert write.key is not None
            pk, sk = write.key
            return msgspec.structs.replace(write, key=(self._prefix + pk, sk))
        if str(write.put["sk"]).startswith(EVENT_PREFIX):
            return None
        kept = {name: value for name, value in write.put.items() if name not in _INDEXED}
        kept |= {"pk": self._prefix + write.put["pk"], "expires_at": self._expires_at}
        return msgspec.structs.replace(write, put=kept)

    def _plain(self, item: Item) -> Item:
        return {**item, "pk": str(item["pk"]).removeprefix(self._prefix)}
