"""Docs point at what exists, and alarms point at docs."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked(pattern: str) -> list[Path]:
    """Files that are or will be committed, so that build/ and .venv/ do not count."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    found = [path for name in listed if (path := ROOT / name).exists()]
    assert found, pattern
    return found


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the common renderers make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_relative_link_in_a_page_leads_somewhere() -> None:
    broken, seen = [], 0
    for page in tracked("*.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            seen += 1
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (anchor and anchor not in anchors(file)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert seen > 10
    assert not broken, "\n".join(broken)


def test_every_runbook_that_an_alarm_names_is_written() -> None:
    named = {
        anchor
        for module in tracked("modules/*.tf")
        for anchor in re.findall(r"runbook_url\}#([\w-]+)", module.read_text())
    }
    assert len(named) >= 3
    missing = named - anchors(ROOT / "docs" / "operations.md")
    assert not missing, f"docs/operations.md lacks: {sorted(missing)}"


def test_every_decision_is_numbered_once() -> None:
    numbers = [path.name[:4] for path in tracked("docs/decisions/0*.md")]
    assert len(numbers) == len(set(numbers)), sorted(numbers)


def test_the_index_of_decisions_has_a_line_for_each_in_order_and_names_it_as_it_does() -> None:
    rows = re.findall(
        r"^\| \[(\d{4})\]\((\S+)\) \| (.+?) \| .+ \|$",
        (ROOT / "docs" / "decisions" / "README.md").read_text(),
        re.MULTILINE,
    )
    records = sorted(tracked("docs/decisions/0*.md"))
    titles = [path.read_text().partition("\n")[0].partition(": ")[2] for path in records]
    assert [(number, file) for number, file, _ in rows] == [(p.name[:4], p.name) for p in records]
    assert [title.casefold() for *_, title in rows] == [title.casefold() for title in titles]


def test_every_module_has_a_readme() -> None:
    modules = {path.parent for path in tracked("modules/*/versions.tf")}
    assert [m.name for m in sorted(modules) if not (m / "README.md").exists()] == []
