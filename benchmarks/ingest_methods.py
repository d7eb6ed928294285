"""The workers of benchmarks/ingest.py: `python -m benchmarks.ingest_methods METHOD`.

Every method takes the Records of one Kinesis event. The peers feed an EWMA of each series and the
minute's count, sum, minimum and maximum, written in the plain way; ours does the real work.
Libraries are imported by the method that uses them: not every environment has all.
"""

import base64
import json
import math
import re
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from benchmarks.harness import serve
from benchmarks.ingest_records import batch, warm_up_batch

Records = list[dict[str, Any]]
Minutes = dict[tuple[str, str, int], list[float]]
ALPHA = 0.05

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_METRIC = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Plain:
    """What a straightforward consumer keeps: levels, variances, minutes, and numbers seen."""

    def __init__(self) -> None:
        self.bands: dict[tuple[str, str], tuple[float, float]] = {}
        self.minutes: Minutes = {}
        self.seen: set[tuple[str, int]] = set()
        self.invalid = 0
        self.outliers = 0

    def take(self, device: str, time_ms: int, sequence: int, metrics: dict[str, float]) -> None:
        if (device, sequence) in self.seen:
            return
        self.seen.add((device, sequence))
        minute = time_ms - time_ms % 60_000
        for name, value in metrics.items():
            level, variance = self.bands.get((device, name), (value, 0.0))
            off = value - level
            if variance and off * off > 36 * variance:
                self.outliers += 1
            self.bands[(device, name)] = (
                level + ALPHA * off,
                (1 - ALPHA) * (variance + ALPHA * off * off),
            )
            key = (device, name, minute)
            found = self.minutes.get(key)
            if found is None:
                self.minutes[key] = [1, value, value, value]
            else:
                found[0] += 1
                found[1] += value
                found[2] = min(found[2], value)
                found[3] = max(found[3], value)


def _data(records: Records) -> Iterator[bytes]:
    for record in records:
        yield base64.b64decode(record["kinesis"]["data"])


def _checked(fields: Any) -> bool:
    """The checks that a careful hand writes."""
    return (
        isinstance(fields, dict)
        and fields.get("version", 1) == 1
        and isinstance(fields.get("device"), str)
        and _DEVICE.fullmatch(fields["device"]) is not None
        and isinstance(fields.get("time"), int)
        and isinstance(fields.get("sequence"), int)
        and isinstance(fields.get("metrics"), dict)
        and 1 <= len(fields["metrics"]) <= 32
        and all(
            _METRIC.fullmatch(name)
            and isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
            for name, value in fields["metrics"].items()
        )
    )


def _by_hand(loads: Callable[[bytes], Any], records: Records) -> Plain:
    plain = Plain()
    for data in _data(records):
        try:
            fields = loads(data)
        except ValueError:
            plain.invalid += 1
            continue
        if not _checked(fields):
            plain.invalid += 1
            continue
        plain.take(fields["device"], fields["time"], fields["sequence"], fields["metrics"])
    return plain


def stdlib(records: Records) -> Plain:
    """json.loads and checks by hand."""
    return _by_hand(json.loads, records)


def orjson(records: Records) -> Plain:
    """The same with orjson."""
    return _by_hand(import_module("orjson").loads, records)


def _pydantic_model() -> Any:
    from typing import Annotated

    pydantic = import_module("pydantic")
    name = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    number = Annotated[float, pydantic.Field(allow_inf_nan=False)]
    device = Annotated[
        str, pydantic.StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")
    ]
    return pydantic.create_model(
        "Reading",
        version=(int, 1),
        device=(device, ...),
        type=(str, "default"),
        time=(int, ...),
        sequence=(int, ...),
        metrics=(Annotated[dict[name, number], pydantic.Field(min_length=1, max_length=32)], ...),
    )


def pydantic_json() -> Callable[[Records], Plain]:
    """pydantic's validate_json on each record's data."""
    validate = _pydantic_model().model_validate_json

    def run(records: Records) -> Plain:
        plain = Plain()
        for data in _data(records):
            try:
                reading = validate(data)
            except ValueError:
                plain.invalid += 1
                continue
            plain.take(reading.device, reading.time, reading.sequence, reading.metrics)
        return plain

    return run


