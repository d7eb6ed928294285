"""The raw files, in the order in which their records follow each other."""

import gzip

from millrace.telemetry.lake import HOUR_MS, Lake
from tests.unit.millrace.ingested_fleet import START, FakeS3

SHARD = "shardId-000000000001"
OTHER = "shardId-000000000002"


def lake(*keys: str) -> Lake:
    s3 = FakeS3()
    for key in keys:
        s3.put_object(Key=key, Body=gzip.compress(key.encode() + b"\n"))
    return Lake(s3, "raw")


def test_files_come_by_hour_then_by_shard_then_by_position_as_a_number() -> None:
    wanted = [
        f"raw/date=2026-11-21/hour=06/{SHARD}-9-12.jsonl.gz",
        f"raw/date=2026-11-21/hour=06/{SHARD}-10-11.jsonl.gz",
        f"raw/date=2026-11-21/hour=06/{SHARD}-10-20.jsonl.gz",
        f"raw/date=2026-11-21/hour=06/{OTHER}-1-2.jsonl.gz",
        f"raw/date=2026-11-21/hour=07/{SHARD}-3-4.jsonl.gz",
    ]
    found = lake(*reversed(wanted)).files(START, START + 2 * HOUR_MS)
    assert [file.key for file in found] == wanted


def test_every_hour_that_has_a_part_in_the_span_is_read_and_no_other() -> None:
    keys = [f"raw/date=2026-11-21/hour={hour:02d}/{SHARD}-1-2.jsonl.gz" for hour in range(24)]
    found = lake(*keys).files(START + HOUR_MS - 1, START + HOUR_MS + 1)
    assert [file.key for file in found] == keys[6:8]


def test_a_day_does_not_end_the_reading() -> None:
    keys = [
        f"raw/date=2026-11-21/hour=23/{SHARD}-1-2.jsonl.gz",
        f"raw/date=2026-11-22/hour=00/{SHARD}-3-4.jsonl.gz",
    ]
    found = lake(*keys).files(START + 17 * HOUR_MS, START + 19 * HOUR_MS)
    assert [file.key for file in found] == keys


def test_other_things_in_the_bucket_are_passed_over() -> None:
    there = lake("raw/date=2026-11-21/hour=06/notes.txt", "raw/date=2026-11-21/hour=06/")
    assert there.files(START, START + 1) == []


def test_files_are_read_in_the_order_that_is_asked_for() -> None:
    keys = [
        f"raw/date=2026-11-21/hour=06/{SHARD}-{number}-{number}.jsonl.gz" for number in range(40)
    ]
    there = lake(*keys)
    read = [
        (file.key.encode(), lines) for file, lines in there.every(there.files(START, START + 1))
    ]
    assert read == [(key.encode(), [key.encode()]) for key in keys]
