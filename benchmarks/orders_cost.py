"""What an order costs on AWS, from the requests that were measured.

List prices of us-east-1, on demand, without free tier, as published in June 2025. Left out: what
does not grow with orders (idle polling, alarms, storage), X-Ray, and data out of AWS.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PRICES_AS_OF = "2025-06"

DOLLARS_PER_MILLION = {
    "API Gateway requests": 1.00,
    "Lambda requests": 0.20,
    "Lambda GB-ms": 0.0133334,  # $0.0000133334 a GB-second on arm64
    "DynamoDB write units": 0.625,
    "DynamoDB read units": 0.125,
    "EventBridge events": 1.00,
    "SQS requests": 0.40,
    "SES e-mails": 100.00,
    "CloudWatch Logs bytes": 0.50e-3,  # $0.50 a GB
}
"""By unit; what is measured in other units has no price."""


@dataclass(frozen=True)
class Item:
    """A line of the bill: units for one order, dollars for a million orders."""

    units: float
    dollars: float


def bill(units_per_order: Mapping[str, float]) -> dict[str, Item]:
    """The lines of a bill, the dearest first. Raises KeyError for a unit without a price."""
    lines = {
        name: Item(units, units * DOLLARS_PER_MILLION[name])
        for name, units in units_per_order.items()
    }
    return dict(sorted(lines.items(), key=lambda line: -line[1].dollars))


def write_units(item_bytes: int, *, transactional: bool) -> int:
    """Request units of one written item: a unit a KB begun, twice that in a transaction."""
    return max(1, -(-item_bytes // 1024)) * (2 if transactional else 1)
