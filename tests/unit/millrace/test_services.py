"""Which packages become zips."""

from pathlib import Path

import pytest

from millrace import services
from millrace.errors import MillraceError


def write(root: Path, name: str, text: str = "") -> Path:
    path = root / "lambdas" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("__init__.py", "core/__init__.py", "contracts/__init__.py"):
        write(tmp_path, name)
    write(tmp_path, "core/requirements.txt")
    write(tmp_path, "core/example.py", "def handler(event, context): ...\n")
    return tmp_path


@pytest.mark.parametrize(
    "source",
    [
        "def handler(event, context): ...\n",
        "async def handler(event, context): ...\n",
        "handler = make()\n",
        "handler: object = make()\n",
    ],
)
def test_a_package_with_a_top_level_handler_is_a_service(checkout: Path, source: str) -> None:
    write(checkout, "tiny/__init__.py")
    write(checkout, "tiny/run.py", source)
    write(checkout, "tiny/helper.py", "def other(): ...\n")
    assert [(one.name, one.functions) for one in services.discover(checkout)] == [
        ("tiny", ("run",))
    ]


@pytest.mark.parametrize("source", ["", "class A:\n    def handler(self): ...\n", "handler: int\n"])
def test_a_package_without_a_handler_is_no_service(checkout: Path, source: str) -> None:
    write(checkout, "tiny/__init__.py")
    write(checkout, "tiny/run.py", source)
    assert services.discover(checkout) == []


def test_a_service_without_a_lock_of_its_own_takes_the_kernels(checkout: Path) -> None:
    for name in ("plain", "special"):
        write(checkout, f"{name}/__init__.py")
        write(checkout, f"{name}/run.py", "def handler(event, context): ...\n")
    own = write(checkout, "special/requirements.txt")
    locks = {one.name: one.lock for one in services.discover(checkout)}
    assert locks == {"plain": checkout / "lambdas/core/requirements.txt", "special": own}


def test_an_unknown_service_is_refused_by_name(checkout: Path) -> None:
    write(checkout, "tiny/__init__.py")
    write(checkout, "tiny/run.py", "def handler(event, context): ...\n")
    with pytest.raises(MillraceError, match="'nope': there is tiny"):
        services.select(["nope"], checkout)


def test_a_folder_with_a_handler_that_is_no_package_is_refused(checkout: Path) -> None:
    write(checkout, "tiny/run.py", "def handler(event, context): ...\n")
    with pytest.raises(MillraceError, match=r"lambdas/tiny has a handler but no __init__\.py"):
        services.discover(checkout)
