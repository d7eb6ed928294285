"""What a stream and its readers refuse; planned together with the other refusals."""

Case = tuple[str, str, str, str, str]
"""What is wrong, module, its other inputs, the wrong ones, words of the message."""

TELEMETRY = """
  platform = var.platform
  bus      = { name = "b", arn = "arn:aws:events:::event-bus/b", quarantine_name = "q" }
"""
CONSUMER = """
  platform        = var.platform
  function        = { name = "f", role_name = "f" }
  quarantine_name = "q"
"""
STREAM = 'stream = { kind = "kinesis", name = "s", arn = "arn:aws:kinesis:::stream/s" }'
WORD = '{ meaning = "m", runbook = "r", remedy = "r" }'
WORDS = f"words = {{ lags = {WORD}, quarantined = {WORD} }}"
READER = f"{CONSUMER}\n{STREAM}\n{WORDS}\n"


def _types(metrics: str) -> str:
    return f"device_types = {{ default = {{ metrics = {{ {metrics} }} }} }}"


CASES: list[Case] = [
    (
        "a stream that is neither kind",
        "modules/stream-consumer",
        f"{CONSUMER}\n{WORDS}",
        'stream = { kind = "kafka", name = "s", arn = "arn" }',
        'kind wants dynamodb or kinesis; got "kafka".',
    ),
    (
        "a batch larger than a stream gives",
        "modules/stream-consumer",
        READER,
        "batch = { size = 10001 }",
        "wants 1 to 10000 records; got 10001.",
    ),
    (
        "a batch that waits too long",
        "modules/stream-consumer",
        READER,
        "batch = { window_seconds = 301 }",
        "waits 0 to 300 whole seconds to fill; got 301.",
    ),
    (
        "more workers than a shard takes",
        "modules/stream-consumer",
        READER,
        "batch = { parallelization = 11 }",
        "A shard wants 1 to 10 workers; got 11.",
    ),
    (
        "records given up after the stream forgot them",
        "modules/stream-consumer",
        READER,
        "give_up_seconds = 90000",
        "of 60 to 86400 s, before the stream forgets them; got 90000 s.",
    ),
    (
        "a filter that is no pattern",
        "modules/stream-consumer",
        READER,
        'pattern = "INSERT"',
        'A filter pattern wants JSON; got "INSERT".',
    ),
    (
        "a beginning that streams have not",
        "modules/stream-consumer",
        READER,
        'starting_position = "YESTERDAY"',
        'wants TRIM_HORIZON or LATEST; got "YESTERDAY".',
    ),
    (
        "an alarm that comes too late",
        "modules/stream-consumer",
        READER,
        "lag_minutes = 1440",
        "less than the 24 hours after which the stream forgets; got 1440 minutes.",
    ),
    (
        "an alarm without words",
        "modules/stream-consumer",
        f"{CONSUMER}\n{STREAM}",
        'words = { lags = { meaning = "", runbook = "r", remedy = "r" }, quarantined = '
        + WORD
        + " }",
        "or whoever it wakes knows nothing.",
    ),
    (
        "a stream without shards",
        "modules/telemetry",
        TELEMETRY,
        "stream = { shards = 0 }",
        "at least 1 shard, or null for on demand; got 0.",
    ),
    (
        "a stream that forgets at once",
        "modules/telemetry",
        TELEMETRY,
        "stream = { retention_hours = 1 }",
        "keeps records 24 to 8760 hours; got 1.",
    ),
    (
        "an ingest that cannot hold its batch",
        "modules/telemetry",
        TELEMETRY,
        "ingest = { memory_mb = 256 }",
        "at least 512 MB to hold a batch of 6 MB unpacked; got 256.",
    ),
    (
        "a limit that is none",
        "modules/telemetry",
        TELEMETRY,
        "limits = { lateness_hours = 0 }",
        "whole numbers, at least 1; got future_seconds 120, lateness_hours 0",
    ),
    (
        "rollups forgotten before the latest record",
        "modules/telemetry",
        TELEMETRY,
        "limits = { rollup_days = 2, lateness_hours = 72 }",
        "longer than records may be late (72 hours); got 2 days.",
    ),
    (
        "devices without a default",
        "modules/telemetry",
        TELEMETRY,
        "device_types = { pump = {} }",
        'one called "default", for devices of any other type; got pump.',
    ),
    (
        "a metric that no record may have",
        "modules/telemetry",
        TELEMETRY,
        _types("Temperature = {}"),
        "got default, default/Temperature.",
    ),
    (
        "limits the wrong way round",
        "modules/telemetry",
        TELEMETRY,
        _types("celsius = { low = 90, high = -20 }"),
        "Limits want low < high, 0 < alpha <= 1, stuck_tolerance of at least 0, z of "
        "at least 3, and min_deviation, max_rate_per_second and skew_seconds above 0; got "
        '{"default":{"celsius":{"high":-20,"low":90}}}.',
    ),
    (
        "a spike that every third reading would be",
        "modules/telemetry",
        TELEMETRY,
        _types('"*" = { z = 1 }'),
        'got {"default":{"*":{"z":1}}}.',
    ),
    (
        "a weight beyond one",
        "modules/telemetry",
        TELEMETRY,
        _types('"*" = { alpha = 1.5 }'),
        'got {"default":{"*":{"alpha":1.5}}}.',
    ),
    (
        "a sensor stuck after one reading",
        "modules/telemetry",
        TELEMETRY,
        _types("bar = { stuck_after_readings = 1 }"),
        'stuck_after_readings at least 2; got {"default":{"bar":{"stuck_after_readings":1}}}.',
    ),
    (
        "half a reading to warm up",
        "modules/telemetry",
        TELEMETRY,
        _types("bar = { warm_up = 30.5 }"),
        'stuck_after_readings at least 2; got {"default":{"bar":{"warm_up":30.5}}}.',
    ),
    (
        "a device silent at once",
        "modules/telemetry",
        TELEMETRY,
        "device_types = { default = { silent_minutes = 0 } }",
        "a whole number of minutes, at least 1; got default 0.",
    ),
    (
        "more types than a parameter holds",
        "modules/telemetry",
        TELEMETRY,
        'device_types = merge({ default = {} }, { for n in range(200) : "type-${n}" => '
        "{ metrics = { celsius = { low = -20, high = 90 } } } })",
        "at most 8192 bytes as JSON, which is what a parameter holds; got",
    ),
    (
        "a topic with a wildcard in a word",
        "modules/telemetry",
        TELEMETRY,
        'iot = { topic = "plant+/telemetry" }',
        'a "#" only at its end; got "plant+/telemetry".',
    ),
    (
        "a topic of the provider itself",
        "modules/telemetry",
        TELEMETRY,
        'iot = { topic = "$aws/things/+/shadow" }',
        'a "#" only at its end; got "$aws/things/+/shadow".',
    ),
    (
        "a topic too deep",
        "modules/telemetry",
        TELEMETRY,
        'iot = { topic = "a/b/c/d/e/f/g/h/i" }',
        'a "#" only at its end; got "a/b/c/d/e/f/g/h/i".',
    ),
    (
        "a silence longer than a day",
        "modules/telemetry",
        TELEMETRY,
        "silence = { minutes = 1441 }",
        "Silence wants 1 to 1440 whole minutes; got 1441.",
    ),
    (
        "a first day that is none",
        "modules/telemetry",
        TELEMETRY,
        'raw = { first_day = "2026-13-01" }',
        'The first day wants the form YYYY-MM-DD; got "2026-13-01".',
    ),
    (
        "files moved just before they go",
        "modules/telemetry",
        TELEMETRY,
        "raw = { infrequent_after_days = 30, expire_after_days = 45 }",
        "objects that expire after 45 days want to move 30 days before; got 30.",
    ),
    (
        "files moved too early",
        "modules/bucket",
        "platform = var.platform",
        'name = "cold"\n infrequent_after_days = 10',
        "after a whole number of days, at least 30; got 10.",
    ),
]
