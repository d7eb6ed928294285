"""Function: take the devices' records from the stream into rollups, anomalies and the lake."""

import functools
from typing import Any

import msgspec

from lambdas.core import observability, settings
from lambdas.core.quarantine import quarantine_in
from lambdas.core.table_store import Table
from lambdas.telemetry.device_store import DeviceStore
from lambdas.telemetry.ingestion import Ingestion, Tally
from lambdas.telemetry.raw_store import RawStore
from lambdas.telemetry.records import Limits
from lambdas.telemetry.types_store import types_in


class Settings(msgspec.Struct, frozen=True):
    telemetry_table: str
    raw_bucket: str
    quarantine_bucket: str
    device_types_parameter: str
    aws_lambda_function_name: str
    ingest_limits: Limits = Limits()


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> None:
    config = settings.load(Settings)
    tally = Tally()
    try:
        types = types_in(config.device_types_parameter).types()
        _ingestion(config).work_off(event["Records"], types, tally)
    finally:
        _count(tally)


@functools.cache
def _ingestion(config: Settings) -> Ingestion:
    return Ingestion(
        DeviceStore(Table(config.telemetry_table)),
        RawStore(config.raw_bucket),
        quarantine_in(config.quarantine_bucket, config.aws_lambda_function_name),
        config.ingest_limits,
    )


def _count(tally: Tally) -> None:
    """Also of a batch that failed: what is written is not counted again when it comes again."""
    observability.count("RecordsReceived", tally.received)
    observability.count("RecordsAccepted", tally.accepted)
    observability.count("RecordsDuplicate", tally.duplicates)
    observability.count_by_function("RecordsQuarantined", tally.quarantined)
    observability.count("RecordsRedelivered", tally.redelivered)
    observability.count("DevicesRegistered", tally.registered)
    observability.count("AnomaliesDetected", tally.anomalies)
