"""Function: tell of the devices that went silent, whenever the schedule says."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.core import inbox, observability, settings
from lambdas.core.table_store import Table
from lambdas.telemetry.device_store import DeviceStore
from lambdas.telemetry.records import Limits
from lambdas.telemetry.silence import sweep
from lambdas.telemetry.types_store import types_in

DUE = "device-sweep.due"
"""The type of the message that the schedule puts in the inbox."""


class Settings(msgspec.Struct, frozen=True):
    telemetry_table: str
    device_types_parameter: str
    ingest_limits: Limits = Limits()


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    config = settings.load(Settings)
    store = DeviceStore(Table(config.telemetry_table))

    def run() -> None:
        types = types_in(config.device_types_parameter).types()
        told = sweep(store, types, config.ingest_limits.silent_minutes, dt.datetime.now(dt.UTC))
        observability.count("DevicesSilent", told)

    return inbox.consume(event, inbox.due(DUE, run))
