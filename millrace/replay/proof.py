"""Prove that two view tables hold the same rows, while orders go on moving.

Each table is reduced to a count and sums of row digests, one sum for each of 4096 buckets: the
order of rows does not matter, and memory does not grow with the table. Only rows in buckets whose
sums differ are looked at one by one, and each is judged by the event store:

- a rebuilt row that is not what the events say was overtaken during the rebuild; it is mended;
- a live row that is not what the events say may be late, so it gets some time; what is still
  different then is a mismatch, and the live table is wrong.
"""

import contextlib
import hashlib
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from lambdas.ordering.projection import ROW, Attributes, OrderRow, attributes
from lambdas.ordering.projector import NO_ROW
from millrace.replay.fast_dynamodb import FastDynamoDB, Number, Text

BUCKETS = 4096
MAX_EXAMINED = 200_000
"""Rows whose digests are held at once when buckets differ (some 40 MB)."""
_MODULUS = 2**128
_FIELDS = ("pk", "sk", "version", "customer_id", "state_shard", "placed", "body")

Truth = Callable[[str], OrderRow | None]


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """A live row that is not what its events say."""

    subject: str
    what: str


class TableSum(msgspec.Struct, frozen=True, kw_only=True):
    """A table as a number of rows and a digest that does not depend on their order."""

    rows: int
    digest: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """`examined` rows differed at first: they were moving, or mended, or are mismatches.

    `unexamined` buckets were too many to look into.
    """

    equal: bool
    live: TableSum
    shadow: TableSum
    examined: int
    mended: int
    unexamined: int
    mismatches: list[Mismatch]


class _RowItem(msgspec.Struct, frozen=True):
    """A row as it lies in the table; one of an older layout may lack fields."""

    pk: Text
    version: Number | None = None
    customer_id: Text | None = None
    state_shard: Text | None = None
    placed: Text | None = None
    body: Text | None = None

    def digest(self) -> int:
        """128 bits over all fields; as JSON none of them can run into the next."""
        text = msgspec.json.encode(self)
        return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "big")


