"""Take an environment's health: every source at once, none of them waited for too long."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.config import Config

from millrace import aws
from millrace.environments import Environment
from millrace.health import queues
from millrace.health.checks import ask
from millrace.health.questions import Asked, Client, on_a_laptop, on_aws
from millrace.health.report import Function, Report, Work
from millrace.local_aws import LocalAws
from millrace.paths import ROOT

WINDOW_MINUTES = 15
SECONDS = 2.2
"""How long the slowest source is waited for, once the first look has been taken."""
FIRST_SECONDS = 10.0
"""How long a first look waits: credentials of an SSO or a role may take seconds to come."""
HASTY = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})


def look(
    environment: Environment,
    client: Client | None = None,
    traces: Path | None = None,
    *,
    seconds: float = FIRST_SECONDS,
    tell: Callable[[list[str]], None] | None = None,
) -> Report:
    """The health of an environment; a part that cannot be had is named in `missing`.

    `traces` is the file that local AWS collects them in, by default where `millrace up` has it.
    `seconds` is how long the slowest source is waited for; `tell` hears early which are late.
    """
    begun = time.time()
    asked = Asked(
        environment,
        client or Clients(environment),
        begun - WINDOW_MINUTES * 60,
        begun,
        seconds,
    )
    missing: dict[str, str] = {}
    if environment.is_local:
        endpoint = environment.client["AWS_ENDPOINT_URL"]
        questions = on_a_laptop(asked, endpoint, traces or LocalAws().traces)
        missing["stream lag"] = "not available here: local AWS measures no iterator age"
    else:
        questions = on_aws(asked)
    answers = ask(questions, seconds, tell)
    values = answers.values
    boxes = queues.inboxes(environment.outputs, values.get("queues", {}), values.get("ages", {}))
    work: dict[str, Work] = values.get("work", {})
    services = service_of(asked.functions)
    names = sorted({*asked.functions, *boxes}, key=lambda name: (services.get(name, "~"), name))
    return Report(
        environment=environment.name,
        taken=begun,
        took_ms=(time.time() - begun) * 1000,
        window_minutes=WINDOW_MINUTES,
        functions=[
            Function(
                name=name,
                service=services.get(name, "other"),
                queue=boxes.get(name),
                work=work.get(name),
            )
            for name in names
        ],
        alarms=values.get("alarms", []),
        error_lines=values.get("log", []),
        quarantined=values.get("quarantine", 0),
        missing=answers.missing | missing,
        not_here=answers.not_here | set(missing),
    )


class Clients:
    """The clients of an environment, each made once: to make one costs more than to ask it.

    They give up early and try once: who looks again asks again, and a screen that waits for a
    dead source shows nothing of the others.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str) -> Any:
        # One at a time: they are made of the same files, and Python computes one thing at a time.
        with self._lock:
            if name not in self._made:
                self._made[name] = aws.client(self._environment, name, HASTY)
            return self._made[name]


def service_of(functions: Mapping[str, str]) -> dict[str, str]:
    """The service that each function belongs to, read from the source.

    Publishers belong to the outbox; a function that no module of ours is named for, to "other".
    """
    found: dict[str, str] = {}
    # By the names of files: to parse them for their handlers takes longer than to ask AWS.
    for module in sorted((ROOT / "lambdas").glob("*/*.py")):
        service, name = (part.replace("_", "-") for part in (module.parent.name, module.stem))
        found[f"{service}-{name}" if name == "api" else name] = service
        found.setdefault(service, service)  # api-docs
    return {
        name: found.get(name, "outbox" if name.endswith("-publisher") else "other")
        for name in functions
    }
