"""Half an hour of a small simulated fleet, sent at once, and what was made of it.

One device has a spike. What is shown is read back: the counters, the anomaly, and the chart.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from lambdas.telemetry.device_state import DeviceState
from lambdas.telemetry.device_store import DeviceStore
from millrace import aws
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.telemetry.fleet import Faults, Fleet
from millrace.telemetry.plot_chart import Chart
from millrace.telemetry.plot_source import Source, source_of
from millrace.telemetry.simulate import Sender

DEVICES = 20
SPAN_SECONDS = 1800
INTERVAL_MS = 10_000
FAULTS = Faults(duplicates=0.01, late=0.01, poison=0.002, anomalies=1, kinds=("spike",))
DEADLINE_SECONDS = 60.0
PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Simulated:
    """What was sent, what the devices' counters say, and the chart of the spike.

    `seconds` are from the end of the sending until everything was worked on.
    """

    devices: int
    sent: int
    broken: int
    accepted: int
    duplicates: int
    seconds: float
    chart: Chart


def run(
    environment: Environment,
    step: Callable[[str], None],
    source: Source | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Simulated:
    """Simulate, wait until everything is worked on, and draw the device with the spike.

    The devices are new each time, so that an earlier run's records are not in the way. Raises
    MillraceError when the records are not worked on within a minute.
    """
    end = int(time.time() * 1000)
    fleet = Fleet(
        devices=DEVICES,
        readings=SPAN_SECONDS * 1000 // INTERVAL_MS,
        start=end - SPAN_SECONDS * 1000,
        interval_ms=INTERVAL_MS,
        seed=1,
        faults=FAULTS,
        prefix=f"demo-{secrets.token_hex(3)}-",
    )
    step(f"Simulating {DEVICES} devices for half an hour ...")
    client, stream = aws.client(environment, "kinesis"), environment.text("telemetry_stream")
    sent = Sender(client, stream, live=False).send(fleet.records()).sent
    began = time.monotonic()
    source = source or source_of(environment)
    states = _worked_on(DeviceStore(source.table), fleet, pause)
    (label,) = fleet.labels
    return Simulated(
        devices=len(states),
        sent=sent,
        broken=fleet.tally.poison,
        accepted=sum(state.accepted for state in states),
        duplicates=sum(state.duplicates for state in states),
        seconds=time.monotonic() - began,
        chart=source.chart(label.device, label.metric, fleet.start, end),
    )


def _worked_on(
    store: DeviceStore, fleet: Fleet, pause: Callable[[float], None]
) -> list[DeviceState]:
    """The states of the fleet's devices once they count every record that is not broken."""
    wanted = fleet.tally.good + fleet.tally.duplicates
    ids = [device.id for device in fleet.devices]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        loaded = store.load_many(ids).values()
        states = [state for found in loaded if (state := found.state) is not None]
        received = sum(state.received for state in states)
        if received >= wanted:
            return states
        if time.monotonic() > deadline:
            raise MillraceError(
                f"Of {wanted:,} records {received:,} were worked on within "
                f"{DEADLINE_SECONDS:.0f} s: see the logs of ingest-telemetry."
            )
        pause(PAUSE_SECONDS)
