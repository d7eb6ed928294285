"""All dead letters of an environment at a glance: the queues, and the quarantine bucket."""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from lambdas.core.quarantine import kept_in, records_in
from millrace import aws
from millrace.dead_letters.inbox import Inbox
from millrace.dead_letters.message import UNREADABLE, judge
from millrace.dead_letters.reasons import UNKNOWN
from millrace.environments import Environment

DROPPED = "dropped"
OPENED = 100
"""Records of each part of the quarantine that are looked at; the others are only counted."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one type that failed for one reason."""

    type: str
    reason: str
    count: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A queue, or a part of the quarantine bucket, named by what fills it.

    `looked_at` of its messages are in `groups`; `hidden` ones are with a reader. `oldest` is the
    age in seconds of the oldest that was looked at.
    """

    name: str
    kind: str
    messages: int
    hidden: int = 0
    oldest: float | None = None
    looked_at: int = 0
    groups: tuple[Group, ...] = ()


def survey(environment: Environment, most: int, now: dt.datetime) -> list[Place]:
    """Every dead-letter queue, and what is in quarantine; at most `most` of each are read."""
    queues = sorted(environment.outputs.get("dead_letter_queues", {}))
    places = [_queue(Inbox(environment, name), most, now) for name in queues]
    bucket = environment.outputs.get("quarantine_bucket")
    if bucket:
        places += quarantine(aws.client(environment, "s3"), bucket, now)
    return places


def _queue(inbox: Inbox, most: int, now: dt.datetime) -> Place:
    depth = inbox.dead_letters.depth()
    found = inbox.look(most) if depth.visible else []
    counts = Counter((one.verdict.type, one.reason) for one in found)
    oldest = min((one.message.sent_at for one in found), default=None)
    return Place(
        name=inbox.name,
        kind="queue",
        messages=max(depth.total, len(found)),
        hidden=depth.hidden,
        oldest=(now - oldest).total_seconds() if oldest else None,
        looked_at=len(found),
        groups=_groups(counts),
    )


def quarantine(s3: Any, bucket: str, now: dt.datetime) -> list[Place]:
    """The records that streams left in the bucket, by function; what operators dropped besides."""
    objects: dict[str, list[dict[str, Any]]] = {}
    for one in _objects(s3, bucket):
        objects.setdefault(_place(one["Key"]), []).append(one)
    places = []
    for name, found in sorted(objects.items()):
        kept = itertools.chain.from_iterable(_kept(s3, bucket, one["Key"]) for one in found)
        counts = Counter(map(_record, itertools.islice(kept, OPENED)))
        oldest = min(one["LastModified"] for one in found)
        places.append(
            Place(
                name=name,
                kind="dropped" if name.startswith(f"{DROPPED}/") else "quarantine",
                messages=sum(records_in(one["Key"]) for one in found),
                oldest=(now - oldest).total_seconds(),
                looked_at=counts.total(),
                groups=_groups(counts),
            )
        )
    return places


def _objects(s3: Any, bucket: str) -> Iterator[dict[str, Any]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from page.get("Contents", [])


def _place(key: str) -> str:
    """The folder that says where a record comes from, e.g. "quarantine/orders-publisher".

    A stream mapping writes below "aws/lambda/<mapping>/<shard>/<date>/...".
    """
    parts = key.split("/")
    depth = 3 if key.startswith("aws/lambda/") else 2
    return "/".join(parts[: min(depth, len(parts) - 1)]) or parts[0]


def _kept(s3: Any, bucket: str, key: str) -> Iterator[Any]:
    """The records of one object: of core/quarantine.py, of `drop`, or of Lambda itself."""
    try:
        yield from kept_in(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ValueError:
        yield None


def _record(kept: Any) -> tuple[str, str]:
    """The type and the reason of one record."""
    condition = _at(kept, "requestContext", "condition")
    reason = _at(kept, "reason") or condition or UNKNOWN
    if body := _at(kept, "record", "body"):
        return judge(body).type, reason
    return _at(kept, "record", "dynamodb", "NewImage", "type", "S") or UNREADABLE, reason


def _at(value: Any, *names: str) -> str:
    """The text at a path of names, "" if there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _groups(counts: Counter[tuple[str, str]]) -> tuple[Group, ...]:
    return tuple(
        Group(type=kind, reason=reason, count=count)
        for (kind, reason), count in counts.most_common()
    )
