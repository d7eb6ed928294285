"""How full the queues are, and since when their oldest message waits."""

import json
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from millrace.health.checks import side_by_side
from millrace.health.report import Queue

_WAITING = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed")
_IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"
# The machine's proxy settings must not take a request for the loopback address.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def depths(sqs: Any, urls: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Messages that wait and messages in flight, by the name given with each URL."""

    def depth(url: str) -> tuple[int, int]:
        names = [*_WAITING, _IN_FLIGHT]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in _WAITING), int(found[_IN_FLIGHT])

    return dict(zip(urls, side_by_side(depth, urls.values()), strict=True))


def local_ages(endpoint: str) -> dict[str, float]:
    """Since how many seconds the oldest message of each queue is there, by the queue's name.

    Local AWS shows its messages to whoever asks; AWS tells the age as a metric instead.
    """
    with _OPENER.open(f"{endpoint}/_ministack/sqs/messages", timeout=2) as response:
        accounts = json.load(response)["messages"]
    now = time.time()
    return {
        url.rpartition("/")[2]: now - min(message["SentTimestamp"] for message in messages)
        for regions in accounts.values()
        for queues in regions.values()
        for url, messages in queues.items()
        if messages
    }


def inboxes(
    outputs: Mapping[str, Any],
    found: Mapping[str, tuple[int, int]],
    ages: Mapping[str, float],
) -> dict[str, Queue]:
    """Every inbox by its short name; `found` and `ages` are by the queues' own names."""
    made = {}
    for name, url in outputs.get("inboxes", {}).items():
        full, dead_url = url.rpartition("/")[2], outputs["dead_letter_queues"].get(name, "")
        dead = dead_url.rpartition("/")[2]
        if full not in found:
            continue
        waiting, in_flight = found[full]
        made[name] = Queue(
            waiting=waiting,
            in_flight=in_flight,
            oldest=ages.get(full) if waiting + in_flight else None,
            dead=sum(found.get(dead, (0, 0))),
            dead_oldest=ages.get(dead),
        )
    return made


def names(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The URL of every inbox and dead-letter queue, by the queue's own name."""
    urls = [*outputs.get("inboxes", {}).values(), *outputs.get("dead_letter_queues", {}).values()]
    return {url.rpartition("/")[2]: url for url in urls}