class Views:
    """The two tables: scanned fast, and single rows through an ordinary client."""

    def __init__(self, dynamodb: FastDynamoDB, client: Any, *, live: str, shadow: str) -> None:
        self.live = live
        self.shadow = shadow
        self._dynamodb = dynamodb
        self._client = client

    def scan(self, table: str, segment: int, segments: int) -> Iterator[_RowItem]:
        pages = self._dynamodb.scan(
            _RowItem,
            TableName=table,
            Segment=segment,
            TotalSegments=segments,
            ConsistentRead=True,
        )
        for page in pages:
            yield from page.items

    def row(self, table: str, subject: str) -> Attributes | None:
        item: Attributes | None = self._client.get_item(
            TableName=table, Key=_key(subject), ConsistentRead=True
        ).get("Item")
        return item

    def mend(self, subject: str, seen: Attributes | None, truth: Attributes | None) -> None:
        """Make the shadow's row what the events say, if it is still the one that was seen."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if seen is not None:
            condition = {
                "ConditionExpression": "version = :version AND body = :body",
                "ExpressionAttributeValues": {":version": seen["version"], ":body": seen["body"]},
            }
        # If the projector was faster, the row is looked at again.
        with contextlib.suppress(self._client.exceptions.ConditionalCheckFailedException):
            if truth is None:
                self._client.delete_item(TableName=self.shadow, Key=_key(subject), **condition)
            else:
                self._client.put_item(TableName=self.shadow, Item=truth, **condition)


def prove(
    views: Views,
    truth: Truth,
    *,
    segments: int,
    patience_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Proof:
    """Compare both tables. `truth` gives the row that an order's events make."""
    live, shadow = (_sums(views, table, segments) for table in (views.live, views.shadow))
    differing = [b for b in range(BUCKETS) if live.buckets[b] != shadow.buckets[b]]
    per_bucket = max(1, max(live.rows, shadow.rows) // BUCKETS)
    examined = set(differing[: max(1, MAX_EXAMINED // per_bucket)])
    subjects = sorted(_differing_rows(views, examined, segments)) if examined else []
    judge = _Judge(views, truth, time.monotonic() + patience_seconds, sleep)
    mismatches = [found for subject in subjects if (found := judge.look_at(subject)) is not None]
    unexamined = len(differing) - len(examined)
    return Proof(
        equal=not mismatches and not unexamined,
        live=live.summary(),
        shadow=shadow.summary(),
        examined=len(subjects),
        mended=len(judge.mended),
        unexamined=unexamined,
        mismatches=mismatches,
    )


class _Sums:
    def __init__(self) -> None:
        self.rows = 0
        self.buckets = [0] * BUCKETS

    def add(self, row: _RowItem) -> None:
        self.rows += 1
        bucket = _bucket(row.pk.value)
        self.buckets[bucket] = (self.buckets[bucket] + row.digest()) % _MODULUS

    def __iadd__(self, other: "_Sums") -> "_Sums":
        self.rows += other.rows
        self.buckets = [
            (mine + its) % _MODULUS for mine, its in zip(self.buckets, other.buckets, strict=True)
        ]
        return self

    def summary(self) -> TableSum:
        return TableSum(rows=self.rows, digest=f"{sum(self.buckets) % _MODULUS:032x}")


def _sums(views: Views, table: str, segments: int) -> _Sums:
    def of_segment(segment: int) -> _Sums:
        sums = _Sums()
        for row in views.scan(table, segment, segments):
            sums.add(row)
        return sums

    total = _Sums()
    with ThreadPoolExecutor(max_workers=segments) as pool:
        for sums in pool.map(of_segment, range(segments)):
            total += sums
    return total


def _differing_rows(views: Views, buckets: set[int], segments: int) -> set[str]:
    """Keys of the rows in these buckets that are in one table alone, or not the same in both."""

    def digests(table: str) -> set[tuple[str, int]]:
        return {
            (row.pk.value, row.digest())
            for segment in range(segments)
            for row in views.scan(table, segment, segments)
            if _bucket(row.pk.value) in buckets
        }

    return {subject for subject, _ in digests(views.live) ^ digests(views.shadow)}


class _Judge:
    """Looks at single rows until both tables say what the events say, or time is up."""

    def __init__(
        self, views: Views, truth: Truth, deadline: float, sleep: Callable[[float], None]
    ) -> None:
        self.mended: set[str] = set()
        self._views = views
        self._truth = truth
        self._deadline = deadline
        self._sleep = sleep

    def look_at(self, subject: str) -> Mismatch | None:
        pause, views = 0.05, self._views
        while True:
            # The rows first: what the events say can only be newer than they are.
            live, shadow = views.row(views.live, subject), views.row(views.shadow, subject)
            try:
                row = self._truth(subject)
            except NO_ROW as error:
                return Mismatch(subject=subject, what=f"its events cannot be read: {error}")
            said = attributes(row) if row else None
            if shadow != said:
                views.mend(subject, shadow, said)
                self.mended.add(subject)
                continue
            if live == said:
                return None
            if time.monotonic() >= self._deadline:
                return Mismatch(subject=subject, what=_difference(live, said))
            self._sleep(pause)
            pause = min(1.0, pause * 2)


def _difference(live: Attributes | None, said: Attributes | None) -> str:
    if live is None:
        return "the live table has no row"
    if said is None:
        return "the live table has a row, but there are no events"
    fields = [name for name in _FIELDS if live.get(name) != said.get(name)]
    return f"the live row differs in {', '.join(fields)}"


def _bucket(pk: str) -> int:
    return zlib.crc32(pk.encode()) % BUCKETS


def _key(subject: str) -> Attributes:
    return {"pk": {"S": subject}, "sk": {"S": ROW}}
