"""The batches that the benchmarks of ingest measure with: always the same 10,000 records."""

import base64
import json
import random
from typing import Any

RECORDS, DEVICES = 10_000, 100
BEGIN = 1_795_253_400_000
_EVERY_MS = 5
_SEQUENCE = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898


def batch(devices: int = DEVICES) -> list[dict[str, Any]]:
    """10,000 records of ~132 bytes from so many devices within a minute; 1 % are no JSON."""
    return _records(RECORDS, 1, devices)


def warm_up_batch(devices: int = DEVICES) -> list[dict[str, Any]]:
    """What the same devices sent before: of 100, enough for their detectors to have learnt."""
    return _records(RECORDS, 0, devices)


def _records(count: int, turn: int, devices: int) -> list[dict[str, Any]]:
    chance = random.Random(turn)
    made = []
    for number in range(turn * count, (turn + 1) * count):
        arrival = BEGIN + number * _EVERY_MS
        cut = 7 if chance.random() < 0.01 else 0
        made.append(
            kinesis_record(number, number % devices, number // devices, arrival, chance, cut)
        )
    return made


def kinesis_record(
    number: int,
    device: int,
    sequence: int,
    arrival: int,
    chance: random.Random | None = None,
    cut: int = 0,
) -> dict[str, Any]:
    """The record with this number in the shard; without its last `cut` bytes it is no JSON."""
    chance = chance or random.Random(number)
    name = f"pump-{device:04}"
    record = {
        "version": 1,
        "device": name,
        "type": "pump",
        "time": arrival - 40,
        "sequence": sequence,
        "metrics": {
            "temperature": round(chance.gauss(21.5, 0.4), 2),
            "pressure": round(chance.gauss(3.1, 0.05), 2),
        },
    }
    data = json.dumps(record, separators=(",", ":")).encode()
    place = str(_SEQUENCE + number)
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": name,
            "sequenceNumber": place,
            "data": base64.b64encode(data[: len(data) - cut]).decode(),
            "approximateArrivalTimestamp": arrival / 1000,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:{place}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::111111111111:role/ingest-telemetry",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:111111111111:stream/telemetry",
    }
