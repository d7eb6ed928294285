"""Each environment names once what its zips are built for."""

from pathlib import Path

import pytest

from millrace import targets
from millrace.errors import MillraceError
from millrace.paths import ROOT
from millrace.targets import Target


def environment(root: Path, text: str) -> Path:
    folder = root / "environments" / "shop"
    folder.mkdir(parents=True)
    (folder / "target.json").write_text(text)
    return root


def test_an_environment_names_its_python_and_architecture(tmp_path: Path) -> None:
    root = environment(tmp_path, '{"python": "python3.14", "architecture": "x86_64"}')
    target = targets.of("shop", root)
    assert (target.minor, target.platform) == ("3.14", "x86_64-manylinux_2_28")
    assert target.name == "python3.14/x86_64"


def test_an_environment_that_names_nothing_gets_the_defaults_of_root(tmp_path: Path) -> None:
    assert targets.of("shop", tmp_path) == Target("python3.13", "arm64")


def test_local_zips_are_built_for_this_very_machine(tmp_path: Path) -> None:
    target = targets.of("local", tmp_path)
    assert target.platform is None
    assert target.name == "local"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"python": "3.13"}',
        '{"python": "python3.13", "architecture": "riscv"}',
        '{"python": "python3.13", "architecture": null}',
        '{"pyhton": "python3.13"}',
        '{"python": "python2.7"}',
    ],
)
def test_a_file_that_names_no_target_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MillraceError, match=r"target\.json"):
        targets.of("shop", environment(tmp_path, text))


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_terraform_reads_the_same_file_as_the_build(name: str) -> None:
    assert (ROOT / "environments" / name / "target.json").exists()
    main = (ROOT / "environments" / name / "main.tf").read_text()
    assert 'jsondecode(file("${path.root}/target.json"))' in main
