"""Write `docs/events.md`, the catalogue of every event: `python -m millrace.event_catalogue`.

Everything in it is read off the contracts, their examples, the code and the Terraform files, so
that the page cannot say what is not so; the same sources give the same bytes.
"""

import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import msgspec
from msgspec import inspect as shapes

from lambdas.contracts.event import Event, Meta
from lambdas.contracts.registry import EVENTS
from lambdas.contracts.upcasters import UPCASTERS
from millrace import event_flow
from millrace.errors import MillraceError
from millrace.event_words import meaning
from millrace.paths import ROOT, relative, write_whole

PAGE = ROOT / "docs" / "events.md"
EXAMPLES = ROOT / "tests" / "payloads" / "events"

_INTRODUCTION = """\
# Events

Every event that rides the bus, generated from the contracts by `make schemas`: do not edit it.

On the bus an event has the `source` named here, its type as `detail-type`, and
`detail = {"meta": {...}, "data": {...}}`. `meta` is the same in all of them; the tables and the
examples below show `data`. A field may be added to a version when it is optional; anything else is
a new version, and whoever reads an old event sees the newest version of it.
"""


def text() -> str:
    """The page as it is committed. Raises MillraceError for an event that lacks something."""
    events = sorted(EVENTS, key=lambda event: (event.SOURCE, event.TYPE))
    parts = [_INTRODUCTION, _index(events), "## Meta\n", _sentence(Meta) + "\n", _table(Meta)]
    for source, group in groupby(events, key=lambda event: event.SOURCE):
        parts += [f"## {source}\n", _about_source(source)]
        parts += [part for event in group for part in _chapter(event)]
    parts += ["## Of AWS\n", _of_aws()]
    parts += ["## Parts of events\n"]
    for kind in _parts(events):
        parts += [f"### {kind.__name__}\n", _sentence(kind) + "\n", _table(kind)]
    return "\n".join(parts).rstrip() + "\n"


def _index(events: Iterable[type[Event]]) -> str:
    consumers = event_flow.consumers()
    rows = [
        (
            f"[`{event.TYPE}`](#{_anchor(event.TYPE)})",
            _first_sentence(event),
            ", ".join(f"`{inbox}`" for _, inbox in consumers.get(event.TYPE, [])) or "-",
        )
        for event in events
    ]
    return _rows(("event", "meaning", "inboxes"), rows)


def _about_source(source: str) -> str:
    if source == event_flow.OPERATIONS:
        return "Published by the command line, `millrace`.\n"
    module = source.removeprefix("millrace.")
    said = f"The module [{module}](../modules/{module}/README.md)."
    if readers := event_flow.projections().get(source):
        names = ", ".join(f"`{name}`" for name in readers)
        said += f" Its own read side, {names}, reads every one from the table's stream."
    return said + "\n"


def _chapter(event: type[Event]) -> Iterator[str]:
    yield f"### {event.TYPE}\n"
    yield inspect.cleandoc(event.__doc__ or "") + "\n"
    yield f"- Producer: {_producer(event)}\n- Consumers: {_consumers(event)}\n"
    yield _table(event)
    yield f"```json\n{json.dumps(_example(event), indent=2, ensure_ascii=False)}\n```\n"


def _example(event: type[Event]) -> Any:
    path = EXAMPLES / f"{event.TYPE}.json"
    if not path.exists():
        raise MillraceError(f"{event.TYPE} has no example: write {relative(path)}.")
    return json.loads(path.read_text())["data"]


def _producer(event: type[Event]) -> str:
    if event in UPCASTERS:
        newer = UPCASTERS[event][0].TYPE
        return f"none any more; it is read as [`{newer}`](#{_anchor(newer)})"
    found = event_flow.producers(event)
    if not found:
        home = relative(event_flow.home(event.SOURCE))
        raise MillraceError(f"{event.TYPE} has no producer: {home} never makes {event.__name__}.")
    return ", ".join(f"[{path}](../{path})" for path in found)


def _consumers(event: type[Event]) -> str:
    found = event_flow.consumers().get(event.TYPE, [])
    return ", ".join(f"`{inbox}` of {module}" for module, inbox in found) or "none yet"


def _of_aws() -> str:
    rows = [
        (f"`{kind}`", f"`{source}`", f"`{inbox}` of {module}")
        for source, kind, module, inbox in event_flow.of_aws()
    ]
    said = "Read where AWS puts them, on the account's default bus; AWS documents their shape.\n"
    return f"{said}\n{_rows(('detail-type', 'source', 'consumers'), rows)}"


def _table(kind: Any) -> str:
    rows = [
        (
            f"`{field.encode_name}`",
            _type(field.type) + ("" if field.required else ", optional"),
            meaning(kind, field.name),
        )
        for field in _shape(kind).fields
    ]
    return _rows(("field", "type", "meaning"), rows)


def _shape(kind: Any) -> shapes.StructType:
    shape = shapes.type_info(kind)
    assert isinstance(shape, shapes.StructType)
    return shape


def _type(shape: shapes.Type) -> str:
    """A type for people; a struct is a link to its own table."""
    match shape:
        case shapes.StructType(cls=kind):
            return f"[{kind.__name__}](#{_anchor(kind.__name__)})"
        case shapes.VarTupleType(item_type=item) | shapes.ListType(item_type=item):
            return f"list of {_type(item)}"
        case shapes.DictType(value_type=value):
            return f"map of text to {_type(value)}"
        case shapes.LiteralType(values=values):
            return " or ".join(f"`{value}`" for value in values)
        case shapes.UnionType(types=types):
            return " or ".join(_type(part) for part in types)
        case shapes.StrType(pattern=pattern):
            return f"text like `{pattern}`" if pattern else "text"
        case shapes.IntType(ge=low, le=high):
            return f"integer, {low} to {high}" if None not in (low, high) else "integer"
        case shapes.FloatType():
            return "number"
        case shapes.BoolType():
            return "true or false"
        case shapes.NoneType():
            return "null"
    raise TypeError(f"the catalogue has no words for {shape}")


def _parts(events: Iterable[type[Event]]) -> list[Any]:
    """Every struct inside the events, by name."""
    found: set[Any] = set()
    waiting = [field.type for event in events for field in _shape(event).fields]
    while waiting:
        match waiting.pop():
            case shapes.StructType(cls=kind, fields=fields):
                found.add(kind)
                waiting += [field.type for field in fields]
            case shapes.VarTupleType(item_type=item) | shapes.ListType(item_type=item):
                waiting.append(item)
            case shapes.DictType(value_type=value):
                waiting.append(value)
            case shapes.UnionType(types=types):
                waiting += types
    return sorted(found, key=lambda kind: str(kind.__name__))


def _sentence(kind: type[msgspec.Struct]) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _first_sentence(kind: type[msgspec.Struct]) -> str:
    paragraph = _sentence(kind).partition("\n\n")[0].replace("\n", " ")
    return re.split(r"(?<=[.]) ", paragraph)[0]


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(words: str) -> str:
    return re.sub(r"\s+", " ", words).replace("|", "\\|")


def _anchor(heading: str) -> str:
    """The anchor of a heading, as the common renderers make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def main() -> None:
    """Write the page."""
    try:
        write_whole(PAGE, text())
    except MillraceError as error:
        sys.exit(str(error))
    print(f"wrote {relative(PAGE)}")


if __name__ == "__main__":
    main()
