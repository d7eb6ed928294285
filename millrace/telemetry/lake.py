"""The raw files in S3 by the hour of their records' arrival, for whoever reads them again."""

import datetime as dt
import gzip
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

HOUR_MS = 3_600_000

_KEY = re.compile(
    r"raw/date=(\d{4}-\d{2}-\d{2})/hour=(\d{2})/(.+)-(\d+)(?:-\d+)?-(\d+)(?:-\d+)?\.jsonl\.gz"
)
_AT_ONCE = 8


class RawFile(msgspec.Struct, frozen=True, order=True):
    """One file; files sort as their records follow each other in every shard.

    `hour` is the arrival's, in ms; `first` and `last` are positions in the shard.
    """

    hour: int
    shard: str
    first: int
    last: int
    key: str
    size: int


class Lake:
    """The raw bucket. `s3` is a botocore client."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def files(self, begin: int, end: int) -> list[RawFile]:
        """The files of every hour that has a part in [begin, end) ms, in order."""
        hours = range(begin - begin % HOUR_MS, end, HOUR_MS)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = [file for files in pool.map(self._of_hour, hours) for file in files]
        return sorted(found)

    def lines(self, file: RawFile) -> list[bytes]:
        """The rows of one file, each as JSON."""
        body = self._s3.get_object(Bucket=self._bucket, Key=file.key)["Body"].read()
        return gzip.decompress(body).splitlines()

    def every(self, files: list[RawFile]) -> Iterator[tuple[RawFile, list[bytes]]]:
        """Each file with its rows, in the given order; the next ones are fetched meanwhile."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for start in range(0, len(files), 2 * _AT_ONCE):
                some = files[start : start + 2 * _AT_ONCE]
                yield from zip(some, pool.map(self.lines, some), strict=True)

    def download(self, files: list[RawFile], directory: Path) -> list[Path]:
        """Copies of the files, as they are."""

        def copy(numbered: tuple[int, RawFile]) -> Path:
            path = directory / f"{numbered[0]:06d}.jsonl.gz"
            body = self._s3.get_object(Bucket=self._bucket, Key=numbered[1].key)["Body"]
            path.write_bytes(body.read())
            return path

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(copy, enumerate(files)))

    def _of_hour(self, hour: int) -> list[RawFile]:
        moment = dt.datetime.fromtimestamp(hour / 1000, dt.UTC)
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"raw/date={moment:%Y-%m-%d}/hour={moment:%H}/"
        )
        return [
            RawFile(hour, told[3], int(told[4]), int(told[5]), item["Key"], item["Size"])
            for page in pages
            for item in page.get("Contents", ())
            if (told := _KEY.fullmatch(item["Key"]))
        ]
