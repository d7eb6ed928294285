"""The on-call story: a bad deploy, an alarm, and the runbook's commands exactly as written there.

Local CloudWatch has no metrics of queues, so the alarm cannot ring here; the plan's tests hold its
metric, and this story begins with its text.
"""

import io
import json
import re
import shlex
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from millrace import cli, environments
from millrace.cli import dlq
from millrace.dead_letters import inbox as inboxes
from millrace.environments import Environment
from millrace.local_aws import LocalAws
from millrace.paths import BUILD, ROOT
from tests.e2e.shop import FINAL, Shop
from tests.e2e.world import Tap, World, wait_until, wait_while

GOOD = BUILD / "local" / "notification.zip"
HANDLER = "lambdas/notification/notify"
FORGETS_THE_EVENT = """
from lambdas.core import inbox, observability

@observability.instrumented
def handler(event, _context):
    return inbox.consume(event, inbox.typed({}))
"""


def bad_zip() -> bytes:
    """The service's zip from a branch on which the handler lost the events it handles."""
    made = io.BytesIO()
    with zipfile.ZipFile(GOOD) as good, zipfile.ZipFile(made, "w") as bad:
        names = [name for name in good.namelist() if "/notify." not in name]
        assert len(names) < len(good.namelist())
        for name in names:
            bad.writestr(name, good.read(name))
        bad.writestr(f"{HANDLER}.py", FORGETS_THE_EVENT)
    return made.getvalue()


class OnCall:
    """An engineer who knows nothing but an alarm's text, and types what the runbook says."""

    def __init__(self, world: World) -> None:
        self._world = world

    def alarm(self, name: str) -> str:
        """What the alarm tells."""
        full = f"{self._world.outputs['prefix']}-{name}"
        found = self._world.client("cloudwatch").describe_alarms(AlarmNames=[full])
        (alarm,) = found["MetricAlarms"]
        return str(alarm["AlarmDescription"])

    @staticmethod
    def runbook(alarm_text: str) -> list[str]:
        """The commands of the section that an alarm's text links."""
        linked = re.search(r"Runbook: \S+#([a-z0-9-]+)", alarm_text)
        assert linked, alarm_text
        page = (ROOT / "docs" / "operations.md").read_text()
        sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
        anchors = {part.partition("\n")[0].lower().replace(" ", "-"): part for part in sections}
        return re.findall(r"`(millrace [^`]+)`", " ".join(anchors[linked[1]].split()))

    @staticmethod
    def type_in(command: str, **placeholders: str) -> Any:
        """Run a command as the runbook writes it, its `<placeholders>` filled in."""
        for name, value in placeholders.items():
            command = command.replace(f"<{name}>", value)
        assert "<" not in command, command
        words = [*shlex.split(command)[1:], "--json"]
        result = CliRunner().invoke(cli.app, words, catch_exceptions=False)
        assert result.exit_code == 0, f"{command}: {result.output}"
        return json.loads(result.stdout)


@pytest.fixture
def on_call(
    world: World, local_aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> OnCall:
    applied = Environment("local", world.outputs, local_aws.environment())
    monkeypatch.setattr(environments, "load", lambda _: applied)
    for module in (inboxes, dlq):
        monkeypatch.setattr(module, "BUILD", tmp_path)
    return OnCall(world)


@pytest.fixture
def deploy(world: World) -> Iterator[Callable[[bytes], None]]:
    """Put other code into the function notify; at the end all is as it was before."""
    name = world.outputs["functions"]["notify"]

    def put(content: bytes) -> None:
        world.client("lambda").update_function_code(FunctionName=name, ZipFile=content)

    yield put
    put(GOOD.read_bytes())
    world.client("sqs").purge_queue(QueueUrl=world.outputs["dead_letter_queues"]["notify"])


def is_quiet(world: World, shop: Shop) -> bool:
    """Whether nobody else's event can come by: it would be a dead letter more."""
    is_over = all(order["state"] in FINAL for order in shop.orders())
    return is_over and not world.waiting()


def mails_of(shop: Shop, order_id: str) -> int:
    return sum(order_id in json.dumps(mail) for mail in shop.mails())


def test_a_bad_deploy_is_found_mended_and_redriven_by_the_alarm_and_the_runbook_alone(
    world: World,
    shop: Shop,
    on_call: OnCall,
    deploy: Callable[[bytes], None],
    tap: Callable[..., Tap],
    tmp_path: Path,
) -> None:
    trail = tap({"source": ["millrace.operations"]})
    wait_until("the orders of other tests at their ends", lambda: is_quiet(world, shop), 120)
    product = shop.product("On-call mug", 900, 10)
    wait_until("the basket's price", lambda: shop.put_item("anna", product, 1).status == 200)

    deploy(bad_zip())
    order = str(shop.check_out("anna", "tok_approve_on_call", "on-call-1").body["order_id"])
    wait_until("its end", lambda: (shop.order(order).body or {}).get("state") in FINAL)
    inbox = world.outputs["inboxes"]["notify"]
    for body in ("mend me", "drop me"):
        world.client("sqs").send_message(QueueUrl=inbox, MessageBody=body)
    wait_until("the dead letters", lambda: world.dead_letters().get("notify") == 3)
    assert mails_of(shop, order) == 0

    # The alarm, and the commands of the section that it links.
    text = on_call.alarm("notify-dead-letter-not-empty")
    assert "`millrace dlq redrive notify --environment local`" in text
    commands = on_call.runbook(text)
    verbs = [shlex.split(command)[2] for command in commands]
    assert verbs == ["list", "show", "edit", "redrive", "redrive", "drop", "list"]
    list_all, show, edit, dry_run, redrive, drop, list_again = commands

    # What lies where, and why.
    (place,) = [p for p in on_call.type_in(list_all) if p["name"] == "notify"]
    assert place["messages"] == 3
    reasons = {(group["type"], group["reason"]): group["count"] for group in place["groups"]}
    assert reasons[("order.confirmed.v1", "unknown-type")] == 1
    letters = on_call.type_in(show, inbox="notify")
    ids = {letter["message"]["body"]: letter["message"]["id"] for letter in letters}
    (confirmed,) = [letter for letter in letters if letter["verdict"]["kind"] != "poison"]
    assert "is not handled here" in json.dumps(confirmed["failure"])

    # Mended: the code, one broken event, and one that nobody wants.
    deploy(GOOD.read_bytes())
    mended = tmp_path / "mended.json"
    mended.write_text(confirmed["message"]["body"])
    on_call.type_in(f"{edit} --file {mended}", inbox="notify", id=ids["mend me"])
    on_call.type_in(drop, inbox="notify", id=ids["drop me"])
    assert on_call.type_in(dry_run, inbox="notify")["would_send"] == 1
    assert on_call.type_in(redrive, inbox="notify")["sent"] == 1

    # Verified: one e-mail, though the event came twice; nothing left; all of it on the trail.
    wait_until("the e-mail", lambda: mails_of(shop, order) == 1)
    wait_while("waiting", lambda: world.depth(inbox))
    (place,) = [p for p in on_call.type_in(list_again) if p["name"] == "notify"]
    assert place["messages"] == 0
    assert mails_of(shop, order) == 1
    told = {"dead_letter.edited.v1", "dead_letter.dropped.v1", "dead_letter.redriven.v1"}
    wait_until("the trail", lambda: {event["detail-type"] for event in trail.events()} == told)
