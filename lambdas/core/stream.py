"""Consume a stream (DynamoDB, Kinesis): poison is quarantined, a transient fault fails the batch.

A stream has no partial failure worth having: AWS retries from the lowest failed record on, and the
shard waits. So records that can never succeed are kept in the quarantine bucket with their reasons,
all of a batch in one object, and the batch goes on; anything else raises and the whole batch comes
again, harmless to writes that are idempotent.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from lambdas.core import observability
from lambdas.core.errors import Poison
from lambdas.core.quarantine import Quarantine, Record, Refused

T = TypeVar("T")


def decode_all(
    records: Iterable[Record], decode: Callable[[Record], T], quarantine: Quarantine
) -> Iterator[T]:
    """Every record that `decode` accepts; those for which it raises Poison go to quarantine, all
    of them together once the last record was asked for."""
    refused = []
    for record in records:
        try:
            yield decode(record)
        except Poison as poison:
            refused.append((record, poison))
    if refused:
        set_aside(refused, quarantine)


def set_aside(refused: Sequence[Refused], quarantine: Quarantine) -> None:
    """Keep records in quarantine, count them and tell why."""
    quarantine(refused)
    observability.count_by_function("RecordsQuarantined", len(refused))
    tell_reasons([poison for _, poison in refused])


def tell_reasons(poisons: Sequence[Poison]) -> None:
    """A line in the log for each reason, with an example: a line for each record would take longer
    than the record."""
    examples = {poison.reason: poison.detail for poison in poisons}
    counts = Counter(poison.reason for poison in poisons)
    for reason, example in examples.items():
        observability.logger().error(
            "records quarantined",
            extra={"reason": reason, "records": counts[reason], "example": example},
        )
