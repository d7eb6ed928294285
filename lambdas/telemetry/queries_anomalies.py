"""What callers may learn of anomalies: those of a day, those of a device, those that go on."""

import datetime as dt
import re
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Literal

import msgspec

from lambdas.core import cursor
from lambdas.core.http import invalid
from lambdas.core.table_store import Item, Table
from lambdas.telemetry import keys
from lambdas.telemetry.device_state import Anomaly, DeviceState

_BEYOND_PREFIX = "~"
"""Sorts after every character that a key of an anomaly has."""

_AT = re.compile(r"\d{4}-\d{2}-\d{2}T[0-9:.]{12}Z#[A-Za-z0-9._:*#-]{1,160}")
_PLACE = re.compile(r"\d{4}-\d{2}-\d{2}T[0-9:.]{12}Z#[a-z0-9_*]{1,32}#[a-z-]{1,32}")


class AnomalyQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose anomalies: those that began on a day (UTC), or those of a device."""

    day: dt.date | None = None
    device: (
        Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$(?!\n)")] | None
    ) = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=512)] | None = None


class AnomalyView(msgspec.Struct, frozen=True, kw_only=True):
    """An anomaly, from its first abnormal reading on; `ended` is null while it goes on.

    `metric` is "*" where it is the device's as a whole. `expected` is what would have been normal;
    `score` says how abnormal `value` was (for a spike, in standard deviations).
    """

    device: str
    metric: str
    kind: str
    value: float | None = None
    expected: float | None = None
    score: float
    started: str
    ended: str | None = None


class AnomalyPage(msgspec.Struct, frozen=True, kw_only=True):
    """Anomalies, newest first; `cursor` asks for the next page, null: there is none."""

    anomalies: list[AnomalyView]
    cursor: str | None


def anomalies_of(table: Table, query: AnomalyQuery) -> AnomalyPage:
    """Raises a 422 Problem unless exactly one of `day` and `device` is asked for."""
    if (query.day is None) == (query.device is None):
        raise invalid("day", "ask for the anomalies of a day or of a device: one of the two")
    if query.device is not None:
        before = _before(query.cursor, "place", _PLACE)
        found = _of_device(table, query.device, before, query.limit + 1)
        return _page(found, query.limit, "place")
    before = _before(query.cursor, "at", _AT)
    return _page(_of_day(table, str(query.day), before, query.limit + 1), query.limit, "at")


def open_anomalies(table: Table, state: DeviceState) -> list[AnomalyView]:
    """The anomalies of a device that go on, oldest first."""
    waiting = {
        keys.anomaly_sk(found.started, found.metric, found.kind): _waiting(state.device, found)
        for found in state.pending
        if found.ended is None
    }
    pk = keys.device_pk(state.device)
    wanted = [keys.anomaly_sk(started, *name.split("#", 1)) for name, started in state.open.items()]
    written = table.get_many((pk, sk) for sk in wanted)
    views = {sk: view_of(item) for (_, sk), item in written.items()}
    return [found for sk in sorted(wanted) if (found := views.get(sk) or waiting.get(sk))]


def view_of(item: Item) -> AnomalyView:
    """The anomaly that an item tells of."""
    return msgspec.convert(item, AnomalyView)


def _waiting(device: str, anomaly: Anomaly) -> AnomalyView:
    return AnomalyView(
        device=device,
        metric=anomaly.metric,
        kind=anomaly.kind,
        value=anomaly.value,
        expected=anomaly.expected,
        score=anomaly.score,
        started=keys.iso(anomaly.started),
    )


def _of_device(table: Table, device: str, before: str | None, limit: int) -> Iterator[Item]:
    newest = keys.ANOMALY_PREFIX + (before or _BEYOND_PREFIX)
    found = table.query(
        keys.device_pk(device),
        between=(keys.ANOMALY_PREFIX, newest),
        limit=limit + 1,  # `before` itself is among them
        newest_first=True,
    )
    for item in found:
        place = item["sk"].removeprefix(keys.ANOMALY_PREFIX)
        if place != before:
            yield {**item, "place": place}


def _of_day(table: Table, day: str, before: str | None, limit: int) -> Iterator[Item]:
    where: tuple[str, Literal["<"], str] | None = ("at", "<", before) if before else None
    return table.query_index(
        keys.DAY_INDEX, ("day", day), where=where, limit=limit, newest_first=True
    )


def _before(given: str | None, key: str, form: re.Pattern[str]) -> str | None:
    position = cursor.decode(given, frozenset({key}))
    if position is None:
        return None
    place: str = position[key]
    if not form.fullmatch(place):
        raise invalid("cursor", "not a cursor of this list")
    return place


def _page(found: Iterator[Item], limit: int, key: str) -> AnomalyPage:
    items = list(islice(found, limit + 1))
    more = len(items) > limit
    return AnomalyPage(
        anomalies=[view_of(item) for item in items[:limit]],
        cursor=cursor.encode({key: items[limit - 1][key]}) if more else None,
    )
