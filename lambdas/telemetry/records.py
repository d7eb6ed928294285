"""From data to telemetry records, typed and checked; what cannot be one is Poison. Pure.

The data of a Kinesis record is one record as JSON text, that text gzipped, or several of either
in the Kinesis Producer Library's format. Nearly every record is good, so the checks are those the
decoder makes on its way and a handful of comparisons; only a refused one is looked at closely.
"""

import operator
import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lambdas.core.errors import Poison
from lambdas.telemetry.unpacking import MAX_BYTES, too_large

VERSION: Literal[1] = 1
MAX_METRICS = 32
MAX_VALUE = 1e30
"""Beyond any physical quantity, and squares and sums of it stay finite."""

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_METRIC = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SHORT = 1_000
"""Bytes in which a text cannot be nested too deep: a level takes two, and about 990 are taken."""

_WHOLE = ("time", "sequence")
_EXACT = 2**53
"""Up to here a float tells each whole number from the next."""

_device_of = operator.attrgetter("device")
_metrics_of = operator.attrgetter("metrics")
_time_of = operator.attrgetter("time")

Name = Annotated[str, Meta(max_length=64)]
Value = Annotated[float, Meta(ge=-MAX_VALUE, le=MAX_VALUE)]


class Location(msgspec.Struct, frozen=True):
    """WGS 84, degrees."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class Record(msgspec.Struct, kw_only=True, gc=False):
    """What a device says at one moment; unknown fields are ignored.

    `sequence` rises with every record of the device, until it restarts: device, sequence and time
    together are the record's identity.
    """

    version: Literal[1] = VERSION
    device: str
    type: Name = "default"
    time: int
    """Milliseconds since the epoch."""
    sequence: Annotated[int, Meta(ge=0, le=2**62)]
    metrics: Annotated[dict[str, Value], Meta(min_length=1, max_length=MAX_METRICS)]
    firmware: Name | None = None
    location: Location | None = None


class Limits(msgspec.Struct, frozen=True):
    """What is taken; the rest of a device's settings come with its type."""

    lateness_hours: float = 24
    """A record whose time is longer before its arrival is refused."""
    future_seconds: float = 120
    """A record whose time is longer after its arrival is refused."""
    rollup_days: int = 400
    silent_minutes: float = 15
    device_is_key: bool = False
    """A record is refused whose partition key is not its device: then nobody speaks for another
    who cannot choose the key. Over MQTT it is the topic that says it."""


class Checker:
    """Checks decoded records; a metric's name that was good once is not looked at again."""

    def __init__(self, limits: Limits) -> None:
        # Of a record's time, in milliseconds after its arrival.
        self.earliest = -round(limits.lateness_hours * 3_600_000)
        self.latest = round(limits.future_seconds * 1000)
        self.device_is_key = limits.device_is_key
        self.names: set[str] = set()
        """Good names of metrics."""
        self.decode = msgspec.json.Decoder(Record).decode
        """A record of the right shape. Raises msgspec.DecodeError."""

    def record(self, text: bytes, arrival: int, key: str) -> Record:
        """The record in a JSON text that arrived then (ms) under this partition key.

        Raises Poison.
        """
        try:
            record = self.decode(text)
        except (ValueError, RecursionError) as error:
            record = self._with_whole_numbers(text, error)
        self.look_closely(record, text, arrival, key)
        return record

    def _with_whole_numbers(self, text: bytes, error: Exception) -> Record:
        """The record of which only this was wrong: its time or sequence is a whole number written
        as 1.79e12 or 17.0, which is the same number to JSON (RFC 8259, 6). Raises Poison."""
        fields = _fields(text)
        written = {name: fields[name] for name in _WHOLE if isinstance(fields.get(name), float)}
        if not written or not all(map(_is_whole, written.values())):
            raise _refusal(text, fields, error) from error
        whole = {name: int(number) for name, number in written.items()}
        try:
            return self.decode(msgspec.json.encode(fields | whole))
        except (ValueError, RecursionError) as other:
            raise _refusal(text, fields, other) from other

    def are_good(
        self, device: str, records: list[Record], texts: list[bytes], arrivals: list[int]
    ) -> bool:
        """Whether records are good and all of this device; by columns, which takes no time.

        When not, or when they have metrics not seen before, each has to be looked at.
        """
        offs = list(map(operator.sub, map(_time_of, records), arrivals))
        longest = max(map(len, texts))
        return (
            set(map(_device_of, records)) == {device}
            and set().union(*map(_metrics_of, records)) <= self.names
            and self.earliest <= min(offs)
            and max(offs) <= self.latest
            and longest <= MAX_BYTES
            and (
                (longest <= _SHORT and all(map(bytes.isascii, texts))) or all(map(_is_sound, texts))
            )
            and _DEVICE.fullmatch(device) is not None
        )

    def look_closely(self, record: Record, text: bytes, arrival: int, key: str) -> None:
        """Raises Poison for a record that is not good; `text` is what it was decoded from."""
        if len(text) > MAX_BYTES:
            raise too_large(len(text))
        if not _is_sound(text):
            raise Poison("undecodable", "an unknown field is no UTF-8, or nested too deep")
        if not _DEVICE.fullmatch(record.device):
            raise Poison("bad-device", f"{record.device[:80]!r} is no device id")
        if self.device_is_key and record.device != key:
            raise Poison("bad-device", f"{record.device!r} came under the key {key[:80]!r}")
        for name in record.metrics:
            if not _METRIC.fullmatch(name):
                raise Poison("bad-metrics", f"{name[:80]!r} is no metric name")
        off = record.time - arrival
        if off < self.earliest:
            raise Poison("too-late", f"{-off} ms before its arrival")
        if off > self.latest:
            raise Poison("from-the-future", f"{off} ms after its arrival")
        if len(self.names) > 5_000:  # names come from outside, and a function lives for hours
            self.names.clear()
        self.names.update(record.metrics)


def _is_sound(text: bytes) -> bool:
    """Whether a record's text can be read where the decoder skips it: in the unknown fields."""
    try:
        text.decode()
        if 2 * (text.count(b"[") + text.count(b"{")) > _SHORT:
            msgspec.json.decode(text)
    except (UnicodeDecodeError, RecursionError):
        return False
    except msgspec.DecodeError:  # a number that Python has none for: JSON all the same
        return True
    return True


def _fields(text: bytes) -> dict[str, Any]:
    """The fields of a JSON object of a size to be looked at; none of anything else."""
    if len(text) > MAX_BYTES:
        return {}
    try:
        fields = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _is_whole(number: float) -> bool:
    return number.is_integer() and abs(number) <= _EXACT


def _refusal(text: bytes, fields: dict[str, Any], error: Exception) -> Poison:
    """Why a text is no record, in the most telling word."""
    if len(text) > MAX_BYTES:
        return too_large(len(text))
    if not fields:
        return Poison("undecodable", str(error))
    if fields.get("version", VERSION) != VERSION:
        return Poison("unknown-version", f"{str(fields['version'])[:80]}, not {VERSION}")
    if not isinstance(device := fields.get("device"), str) or not _DEVICE.fullmatch(device):
        return Poison("bad-device", f"{str(device)[:80]!r} is no device id")
    if not _are_metrics(fields.get("metrics")):
        return Poison("bad-metrics", str(error))
    return Poison("undecodable", str(error))


def _are_metrics(found: Any) -> bool:
    try:
        msgspec.convert(found, Annotated[dict[str, Value], Meta(min_length=1, max_length=32)])
    except msgspec.ValidationError:
        return False
    return True
