"""Zips: the same bytes anywhere, holding what a function needs and nothing else."""

import importlib.util
import json
import marshal
import os
import sys
import zipfile
from pathlib import Path, PurePosixPath
from types import CodeType

import pytest

from millrace import bytecode, packaging, wheels, zips
from millrace.packaging import Artifact

SOURCES = {
    "lambdas/__init__.py": "",
    "lambdas/core/__init__.py": "",
    "lambdas/core/requirements.in": "",
    "lambdas/core/requirements.txt": "# nothing\n",
    "lambdas/contracts/__init__.py": "",
    "lambdas/contracts/schemas/tiny.happened.v1.json": "{}",
    "lambdas/other/__init__.py": "",
    "lambdas/tiny/__init__.py": "",
    "lambdas/tiny/README.md": "# Tiny",
    "lambdas/tiny/run.py": (
        "WORDS = frozenset({'a', 'b', 'c', 'd'})\n\n\n"
        "def handler(event, context):\n    return event in {'x', 'y', 'z'}\n"
    ),
}


def checkout(root: Path) -> Path:
    for name, text in SOURCES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def build(root: Path, monkeypatch: pytest.MonkeyPatch) -> Artifact:
    """Build `tiny` of a checkout with caches of its own."""
    monkeypatch.setattr(packaging, "BUILD", root / "build")
    monkeypatch.setattr(wheels, "CACHE", root / "build" / "cache" / "wheels")
    (artifact,) = packaging.build(["local"], ["tiny"], print, root, root / "build")
    return artifact


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artifact:
    return build(checkout(tmp_path), monkeypatch)


def test_two_checkouts_at_different_paths_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = checkout(tmp_path / "one")
    two = checkout(tmp_path / "a longer path" / "two")
    for path in two.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    first, second = build(one, monkeypatch), build(two, monkeypatch)
    assert first.sha256 == second.sha256
    assert Path(first.path).read_bytes() == Path(second.path).read_bytes()


def test_a_zip_holds_the_kernel_the_contracts_and_its_own_service_only(built: Artifact) -> None:
    names = zipfile.ZipFile(built.path).namelist()
    sources = [name for name in names if "__pycache__" not in name]
    assert sources == [
        "lambdas/__init__.py",
        "lambdas/contracts/__init__.py",
        "lambdas/core/__init__.py",
        "lambdas/tiny/__init__.py",
        "lambdas/tiny/run.py",
    ]
    assert len(names) == 2 * len(sources) == built.files


def test_entries_are_sorted_and_carry_fixed_times_and_modes(built: Artifact) -> None:
    entries = zipfile.ZipFile(built.path).infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.create_system for entry in entries} == {3}


def test_sources_are_compiled_beside_without_a_path_of_this_machine(built: Artifact) -> None:
    tag = sys.implementation.cache_tag
    data = zipfile.ZipFile(built.path).read(f"lambdas/tiny/__pycache__/run.{tag}.pyc")
    assert data[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(data[4:8], "little") == 0b01, "checked-hash or time stamp: slow on Lambda"
    code = marshal.loads(data[16:])
    assert isinstance(code, CodeType)
    assert code.co_filename == "lambdas/tiny/run.py"


def test_an_unchanged_service_is_not_built_again(
    built: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Path(built.path).stat().st_mtime_ns
    assert build(tmp_path, monkeypatch) == built
    assert Path(built.path).stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["lambdas/tiny/run.py", "lambdas/core/__init__.py"])
def test_a_changed_source_gives_another_zip(
    built: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with (tmp_path / name).open("a") as file:
        file.write("CHANGED = True\n")
    assert build(tmp_path, monkeypatch).sha256 != built.sha256


def test_a_change_of_another_service_changes_nothing(
    built: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lambdas/other/__init__.py").write_text("CHANGED = True\n")
    assert build(tmp_path, monkeypatch) == built


def test_without_an_interpreter_of_the_target_the_zip_ships_sources_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(bytecode, "find", lambda _: None)
    monkeypatch.setattr(packaging, "BUILD", tmp_path / "build")
    monkeypatch.setattr(wheels, "CACHE", tmp_path / "build" / "cache" / "wheels")
    root = checkout(tmp_path)
    (artifact,) = packaging.build(["dev"], ["tiny"], said.append, root, root / "build")
    assert artifact.bytecode is None
    assert artifact.files == 5
    assert "No python3.13 found" in said[0]


def test_a_zip_s_record_names_the_target_of_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packaging, "BUILD", tmp_path / "build")
    monkeypatch.setattr(wheels, "CACHE", tmp_path / "build" / "cache" / "wheels")
    root = checkout(tmp_path)
    target = root / "environments" / "dev" / "target.json"
    target.parent.mkdir(parents=True)
    target.write_text('{"python": "python3.13", "architecture": "x86_64"}')
    (first,) = packaging.build(["dev"], ["tiny"], print, root, root / "build")
    record = json.loads(Path(first.path).with_suffix(".json").read_text())
    assert record["target"] == first.target == "python3.13/x86_64"
    target.write_text('{"python": "python3.13", "architecture": "arm64"}')
    (second,) = packaging.build(["dev"], ["tiny"], print, root, root / "build")
    assert second.target == "python3.13/arm64"


def test_a_service_s_own_requirements_are_shipped_though_the_runtime_has_them() -> None:
    path = PurePosixPath("urllib3/response.py")
    assert not zips.is_shipped(path)
    assert zips.is_shipped(path, frozenset({"urllib3"}))
    assert zips.is_shipped(
        PurePosixPath("urllib3-2.8.0.dist-info/METADATA"), frozenset({"urllib3"})
    )


def test_only_what_the_service_itself_names_counts_as_asked_for(tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("# why\n-r ../core/requirements.in\nurllib3>=2\n")
    assert wheels.asked_for(tmp_path / "requirements.txt") == {"urllib3"}


@pytest.mark.parametrize(
    ("name", "shipped"),
    [
        ("boto3/session.py", False),
        ("botocore/data/endpoints.json", False),
        ("six.py", False),
        ("urllib3-2.8.0.dist-info/METADATA", False),
        ("python_dateutil-2.9.0.post0.dist-info/METADATA", False),
        ("bin/jp.py", False),
        (".lock", False),
        ("README.md", False),
        ("LICENSE", False),
        ("typing_extensions.py", True),
        ("msgspec/__init__.py", True),
        ("msgspec/__init__.pyi", False),
        ("msgspec/_core.cpython-313-aarch64-linux-gnu.so", True),
        ("msgspec-0.22.0.dist-info/METADATA", True),
        ("msgspec-0.22.0.dist-info/licenses/LICENSE", True),
        ("msgspec-0.22.0.dist-info/RECORD", False),
        ("msgspec-0.22.0.dist-info/INSTALLER", False),
        ("msgspec-0.22.0.dist-info/WHEEL", False),
        ("library/tests/test_it.py", False),
        ("library/testing.py", True),
        ("library/__pycache__/a.cpython-311.pyc", False),
        ("sixty/__init__.py", True),
    ],
)
def test_what_the_runtime_has_or_nobody_reads_stays_out(name: str, shipped: bool) -> None:
    assert zips.is_shipped(PurePosixPath(name)) is shipped


def test_a_name_that_two_folders_hold_is_refused(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.py").write_text("")
    with pytest.raises(ValueError, match=r"same\.py"):
        zips.write(tmp_path / "x.zip", tmp_path / "one", tmp_path / "two")
