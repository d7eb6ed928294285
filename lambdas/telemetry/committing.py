"""From a device's records to its items: every step is one write, all or nothing.

The usual batch of a device is one step: its state, in a single put. What does not fit in one
transaction takes several steps, of which each moves the checkpoints: a fault between two of them
leaves the device as if the batch had been cut there.
"""

import datetime as dt
from collections.abc import Callable, Iterator

from lambdas.core.table_store import Write
from lambdas.telemetry.batches import Arrived, Refused
from lambdas.telemetry.device_state import DeviceState
from lambdas.telemetry.device_store import DeviceStore, Loaded, StateMoved, Window, state_write
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.device_writes import anomaly_writes, registered_write, registry_write
from lambdas.telemetry.folding import Fold, fold
from lambdas.telemetry.rollups import merge_into
from lambdas.telemetry.windows import Closed

MAX_WINDOWS = 40
MAX_ANOMALIES = 25
"""With state, registry and its event: 40 + 2 x 25 + 3 of the 100 writes of a transaction. A window
has 64 metrics of at most 0.5 KB, so they stay below its 4 MB as well."""
_ATTEMPTS = 5


class TooMuch(Exception):
    """These records need more writes than a transaction has: take half of them."""


class Committer:
    """Writes what records make of devices. `set_aside` keeps refused records in quarantine."""

    def __init__(
        self,
        store: DeviceStore,
        types: DeviceTypes,
        set_aside: Callable[[list[Refused]], None],
        *,
        keep_days: int,
        trace: str | None,
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._store = store
        self._types = types
        self._set_aside = set_aside
        self._keep_days = keep_days
        self._trace = trace
        self._clock = clock

    def work_off(self, loaded: Loaded, arrived: list[Arrived]) -> Iterator[Fold]:
        """Work off the records of one device, in order; yields every step that is written.

        Raises StateMoved when another writer is faster again and again.
        """
        device = arrived[0].record.device
        waiting = [arrived]
        moved = 0
        while waiting:
            records = waiting.pop()
            state = loaded.state
            if not records and not (state and state.pending):
                continue  # another writer has written what was left over
            if records and state is not None and state.pending:
                waiting.append(records)  # what an earlier step left over goes first
                records = []
            try:
                step, loaded = self._step(loaded, state, records, careful=moved > 0)
            except StateMoved:
                moved += 1
                if moved == _ATTEMPTS:
                    raise
                loaded = self._store.load(device)
                waiting.append(records)
                continue
            except TooMuch:
                middle = len(records) // 2
                waiting += [records[middle:], records[:middle]]
                continue
            moved = 0
            yield step
            if step.state.pending and not waiting:
                waiting.append([])

    def _step(
        self, loaded: Loaded, state: DeviceState | None, records: list[Arrived], *, careful: bool
    ) -> tuple[Fold, Loaded]:
        """One write, or none when all records were redelivered. `careful` looks at everything that
        should not be there yet."""
        if records:
            step = fold(state, records, self._types)
        else:
            assert state is not None
            step = Fold(state)
        state = step.state
        if not step.fresh and not state.pending:
            return step, loaded
        if step.fresh > 1 and (
            len(step.closed) > MAX_WINDOWS or len(state.pending) > MAX_ANOMALIES
        ):
            raise TooMuch
        if step.refused:  # before the state, which then knows them as worked on
            self._set_aside(step.refused)
        writes = self._particulars(step)
        writes += self._windows(state.device, step.closed, careful)
        if careful:
            writes = self._without_events_written_before(writes)
        item = state_write(state, loaded.version)  # last: the others count the events in the state
        self._store.save(item, *writes)
        assert item.put is not None
        return step, Loaded(item.put["body"], loaded.version + 1)

    def _particulars(self, step: Fold) -> list[Write]:
        """Registry, anomalies and events; what is written leaves `pending`."""
        state, now = step.state, self._clock()
        writes = []
        if step.is_first or step.renewed:
            writes.append(registry_write(state))
        if step.is_first:
            writes.append(registered_write(state, self._trace, now))
        anomalies = state.pending[:MAX_ANOMALIES]
        state.pending = state.pending[MAX_ANOMALIES:]
        step.anomalies = sum(anomaly.ended is None for anomaly in anomalies)
        return writes + anomaly_writes(state, anomalies, self._trace, now)

    def _windows(self, device: str, closed: list[Closed], careful: bool) -> list[Write]:
        places = [(one.step, one.start) for one in closed if one.late or careful]
        found = self._store.windows_at(device, places)
        writes = []
        for one in closed:
            window = found.get((one.step, one.start)) or Window({})
            merge_into(window.metrics, one.metrics, one.step)
            writes.append(
                self._store.window_write(device, one.step, one.start, window, self._keep_days)
            )
        return writes

    def _without_events_written_before(self, writes: list[Write]) -> list[Write]:
        """A state that was lost, or a clock that stands still, would tell an event again."""
        events = {
            (write.put["pk"], write.put["sk"]): write
            for write in writes
            if write.put is not None and "detail" in write.put
        }
        there = self._store.exists(events) if events else set()
        told = [events[place] for place in there]
        return [write for write in writes if write not in told]
