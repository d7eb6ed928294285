"""The demonstration's reading of traces, and its contact sheet."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from millrace import contact_sheet, demo
from millrace.demo import Shown, Step
from millrace.errors import MillraceError
from millrace.images import Upload

VOID = {"meta", "img", "source"}
RENDITIONS = [
    {"name": f"w{width}", "format": kind, "width": width, "height": width // 2, "bytes": 1000,
     "key": f"k/w{width}.{kind}"}
    for width in (320, 640, 1280)
    for kind in ("jpeg", "webp")
]  # fmt: skip


class Page(HTMLParser):
    """Checks that tags nest, and keeps what the tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def shown(name: str, **manifest: Any) -> Shown:
    whole = {"status": "rendered", "reason": None, "renditions": [], "metadata": {}, **manifest}
    upload = Upload(f"demo/{name}", Path(name), 5000, 0.0, None)
    return Shown(
        upload, whole, 250.0, "1-a", [Step("render", 0.0, 90.0), Step("write", 90.0, 10.0)]
    )


@pytest.fixture
def page() -> Page:
    evil = '<script>alert(1)".svg'
    rejected = shown(evil, status="rejected", reason="not-an-image", detail="it is <markup>")
    return Page(contact_sheet.html([shown("a b.JPG", renditions=RENDITIONS), rejected]))


def test_every_picture_has_a_text_and_a_size(page: Page) -> None:
    (image,) = page.all("img")
    assert image["alt"] == "a b.JPG, rendered"
    assert (image["src"], image["width"], image["height"]) == ("pictures/0-w640.jpeg", "640", "320")
    (source,) = page.all("source")
    assert source["srcset"] == "pictures/0-w320.webp 320w, pictures/0-w640.webp 640w"
    assert page.all("a")[0]["href"] == "pictures/0-w1280.jpeg"
    assert page.all("html")[0]["lang"] == "en"
    assert page.open == []


def test_what_a_file_is_called_is_text_and_never_markup(page: Page) -> None:
    assert page.all("script") == []
    assert '<script>alert(1)".svg' in page.text
    assert "it is <markup>" in page.text


def test_a_refusal_is_shown_with_its_reason(page: Page) -> None:
    assert "Refused not-an-image" in page.text
    assert "1 pictures became 6 renditions, 1 refused" in page.text


def test_the_page_asks_nothing_of_the_network() -> None:
    text = contact_sheet.html([shown("a.jpg", renditions=RENDITIONS)])
    assert "://" not in text


def test_a_page_without_orders_does_not_speak_of_them(page: Page) -> None:
    assert [section["aria-labelledby"] for section in page.all("section")] == ["pictures"]


def test_the_steps_of_a_trace_start_with_the_first() -> None:
    def segment(name: str, begin: float, end: float | None = None) -> dict[str, Any]:
        return {"name": name, "start_time": begin} | ({"end_time": end} if end else {})

    found = demo.steps(
        [
            segment("## lambdas.x.handler", 9.0, 11.0),
            segment("## read source", 10.0, 10.5),
            segment("dynamodb", 10.0, 10.1),
            segment("## render", 10.5, 10.75),
            segment("## write", 10.75),
        ]
    )
    assert found == [Step("read source", 0.0, 500.0), Step("render", 500.0, 250.0)]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("")
    with pytest.raises(MillraceError, match="No pictures in"):
        demo.photos(tmp_path)