def powertools() -> Callable[[Records], Plain]:
    """Powertools as its documentation combines parser and batch processor for Kinesis, so that a
    bad record fails alone: aws-powertools/powertools-lambda-python,
    examples/batch_processing/src/pydantic_kinesis.py, without logger and tracer. Its Kinesis
    envelope, asked record by record, takes 1.4 times as long; asked once, one bad record fails
    the batch."""
    models = import_module("aws_lambda_powertools.utilities.parser.models")
    batches = import_module("aws_lambda_powertools.utilities.batch")
    pydantic = import_module("pydantic")
    payload = pydantic.create_model(
        "Payload",
        __base__=models.KinesisDataStreamRecordPayload,
        data=(pydantic.Json[_pydantic_model()], ...),
    )
    model = pydantic.create_model(
        "Parsed", __base__=models.KinesisDataStreamRecord, kinesis=(payload, ...)
    )
    processor = batches.BatchProcessor(batches.EventType.KinesisDataStreams, model=model)

    def run(records: Records) -> Plain:
        plain = Plain()

        def handle(record: Any) -> None:
            reading = record.kinesis.data
            plain.take(reading.device, reading.time, reading.sequence, reading.metrics)

        answer = batches.process_partial_response({"Records": records}, handle, processor)
        plain.invalid = len(answer["batchItemFailures"])
        return plain

    return run


def floor() -> Callable[[Records], Plain]:
    """The limit: base64 and a typed decode, nothing else."""
    import msgspec

    from lambdas.telemetry.records import Record

    decode = msgspec.json.Decoder(Record).decode

    def run(records: Records) -> Plain:
        plain = Plain()
        for data in _data(records):
            try:
                decode(data)
            except msgspec.DecodeError:
                plain.invalid += 1
        return plain

    return run


def ours() -> Callable[[Records], Any]:
    """The handler's own work between the event and the first write: take apart, check, dedupe,
    detect, aggregate. Devices are known, as they are in every batch but the first."""
    from lambdas.telemetry.device_state import DeviceState
    from lambdas.telemetry.device_types import DeviceTypes
    from lambdas.telemetry.folding import fold
    from lambdas.telemetry.records import Checker, Limits
    from lambdas.telemetry.stored_states import packed, unpacked
    from lambdas.telemetry.taking_apart import take_apart

    checker, types = Checker(Limits()), DeviceTypes({})
    before = take_apart(warm_up_batch(), checker).devices
    bodies = {name: packed(fold(None, arrived, types).state) for name, arrived in before.items()}

    def work(records: Records, states: dict[str, DeviceState]) -> int:
        """A function of its own, so that letting go of the records is timed as well."""
        taken = take_apart(records, checker)
        for name, arrived in taken.devices.items():
            fold(states[name], arrived, types)
        return len(taken.refused)

    def run(records: Records) -> dict[str, Any]:
        states = {name: unpacked(body) for name, body in bodies.items()}
        wall, cpu = time.perf_counter(), time.process_time()
        invalid = work(records, states)
        took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        counted = {
            f"{name}/{metric}/{start}": [r.count, round(r.sum, 6), r.min, r.max]
            for name, state in states.items()
            for start, metrics in state.minutes.items()
            for metric, r in metrics.items()
        }
        return {**took, "invalid": invalid, "minutes": counted}

    return run


MAKERS: dict[str, Callable[[], Callable[[Records], Any]]] = {
    "ours": ours,
    "stdlib": lambda: stdlib,
    "orjson": lambda: orjson,
    "pydantic": pydantic_json,
    "powertools": powertools,
    "floor": floor,
}


def main() -> None:
    """Answer requests; {"check": true} asks for what came out as well."""
    records, work = batch(), MAKERS[sys.argv[1]]()

    def run(request: dict[str, Any]) -> dict[str, Any]:
        made = work(records)
        if isinstance(made, Plain):
            if not request.get("check"):
                return {"invalid": made.invalid}
            minutes = {
                f"{device}/{metric}/{start}": [count, round(total, 6), low, high]
                for (device, metric, start), (count, total, low, high) in made.minutes.items()
            }
            return {"invalid": made.invalid, "minutes": minutes}
        if not request.get("check"):
            del made["minutes"]
        return dict(made)

    serve(run)


if __name__ == "__main__":
    main()
