"""Start and stop local AWS: MiniStack in its own environment, on free ports, in its own folder.

Several instances run side by side, each with a root folder that holds all it writes:
`state.json` (what runs), `origins` (web pages let in), `emulator.log`, `traces.jsonl`, `tmp/`.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from millrace import traces
from millrace.errors import MillraceError
from millrace.paths import BUILD, LOCAL, ROOT, relative, write_whole

REGION = "us-east-1"
ACCOUNT = "000000000000"
PYTHON = BUILD / "emulator-venv" / "bin" / "python"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
_EMULATOR = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from millrace.guarded_emulator import main
del sys.path[0]
main(Path(sys.argv.pop()))
"""

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")

# The machine's proxy settings must not take a request for the loopback address.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Instance:
    """A running local AWS: process ids with their start times (ids are reused), and ports."""

    pid: int
    started: float
    port: int
    collector_pid: int
    collector_started: float
    collector_port: int

    @property
    def endpoint(self) -> str:
        # A name such as localhost would make S3 clients ask DNS for bucket.localhost.
        return f"http://127.0.0.1:{self.port}"

    @property
    def xray_daemon_address(self) -> str:
        return f"127.0.0.1:{self.collector_port}"


class LocalAws:
    """Local AWS under one root folder."""

    def __init__(self, root: Path = LOCAL, python: Path = PYTHON) -> None:
        self.root = root
        self.python = python
        self.log = root / "emulator.log"
        self.traces = root / "traces.jsonl"
        self._state = root / "state.json"
        self._origins = root / "origins"
        self._scratch = root / "tmp"

    def running(self) -> Instance | None:
        """The instance, if its processes live and it answers."""
        instance = self._recorded()
        if instance is None or not _alive(instance.collector_pid, instance.collector_started):
            return None
        if not _alive(instance.pid, instance.started) or not _healthy(instance.endpoint):
            return None
        return instance

    def start(self) -> Instance:
        """Start an empty instance and wait until it answers; whatever was left over is stopped.

        Raises MillraceError with the end of the log when it does not come up.
        """
        self.stop()
        if not self.python.exists():
            raise MillraceError("Local AWS is not installed: run `make setup`.")
        self._scratch.mkdir(parents=True)
        # Another process may take a free port between our choice and the emulator's bind.
        for _ in range(3):
            instance = self._try_to_start(_free_port())
            if instance is not None:
                return instance
        self.stop()
        raise MillraceError(
            f"Local AWS did not start; {relative(self.log)} ends with:\n{self.log_tail()}"
        )

    def stop(self) -> bool:
        """Stop the instance with all its workers and remove its temporary files.

        Returns whether there was one. Raises MillraceError when a process cannot be stopped.
        """
        instance = self._recorded()
        if instance is not None:
            _stop_group(instance.pid, instance.started)
            _stop_group(instance.collector_pid, instance.collector_started)
        for path in (self._state, self._origins):
            path.unlink(missing_ok=True)
        shutil.rmtree(self._scratch, ignore_errors=True)
        return instance is not None

    def environment(self) -> dict[str, str]:
        """What an AWS client needs to speak to this instance. Raises MillraceError when down."""
        instance = self.running()
        if instance is None:
            raise MillraceError("Local AWS is not running: `millrace up` starts it.")
        return client_environment(instance)

    def origins(self) -> list[str]:
        """The web pages that may call the HTTP API, by origin; see `allow`."""
        return self._origins.read_text().splitlines() if self._origins.exists() else []

    def allow(self, origins: Iterable[str]) -> None:
        """Let these web pages call the HTTP API too, and nothing else, until it is stopped.

        Raises MillraceError for what is no origin as browsers write it, such as
        http://localhost:5173: a scheme, a host, a port unless it is the scheme's own.
        """
        wanted = list(origins)
        for origin in wanted:
            if not _ORIGIN.fullmatch(origin):
                raise MillraceError(
                    f"An origin is like http://localhost:5173, without a path; got {origin!r}."
                )
        write_whole(
            self._origins, "".join(f"{one}\n" for one in sorted({*self.origins(), *wanted}))
        )

    def log_tail(self, lines: int = 20) -> str:
        """The end of the emulator's log."""
        if not self.log.exists():
            return "(nothing)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    @contextlib.contextmanager
    def session(self) -> Iterator[Instance]:
        """A fresh instance for the length of a `with` block."""
        try:
            yield self.start()
        finally:
            self.stop()

    def _recorded(self) -> Instance | None:
        try:
            return Instance(**json.loads(self._state.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _try_to_start(self, port: int) -> Instance | None:
        self.traces.unlink(missing_ok=True)
        collector, collector_port = traces.start_collector(self.traces)
        with self.log.open("wb") as log:
            emulator = subprocess.Popen(
                [str(self.python), "-P", "-c", _EMULATOR, str(self._origins)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._scratch,
                env=self._emulator_environment(port),
                start_new_session=True,
            )
        instance = Instance(
            pid=emulator.pid,
            started=psutil.Process(emulator.pid).create_time(),
            port=port,
            collector_pid=collector.pid,
            collector_started=psutil.Process(collector.pid).create_time(),
            collector_port=collector_port,
        )
        # Recorded before it answers: an interrupted start can then still be stopped.
        write_whole(self._state, json.dumps(asdict(instance)) + "\n")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and emulator.poll() is None:
            if _healthy(instance.endpoint):
                return instance
            time.sleep(POLL_SECONDS)
        _stop_group(instance.pid, instance.started)
        _stop_group(instance.collector_pid, instance.collector_started)
        return None

    def _emulator_environment(self, port: int) -> dict[str, str]:
        """All that the emulator and the Lambdas under it may see of this machine."""
        return {
            "PATH": os.defpath,
            "HOME": str(self._scratch),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self._scratch),
            "STATE_DIR": str(self._scratch / "state"),
            "S3_DATA_DIR": str(self._scratch / "s3"),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            # Listeners on fixed ports would keep two instances from running side by side.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # Never touch a Docker daemon that happens to be there.
            "DOCKER_HOST": f"unix://{self._scratch}/no-docker.sock",
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def make_artifacts_bucket(instance: Instance) -> None:
    """The bucket that environments/local uploads zips through (on AWS the bootstrap makes it)."""
    name = f"millrace-local-artifacts-{ACCOUNT}"
    request = urllib.request.Request(f"{instance.endpoint}/{name}", method="PUT")
    with _OPENER.open(request, timeout=5):
        pass


def client_environment(instance: Instance) -> dict[str, str]:
    """The environment variables with which any AWS client speaks to the instance."""
    return {
        "AWS_ENDPOINT_URL": instance.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
    }


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _healthy(endpoint: str) -> bool:
    try:
        with _OPENER.open(f"{endpoint}/_ministack/health", timeout=5) as response:
            answer: dict[str, Any] = json.load(response)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return "services" in answer


def _alive(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < 0.01
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _stop_group(leader: int, started: float) -> None:
    """End a process and every process of its group, politely first."""
    members = _group(leader) if _is_ours(leader, started) else []
    if not members:
        return
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, sent)
        _, members = psutil.wait_procs(members, timeout=STOP_SECONDS)
        members += _group(leader)
        if not members:
            return
    raise MillraceError(f"Process {members[0].pid} of local AWS does not end.")


def _is_ours(leader: int, started: float) -> bool:
    """False once the id belongs to a newer process. A dead leader may leave workers behind."""
    try:
        return abs(psutil.Process(leader).create_time() - started) < 0.01
    except psutil.NoSuchProcess:
        return True


def _group(leader: int) -> list[psutil.Process]:
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            zombie = process.status() == psutil.STATUS_ZOMBIE
            if os.getpgid(process.pid) == leader and not zombie:
                members.append(process)
    return members
