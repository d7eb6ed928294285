"""Write the demonstration's contact sheet: one page, with the pictures copied beside it."""

import shutil
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from millrace import contact_sheet_orders, contact_sheet_telemetry
from millrace.demo import Shown
from millrace.demo.orders import Followed
from millrace.demo.telemetry import Simulated
from millrace.paths import BUILD, write_whole

DIRECTORY = BUILD / "demo"
STYLE = Path(__file__).with_name("contact_sheet.css")
# Widest rendition that the page itself shows; the wider ones are linked.
SHOWN_WIDTH = 640


def write(
    shown: list[Shown],
    rendition: Callable[[str], bytes],
    orders: Sequence[Followed] = (),
    simulated: Simulated | None = None,
    directory: Path = DIRECTORY,
) -> Path:
    """Write `index.html` and `pictures/` anew; returns the page's path.

    `rendition` gives the bytes of a key.
    """
    pictures = directory / "pictures"
    shutil.rmtree(pictures, ignore_errors=True)
    for number, picture in enumerate(shown):
        for made in picture.manifest["renditions"]:
            write_whole(directory / _file(number, made), rendition(made["key"]))
    page = directory / "index.html"
    write_whole(page, html(shown, orders, simulated))
    return page


def html(
    shown: list[Shown], orders: Sequence[Followed] = (), simulated: Simulated | None = None
) -> str:
    """The page, with a section for what there is; it needs nothing from the network."""
    sections = []
    if shown:
        sections.append(_pictures(shown))
    if orders:
        sections.append(contact_sheet_orders.section(list(orders)))
    if simulated:
        sections.append(contact_sheet_telemetry.section(simulated))
    body = "\n".join(sections)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Millrace: contact sheet</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style>
<header>
<h1>Millrace contact sheet</h1>
<p>What became of everything that the demonstration sent in.</p>
</header>
<main>
{body}
</main>
</html>
"""


def _pictures(shown: list[Shown]) -> str:
    rendered = [picture for picture in shown if picture.is_rendered]
    total = sum(len(picture.manifest["renditions"]) for picture in rendered)
    refused = len(shown) - len(rendered)
    cards = "\n".join(_card(number, picture) for number, picture in enumerate(shown))
    return f"""<section aria-labelledby="pictures">
<h2 id="pictures">Pictures</h2>
<p>{len(rendered)} pictures became {total} renditions, {refused} refused with a reason.</p>
<div class="cards">
{cards}
</div>
</section>"""


def _card(number: int, picture: Shown) -> str:
    name = escape(picture.upload.path.name)
    body = _rendered(number, picture) if picture.is_rendered else _refused(picture)
    facts = f'<div class="facts">\n<h3>{name}</h3>\n{_facts(picture)}\n</div>'
    return f"<article>\n{body}\n{facts}\n</article>"


def _rendered(number: int, picture: Shown) -> str:
    renditions = picture.manifest["renditions"]
    small = [one for one in renditions if one["width"] <= SHOWN_WIDTH] or renditions[:1]
    jpegs = [one for one in small if one["format"] == "jpeg"] or small
    fallback = max(jpegs, key=lambda one: int(one["width"]))
    sources = "".join(
        f'<source type="image/{kind}" srcset="{_srcset(number, small, kind)}" '
        'sizes="(min-width: 44rem) 20rem, 100vw">'
        for kind in ("avif", "webp")
        if any(one["format"] == kind for one in small)
    )
    alt = escape(f"{picture.upload.path.name}, rendered", quote=True)
    size = f'width="{fallback["width"]}" height="{fallback["height"]}"'
    image = f'<img src="{_file(number, fallback)}" alt="{alt}" {size} loading="lazy">'
    return (
        f'<a href="{_file(number, _largest(renditions))}"><picture>{sources}{image}</picture></a>'
    )


def _refused(picture: Shown) -> str:
    reason = escape(str(picture.manifest["reason"]))
    return f'<p class="refused"><span>Refused</span> {reason}</p>'


def _facts(picture: Shown) -> str:
    lines = [f"<p>{picture.milliseconds:.0f} ms from upload to event</p>"]
    detail = picture.manifest.get("detail")
    if detail:
        lines.append(f"<p>{escape(str(detail))}</p>")
    camera = picture.manifest["metadata"].get("camera")
    if camera:
        lines.append(f"<p>{escape(str(camera))}</p>")
    if picture.steps:
        lines.append(_timeline(picture))
    if picture.is_rendered:
        lines.append(_renditions(picture))
    return "\n".join(lines)


def _timeline(picture: Shown) -> str:
    """The trace's steps as bars on one time axis; the text says the same."""
    end = max(step.begin + step.took for step in picture.steps) or 1.0
    rows = "".join(
        f'<li><span>{escape(step.name)}</span><b>{step.took:.0f} ms</b><i style="margin-left:'
        f'{100 * step.begin / end:.1f}%;width:{max(100 * step.took / end, 0.5):.1f}%"></i></li>'
        for step in picture.steps
    )
    return f'<ol class="trace" aria-label="Trace">{rows}</ol>'


def _renditions(picture: Shown) -> str:
    """A line per format: its widths and what they weigh together."""
    formats: dict[str, list[dict[str, Any]]] = {}
    for rendition in picture.manifest["renditions"]:
        formats.setdefault(rendition["format"], []).append(rendition)
    rows = "".join(
        f"<tr><th scope=row>{escape(kind)}</th>"
        f"<td>{', '.join(str(one['width']) for one in found)}</td>"
        f"<td>{sum(one['bytes'] for one in found) / 1000:.0f} KB</td></tr>"
        for kind, found in formats.items()
    )
    return f"<table><caption>Renditions</caption>{rows}</table>"


def _srcset(number: int, renditions: list[dict[str, Any]], kind: str) -> str:
    chosen = [one for one in renditions if one["format"] == kind]
    return ", ".join(f"{_file(number, one)} {one['width']}w" for one in chosen)


def _largest(renditions: list[dict[str, Any]]) -> dict[str, Any]:
    return max(renditions, key=lambda one: int(one["width"]))


def _file(number: int, rendition: dict[str, Any]) -> str:
    """A name without the upload's own, which may hold anything."""
    return f"pictures/{number}-{rendition['name']}.{rendition['format']}"
