"""Bring the local environment up and down, reusing what is there."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from millrace import aws, code_swap, environments, packaging
from millrace.environments import Environment
from millrace.http_api import reachable
from millrace.local_aws import Instance, LocalAws, make_artifacts_bucket
from millrace.packaging import Artifact
from millrace.paths import LOCAL, write_whole
from millrace.terraform_root import Progress

APPLIED = LOCAL / "applied"
KEPT_BY_LOCAL_AWS = ("emulator.log", "state.json", "origins", "tmp")
"""Of its files, those that outlive an instance, or that it removes itself when it is stopped."""


class Reporter(Protocol):
    """Whoever shows the user what takes time."""

    def step(self, text: str) -> None:
        """A step begins, or there is something to know about it."""

    def progress(self, progress: Progress) -> None:
        """Terraform got on."""


@dataclass(frozen=True)
class Up:
    """What `up` did: `started` a fresh local AWS, `changed` so many resources."""

    instance: Instance
    started: bool
    changed: int
    outputs: dict[str, Any]


@dataclass(frozen=True)
class Applied:
    """What an apply depends on: the zips by service, and a hash of the rest.

    The rest is the running instance, its inputs and Terraform's sources.
    """

    rest: str
    zips: dict[str, str]

    @classmethod
    def wanted(
        cls, instance: Instance, artifacts: list[Artifact], origins: Sequence[str]
    ) -> "Applied":
        """As everything is now."""
        digest = hashlib.sha256(repr((instance, origins)).encode())
        for path in environments.terraform_sources():
            digest.update(f"{path}\n".encode() + path.read_bytes())
        return cls(digest.hexdigest(), {one.name: one.sha256 for one in artifacts})

    @classmethod
    def last(cls) -> "Applied | None":
        """As the last apply left it; None when nothing is known of it."""
        try:
            return cls(**json.loads(APPLIED.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def record(self) -> None:
        """Note that this is applied."""
        write_whole(APPLIED, json.dumps(asdict(self)))


def up(
    reporter: Reporter, local: LocalAws | None = None, allowed_origins: Sequence[str] = ()
) -> Up:
    """Build the zips, start local AWS and apply environments/local; skip what is done.

    `allowed_origins` are web pages that may call the HTTP API (`LocalAws.allow`).
    Raises MillraceError.
    """
    local = local or LocalAws()
    artifacts = packaging.build(["local"], [], reporter.step)
    instance = local.running()
    started = instance is None
    if instance is None:
        reporter.step("Starting local AWS ...")
        forget()
        instance = local.start()
        make_artifacts_bucket(instance)
    if allowed_origins:
        local.allow(allowed_origins)
    wanted = Applied.wanted(instance, artifacts, local.origins())
    last = Applied.last()
    if last is not None and last.rest == wanted.rest and last.zips.keys() == wanted.zips.keys():
        edited = [name for name, content in wanted.zips.items() if last.zips[name] != content]
        changed = swap(local, reporter, edited) if edited else 0
        wanted.record()
        return Up(instance, started, changed, json.loads(environments.OUTPUTS.read_text()))
    # What the last apply left is what is there: nobody else changes an instance of ours, and a
    # failed apply is forgotten. To look at all resources again takes longer than a change of some.
    changed, outputs = apply(local, reporter, refresh=not APPLIED.exists())
    wanted.record()
    return Up(instance, started, changed, outputs)


def swap(local: LocalAws, reporter: Reporter, services: Sequence[str]) -> int:
    """Give the functions of these services their new zips: nothing else has changed."""
    # From here until it succeeds, nothing is known to be applied.
    APPLIED.unlink(missing_ok=True)
    reporter.step(f"New code for {', '.join(services)} ...")
    return code_swap.give(_functions(local), services, LOCAL)


def apply(local: LocalAws, reporter: Reporter, refresh: bool = True) -> tuple[int, dict[str, Any]]:
    """Apply environments/local and record its outputs: (resources changed, outputs)."""
    # From here until it succeeds, nothing is known to be applied.
    APPLIED.unlink(missing_ok=True)
    root = environments.local_root(local)
    reporter.step("Preparing Terraform ...")
    root.init()
    reporter.step("Applying environments/local ...")
    progress = root.apply(reporter.progress, refresh)
    if code_swap.ahead():
        code_swap.catch_up(_functions(local), LOCAL)
    running = local.running()
    outputs = root.output()
    if running is not None:
        outputs = reachable(outputs, running.endpoint)
    write_whole(environments.OUTPUTS, json.dumps(outputs, indent=2) + "\n")
    return progress.done, outputs


def down(local: LocalAws | None = None) -> bool:
    """Stop local AWS with all that is in it; returns whether there was one."""
    stopped = (local or LocalAws()).stop()
    forget()
    return stopped


def forget() -> None:
    """Drop what is known of an instance that is gone: local AWS starts empty.

    Whatever a command put into build/local is about that instance (Terraform's state, journals of
    redrives, traces), save the zips, the log, which says how it ended, and what stops it.
    """
    for path in LOCAL.iterdir() if LOCAL.exists() else ():
        built = path.with_suffix(".zip").exists() and path.suffix in (".zip", ".json")
        if built or path.name in KEPT_BY_LOCAL_AWS:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _functions(local: LocalAws) -> Any:
    return aws.client(Environment("local", {}, local.environment()), "lambda")
