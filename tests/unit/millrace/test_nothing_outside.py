"""Nothing is written outside the checkout: not by set-up, not by a build, not by a function."""

import io
import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import boto3
import pytest

from millrace.local_aws import PYTHON, LocalAws, client_environment
from millrace.paths import ROOT

PIECES = {
    "set_up": """
from millrace import setup
venv = Path(sys.argv[1])
setup.make_venv(venv)
uv = setup.provide_uv(venv)
setup.sync(uv, venv, setup.BUILD_LOCK, setup.uv_environment(venv))
""",
    "wheels": """
from millrace import targets, wheels
target = targets.of("dev")
wheels._uv_install(Path("lambdas/telemetry/requirements.txt").resolve(), target, Path(sys.argv[1]))
""",
    "build": """
from millrace import packaging
packaging.build(["dev"], ["fraud"], output=Path(sys.argv[1]))
""",
}
# What it imports is the X-Ray SDK itself, as in every zip; it tells each file opened for writing.
HANDLER = """
import os, sys

written = []

def note(event, arguments):
    if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(str(arguments[0]))
    if event == "os.mkdir":
        written.append(str(arguments[0]))

sys.addaudithook(note)
from aws_xray_sdk.core import xray_recorder

def handler(event, context):
    return {"context": type(xray_recorder.context).__name__, "written": written}
"""


@pytest.mark.parametrize("piece", PIECES)
def test_home_and_temp_stay_empty(piece: str, tmp_path: Path) -> None:
    empty, made = tmp_path / "empty", tmp_path / "made"
    empty.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "UV_"))
    }
    script = f"import sys\nfrom pathlib import Path\n{PIECES[piece]}"
    result = subprocess.run(
        [sys.executable, "-B", "-c", script, str(made)],
        env=environment | {"HOME": str(empty), "TMPDIR": str(empty)},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    offline = "error sending request" in result.stderr or "connection" in result.stderr.lower()
    if result.returncode != 0 and offline:
        pytest.skip(f"LOUD SKIP: no package index to ask: {result.stderr.strip()[-200:]}")
    assert result.returncode == 0, result.stderr
    assert list(made.iterdir())
    assert sorted(empty.rglob("*")) == []


@pytest.mark.emulator
@pytest.mark.skipif(not PYTHON.exists(), reason="LOUD SKIP: no emulator; `make setup` it")
def test_a_function_of_local_aws_writes_into_its_own_folder_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("HOME", str(empty))
    monkeypatch.setenv("TMPDIR", str(empty))
    local = LocalAws(tmp_path / "local")
    with local.session() as instance:
        client = client_environment(instance)
        functions = boto3.client(
            "lambda", endpoint_url=instance.endpoint, region_name=client["AWS_REGION"],
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip
        functions.create_function(
            FunctionName="writes", Runtime="python3.13", Handler="handler.handler",
            Role="arn:aws:iam::000000000000:role/any", Code={"ZipFile": zipped()}, Timeout=60,
        )  # fmt: skip
        answer = functions.invoke(FunctionName="writes")
        told = json.loads(answer["Payload"].read())
        assert told["context"] == "LambdaContext", told
        assert any(path.endswith(".aws-xray/initialized") for path in told["written"])
        scratch = str(local.root / "tmp")
        assert [path for path in told["written"] if not path.startswith(scratch)] == []
    assert sorted(empty.rglob("*")) == []


def zipped() -> bytes:
    """A zip of the handler and the SDK with what it needs, out of this environment."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        target.writestr("handler.py", HANDLER)
        for package in ("aws_xray_sdk", "wrapt"):
            spec = find_spec(package)
            assert spec is not None
            assert spec.origin is not None
            folder = Path(spec.origin).parent
            for path in sorted(folder.rglob("*")):
                if path.suffix in (".py", ".so", ".json"):
                    target.write(path, str(path.relative_to(folder.parent)))
    return content.getvalue()
