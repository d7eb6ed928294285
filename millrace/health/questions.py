"""What is asked of an environment, on AWS and on a laptop. Both give the same answers by name.

`queues` depths, `ages` of the oldest messages, `work` of the functions, `alarms`, the last lines
of the `log`, and what is in `quarantine`.
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lambdas.core.quarantine import records_in
from millrace.environments import Environment
from millrace.health import collected, logs, metrics, queues

Client = Callable[[str], Any]
Questions = dict[str, Callable[[], Any]]

QUARANTINED = ("quarantine/", "aws/")
"""What begins with these is written by functions (core/quarantine.py) and by stream mappings."""


class Asked:
    """What both have: queues, alarms and the quarantine. `client` gives one by boto3's name."""

    def __init__(
        self, environment: Environment, client: Client, begin: float, end: float, seconds: float
    ) -> None:
        outputs = environment.outputs
        self.client = client
        self.functions: dict[str, str] = outputs.get("functions", {})
        self.queues = queues.names(outputs)
        self.begin, self.end, self.seconds = begin, end, seconds
        self._prefix = environment.text("prefix")
        self._bucket = outputs.get("quarantine_bucket")

    def questions(self) -> Questions:
        asked: Questions = {
            "queues": lambda: queues.depths(self.client("sqs"), self.queues),
            "alarms": lambda: metrics.alarms(self.client("cloudwatch"), self._prefix),
        }
        if self._bucket:
            asked["quarantine"] = lambda: self._quarantined(self._bucket)
        return asked

    def _quarantined(self, bucket: Any) -> int:
        """Records in quarantine, as far as a page of each kind tells.

        What operators dropped is in the same bucket and is no trouble.
        """
        s3 = self.client("s3")
        pages = [s3.list_objects_v2(Bucket=bucket, Prefix=prefix) for prefix in QUARANTINED]
        return sum(records_in(one["Key"]) for page in pages for one in page.get("Contents", []))


def on_aws(asked: Asked) -> Questions:
    """CloudWatch knows the ages and the work, Logs Insights the log."""

    def read(wanted: list[metrics.Wanted]) -> dict[metrics.Wanted, float]:
        begin, end = (dt.datetime.fromtimestamp(t, dt.UTC) for t in (asked.begin, asked.end))
        return metrics.read(asked.client("cloudwatch"), wanted, begin, end)

    def ages() -> dict[str, float]:
        found = read([metrics.of_queue(name) for name in asked.queues])
        return {one.of: age for one, age in found.items()}

    def work() -> Any:
        wanted = [one for full in asked.functions.values() for one in metrics.of_function(full)]
        return metrics.work(asked.functions, read(wanted))

    def log() -> Any:
        return logs.ask_insights(
            asked.client("logs"),
            asked.functions,
            asked.begin,
            asked.end,
            # Sooner than the others are given up, so that it can say why and stop its questions.
            seconds=asked.seconds - 0.7,
        )

    return asked.questions() | {"ages": ages, "work": work, "log": log}


def on_a_laptop(asked: Asked, endpoint: str, traces: Path) -> Questions:
    """Local AWS shows its messages and its logs; the traces tell what the functions did."""
    return asked.questions() | {
        "ages": lambda: queues.local_ages(endpoint),
        "work": lambda: collected.work(traces, asked.functions, asked.begin),
        "log": lambda: logs.read_groups(
            asked.client("logs"), asked.functions, asked.begin, asked.end
        ),
    }
