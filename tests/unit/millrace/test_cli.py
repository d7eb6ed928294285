"""The command line: it teaches, answers in a form machines read, and fails in one line."""

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from millrace import cli, environments, images, packaging
from millrace.cli import program as application
from millrace.cli.stack import shell_lines
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.images import Manifest

OUTPUTS = {
    "uploads_bucket": "an-uploads-bucket",
    "renditions_bucket": "a renditions' bucket",
    "images_table": "images",
    "region": "us-east-1",
    "api_url": "https://api",
    "functions": {"render-image": "millrace-local-render-image"},
}
LOCAL = Environment("local", OUTPUTS, {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def commands() -> dict[str, Any]:
    """Every command by its words, groups walked into."""
    found: dict[str, Any] = {}
    for name in application.COMMANDS:
        command = application.loaded(name)
        inner = getattr(command, "commands", {})
        found |= {f"{name} {word}": one for word, one in inner.items()} or {name: command}
    return found


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run the program as a shell would, and give what it says when it fails."""

    def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["millrace", *arguments])
        with pytest.raises(SystemExit) as ended:
            application.main()
        assert ended.value.code == 1
        return capsys.readouterr().err

    return call


def test_every_command_explains_itself() -> None:
    found = commands()
    assert len(found) >= 20
    for words in found:
        help_text = run(*words.split(), "--help")
        sentences = [line for line in help_text.splitlines() if line.strip().endswith((".", "]"))]
        assert sentences, f"millrace {words} --help explains nothing"


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    for name, lazy in application.COMMANDS.items():
        first_line, *_ = application.loaded(name).help.split("\n")
        assert lazy.help == first_line, name


def test_every_file_of_commands_is_in_the_list() -> None:
    folder = Path(application.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if "def register(" in path.read_text()}
    assert len(files) >= 10
    assert files == {lazy.module for lazy in application.COMMANDS.values()}
    for module in files:
        listed = {name for name, lazy in application.COMMANDS.items() if lazy.module == module}
        assert set(application._group(module).commands) == listed


HEAVY = {"boto3", "botocore", "duckdb", "jinja2", "lambdas", "msgspec", "psutil", "urllib3"}


def imported_by(*arguments: str, **environment: str) -> tuple[set[str], str]:
    """The top-level modules of a run of the command line, and what it printed."""
    script = (
        "import sys\n"
        "from millrace.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.split()), ran.stdout


COMPLETING = {
    "_MILLRACE_COMPLETE": "complete_bash",
    "COMP_WORDS": "millrace tel",
    "COMP_CWORD": "1",
}


@pytest.mark.parametrize(
    ("arguments", "environment", "answer"),
    [
        (["--help"], {}, "telemetry"),
        (["--version"], {}, "millrace "),
        (["--show-completion", "bash"], {}, "_MILLRACE_COMPLETE"),
        ([], COMPLETING, "telemetry"),
    ],
)
def test_what_needs_no_command_loads_none(
    arguments: list[str], environment: dict[str, str], answer: str, tmp_path: Path
) -> None:
    modules, said = imported_by(*arguments, HOME=str(tmp_path), COLUMNS="80", **environment)
    assert answer in said
    assert not modules & HEAVY
    ours = {name for name in modules if name.startswith("millrace.")}
    assert ours == {"millrace.cli", "millrace.cli.program", "millrace.errors"}
    assert not list(tmp_path.iterdir()), "only --install-completion writes into the home folder"


def test_the_version_is_the_distributions() -> None:
    assert run("--version") == f"millrace {importlib.metadata.version('millrace')}\n"


def test_a_shell_takes_the_environment_as_printed() -> None:
    read = '"$AWS_ENDPOINT_URL" "$MILLRACE_RENDITIONS_BUCKET" "$API_URL" "${AWS_PROFILE-none}"'
    script = "\n".join([*shell_lines(LOCAL), f'printf "%s|%s|%s|%s" {read}'])
    environment = {"PATH": os.defpath, "AWS_PROFILE": "mine"}
    result = subprocess.run(
        ["sh", "-euc", script], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout == "http://127.0.0.1:4566|a renditions' bucket|https://api|none"


def test_an_environment_on_aws_keeps_the_users_credentials() -> None:
    lines = shell_lines(Environment("dev", OUTPUTS))
    assert lines[0] == "unset AWS_ENDPOINT_URL"
    assert "export AWS_REGION=us-east-1" in lines
    assert not [line for line in lines if "ACCESS_KEY" in line or "PROFILE" in line]


def test_outputs_are_json_for_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "load", lambda _: LOCAL)
    assert json.loads(run("outputs", "--json")) == OUTPUTS


def test_an_error_is_one_line_and_exit_code_one(
    fails: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = fails(capsys, "outputs", "--environment", "nowhere[1]")
    assert said.startswith("error: No environment 'nowhere[1]'")
    assert said.count("\n") == 1


def test_debugging_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["millrace", "build", "--environment", "nowhere"])
    monkeypatch.setenv("MILLRACE_DEBUG", "1")
    with pytest.raises(MillraceError, match="nowhere"):
        application.main()


def test_a_build_is_json_for_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    built = packaging.Artifact("tiny", "local", "tiny.zip", "ab" * 32, 10, 2, "3.11", None, "x")
    monkeypatch.setattr(packaging, "build", lambda *_: [built])
    (answer,) = json.loads(run("build", "--json"))
    assert answer["name"] == "tiny"
    assert answer["sha256"] == "ab" * 32
    assert (answer["bytes"], answer["files"], answer["bytecode"]) == (10, 2, None)


def test_one_key_for_several_files_is_refused(
    fails: Callable[..., str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = fails(capsys, "upload", str(tmp_path / "a"), str(tmp_path / "b"), "--key", "x")
    assert "--key names one file" in said


def test_a_manifest_is_shown_with_exactly_the_promised_fields() -> None:
    source = {"bucket": "b", "key": "k", "version_id": None, "etag": "e"}
    pending: Manifest = images.shown({"status": "pending", "source": source, "detail": "more"})
    assert pending == {
        "status": "pending",
        "reason": None,
        "source": source,
        "renditions": [],
        "metadata": {},
    }
