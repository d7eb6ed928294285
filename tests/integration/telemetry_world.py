"""The telemetry functions against AWS in this process: tables, buckets and device types."""

import gzip
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.core.table_store import Table
from lambdas.telemetry import ingest_telemetry, types_store
from lambdas.telemetry.device_store import DeviceStore

PARAMETER = "/millrace-test/telemetry/device-types"
TYPES = {
    "default": {"metrics": {"*": {"warm_up": 5, "clear_after": 2}}},
    "pump": {"metrics": {"temperature": {"warm_up": 5, "high": 90}}, "silent_minutes": 10},
}
CONTEXT = SimpleNamespace(
    function_name="ingest-telemetry",
    memory_limit_in_mb=1769,
    invoked_function_arn="arn:aws:lambda:eu-west-1:111111111111:function:ingest-telemetry",
    aws_request_id="9b2e1f0c-52c5-4b5c-9d6e-2a1f6d3f8a11",
)


class TelemetryWorld:
    """What the functions have written, read the plain way."""

    def __init__(self, region: str) -> None:
        self.s3 = boto3.client("s3", region_name=region)
        self.store = DeviceStore(Table("telemetry"))
        self.table = boto3.resource("dynamodb", region_name=region).Table("telemetry")

    def ingest(self, *records: dict[str, Any]) -> None:
        ingest_telemetry.handler({"Records": list(records)}, CONTEXT)

    def items(self, prefix: str) -> list[dict[str, Any]]:
        """The items whose sort key begins so, in order."""
        found = [i for i in self.table.scan()["Items"] if str(i["sk"]).startswith(prefix)]
        return sorted(found, key=lambda item: (str(item["pk"]), str(item["sk"])))

    def events(self, kind: str) -> list[dict[str, Any]]:
        stored = [item for item in self.items("event#") if item["type"] == kind]
        return [json.loads(str(item["detail"])) for item in stored]

    def objects(self, bucket: str) -> dict[str, bytes]:
        listed = self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {
            entry["Key"]: self.s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            for entry in listed
        }

    def raw_rows(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for body in self.objects("raw").values()
            for line in gzip.decompress(body).splitlines()
        ]


def world(
    aws_region: str,
    make_table: Callable[..., str],
    make_bucket: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> TelemetryWorld:
    """An empty one, with the settings of the functions pointing to it."""
    table = make_table("telemetry", **{"by-silence": ("watch", "seen"), "by-day": ("day", "at")})
    ssm = boto3.client("ssm", region_name=aws_region)
    ssm.put_parameter(Name=PARAMETER, Value=json.dumps(TYPES), Type="String")
    types_store.types_in.cache_clear()
    ingest_telemetry._ingestion.cache_clear()
    monkeypatch.setenv("TELEMETRY_TABLE", table)
    monkeypatch.setenv("RAW_BUCKET", make_bucket("raw"))
    monkeypatch.setenv("QUARANTINE_BUCKET", make_bucket("quarantine"))
    monkeypatch.setenv("DEVICE_TYPES_PARAMETER", PARAMETER)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "ingest-telemetry")
    return TelemetryWorld(aws_region)
