"""What strangers wrote is printed as text, whatever is in it; what goes into a pipe is whole."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from millrace.cli.screen import Screen, clean, styled

HOSTILE = "x [/y] [link=https://evil.example]z[/link] \x1b[2J\x9b31m\u202e\u200b\r\x07.jpg"


def shown(*renderables: RenderableType, width: int | None = None) -> str:
    screen = Screen(width=width, force_terminal=False)
    with screen.capture() as captured:
        for renderable in renderables:
            screen.print(renderable)
    return captured.get()


def steers(text: str) -> list[str]:
    kinds = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
    return [c for c in text if c not in "\n\t" and unicodedata.category(c) in kinds]


def row(cell: RenderableType) -> Table:
    table = Table("key")
    table.add_row(cell)
    return table


@pytest.mark.parametrize(
    "renderable",
    [HOSTILE, styled("[bold]{}[/]", HOSTILE), row(HOSTILE)],
    ids=["text", "styled", "cell"],
)
def test_a_hostile_name_is_shown_as_it_is_and_steers_nothing(renderable: RenderableType) -> None:
    text = shown(renderable)
    assert steers(text) == []
    assert "x [/y] [link=https://evil.example]z[/link]" in text
    assert r"\x1b[2J\x9b31m\u202e\u200b\r\x07" in text


@pytest.mark.parametrize("renderable", [Text(HOSTILE), row(Text(HOSTILE))], ids=["text", "cell"])
def test_a_view_s_own_text_object_steers_nothing_either(renderable: RenderableType) -> None:
    text = shown(renderable)
    assert steers(text) == []
    assert r"x [/y] [link=https://evil.example]z[/link] \x1b[2J" in text


@given(st.text() | st.text("\\[]/bold {}"))
def test_a_template_shows_every_text_as_text(value: str) -> None:
    assert styled("[bold]{}[/] and {}", value, value).plain == f"{clean(value)} and {clean(value)}"


def test_a_template_s_style_covers_what_fills_it() -> None:
    text = styled("a [bold]{}[/] b [red]{}[/]", "long value", "")
    assert [(text.plain[s.start : s.end], s.style) for s in text.spans] == [
        ("long value", "bold"),
        ("", "red"),
    ]


@given(st.text())
def test_nothing_that_is_printed_steers_the_terminal(value: str) -> None:
    assert steers(clean(value)) == []
    assert steers(shown(value, Text(value))) == []


def test_numbers_and_attributes_are_formatted_as_usual() -> None:
    assert styled("[red]{0:,}[/] {0.real:>5}", 1234).plain == "1,234  1234"


def test_a_pipe_has_no_edge() -> None:
    long = "https://example.com/" + "a" * 900
    assert shown(long) == f"{long}\n"
    assert long in shown(row(long))
    assert len(shown(row(long)).splitlines()) == 5


def test_a_terminal_s_edge_is_kept() -> None:
    assert max(map(len, shown(row("a" * 300), width=60).splitlines())) == 60
