"""Whatever a command prints goes through a Screen, on which the texts of strangers stay texts."""

import ast
import re
from collections.abc import Iterator

from millrace.paths import ROOT

MARKUP = re.compile(r"\[/?(bold|dim|red|green|yellow|cyan|link)")

# Built by us of numbers alone, for a progress bar, which reads markup.
NUMBERS_ONLY = {"millrace/cli/telemetry.py"}


def sources() -> list[tuple[str, ast.Module]]:
    files = sorted((ROOT / "millrace").rglob("*.py"))
    assert len(files) > 80
    return [(file.relative_to(ROOT).as_posix(), ast.parse(file.read_text())) for file in files]


def called(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_consoles_are_screens() -> None:
    made = [path for path, tree in sources() for name in called(tree) if name == "Console"]
    assert made == []
    assert [path for path, tree in sources() for name in called(tree) if name == "Screen"] == [
        "millrace/cli/console.py",
        "millrace/cli/console.py",
    ]


def test_no_text_of_a_stranger_is_put_into_markup() -> None:
    mixed = {
        path
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
        if isinstance(part, ast.Constant) and MARKUP.search(str(part.value))
    }
    assert mixed == NUMBERS_ONLY


def test_markup_is_read_in_one_place() -> None:
    parsing = {
        path for path, tree in sources() for name in called(tree) if name.endswith("from_markup")
    }
    assert parsing == {"millrace/cli/screen.py"}
