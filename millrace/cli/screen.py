"""Print what strangers wrote: an S3 key, EXIF, a device's name, an event must not draw the screen.

On a Screen every text is text. Markup is what `styled` makes of a template of ours, and nothing
else; characters that steer a terminal or hide (ESC, C1, bidi overrides, zero width) are shown as
escapes. A pipe is a Screen without an edge: what reads it gets every line whole.
"""

import string
import unicodedata
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Span, Text

EDGELESS = 10_000
"""Columns where no terminal has an edge; rich's layouts want a number."""

_STEERING = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_HARMLESS = frozenset("\n\t")
_MARK = "\ue000"


def clean(text: str) -> str:
    """The text with every character that steers a terminal, or hides, as its escape.

    >>> clean("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in _HARMLESS or unicodedata.category(character) not in _STEERING:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


class _Filled(string.Formatter):
    """Leaves a mark where a value goes, and collects the values."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def format_field(self, value: Any, format_spec: str) -> Any:
        self.values.append(clean(str(super().format_field(value, format_spec))))
        return _MARK


def styled(template: str, *values: object) -> Text:
    """A template of ours in rich's markup, its {} filled with texts that stay texts."""
    # Filled in after the markup is read: rich has no way to escape every text.
    filled = _Filled()
    read = Text.from_markup(filled.vformat(template, values, {}))
    pieces = read.plain.split(_MARK)
    whole = "".join(piece + value for piece, value in zip(pieces, filled.values, strict=False))
    text = Text(whole + pieces[-1])

    def moved(position: int) -> int:
        before = read.plain.count(_MARK, 0, position)
        return position + sum(len(value) - 1 for value in filled.values[:before])

    text.spans = [Span(moved(span.start), moved(span.end), span.style) for span in read.spans]
    return text


class Screen(Console):
    """A console for texts of strangers, on a terminal or in a pipe."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "highlight": False, "emoji": False, **options})
        self._has_edge = options.get("width") is not None

    @property
    def size(self) -> ConsoleDimensions:
        known = super().size
        # COLUMNS tells of the terminal that somebody sits at, not of a pipe.
        edged = self.is_terminal or self._has_edge
        return known if edged else ConsoleDimensions(EDGELESS, known.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size
        self._has_edge = True

    def render_str(self, text: str, **options: Any) -> Text:
        # Cleaned before it is measured, so that a column has room for the escapes.
        return super().render_str(clean(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(clean(segment.text), segment.style)
