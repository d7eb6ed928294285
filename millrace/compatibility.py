"""Hold the events of today to the schemas of the last release: `python -m millrace.compatibility`.

Events lie in archives and event stores for years, and consumers are deployed apart from producers.
So within one version nothing may change but what neither side can notice: a new optional field, a
new event, and words for people. Everything else is a new version with an upcaster.

With `--release` the schemas of today become those of the last release: `make release-schemas`.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lambdas.contracts.registry import EVENTS
from lambdas.contracts.schema import schema_of
from millrace.errors import MillraceError
from millrace.paths import ROOT, relative, write_whole

RELEASED = ROOT / "tests" / "contracts" / "released"
Schema = Mapping[str, Any]

# Words for people, and where parts are kept: a reader of events sees neither.
_INVISIBLE = frozenset({"$schema", "definitions", "description", "examples", "title"})
_ABSENT = object()


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """What changed from `old` to `new` that a consumer or an old event could notice.

    Both are JSON Schemas as `lambdas.contracts.schema` writes them. Each line begins with the place
    of the change, such as "data.lines[].quantity: maximum 1000 is now 100". [] when all is well.
    """
    return list(dict.fromkeys(_Comparison(old, new).run()))


def broken_promises(released: Mapping[str, Schema], today: Mapping[str, Schema]) -> list[str]:
    """The incompatibilities of all events, by type token; one that is gone is one of them."""
    found = []
    for token, old in sorted(released.items()):
        if token not in today:
            found.append(f"{token}: the event is gone; events of this type may lie in an archive")
            continue
        found += [f"{token}: {what}" for what in incompatibilities(old, today[token])]
    return found


def released(directory: Path = RELEASED) -> dict[str, Schema]:
    """The schemas of the last release, by type token."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))}


def current() -> dict[str, Schema]:
    """The schemas of the classes of today, by type token."""
    return {event.TYPE: schema_of(event) for event in EVENTS}


def release(directory: Path = RELEASED) -> list[Path]:
    """Make the schemas of today those of the last release.

    Raises MillraceError when they break a promise of the last one.
    """
    if broken := broken_promises(released(directory), current()):
        raise MillraceError("\n".join(["The last release promised otherwise:", *broken]))
    written = []
    for token, schema in sorted(current().items()):
        path = directory / f"{token}.json"
        write_whole(path, json.dumps(schema, indent=2, sort_keys=True) + "\n")
        written.append(path)
    return written


class _Comparison:
    """One walk through both schemas; a pair of definitions that meet again is not walked twice."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        self._walked: set[tuple[str, str]] = set()

    def run(self) -> Iterator[str]:
        return self._compare(self._old, self._new, "")

    def _compare(self, old: Any, new: Any, place: str) -> Iterator[str]:
        """Both at one place of the event; a boolean is a schema too."""
        references = (_reference(old), _reference(new))
        if all(references):
            if references in self._walked:
                return
            self._walked.add(references)
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            if old != new:
                yield _line(place, f"{_said(old)} is now {_said(new)}")
            return
        yield from self._properties(old, new, place)
        yield from self._inner(old, new, place)
        yield from self._alternatives(old, new, place)
        handled = {*_INVISIBLE, "properties", "required", "items", "additionalProperties", "anyOf"}
        for key in sorted({*old, *new} - handled):
            before, after = (_value(schema, key) for schema in (old, new))
            if before != after:
                yield _line(place, f"{key} {_said(before)} is now {_said(after)}")

    def _properties(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(before.keys() - after.keys()):
            yield _line(_field(place, name), "the field is gone")
        for name in sorted(before.keys() & after.keys()):
            yield from self._compare(before[name], after[name], _field(place, name))
        for name in sorted(needed_after - needed_before):
            yield _line(_field(place, name), "is required now; old events may lack it")
        for name in sorted((needed_before - needed_after) & after.keys()):
            yield _line(_field(place, name), "is optional now; consumers count on it")

    def _inner(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        """The elements of a list, the values of a map."""
        for key, inside in (("items", "[]"), ("additionalProperties", "{}")):
            if (key in old) != (key in new):
                yield _line(
                    place, f"{key} {_said(_value(old, key))} is now {_said(_value(new, key))}"
                )
            elif key in old and isinstance(old[key], list):
                yield from self._positions(old[key], new[key], place)
            elif key in old:
                yield from self._compare(old[key], new[key], place + inside)

    def _positions(self, old: list[Any], new: Any, place: str) -> Iterator[str]:
        if not isinstance(new, list) or len(new) != len(old):
            yield _line(place, f"{len(old)} elements are now {_said(new)}")
            return
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from self._compare(before, after, f"{place}[{index}]")

    def _alternatives(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        """Each alternative has its equal on the other side, in whatever order."""
        left = list(new.get("anyOf", []))
        for option in old.get("anyOf", []):
            # A new walk each: what an alternative that does not match has met proves nothing.
            equal = next((o for o in left if not self._differ(option, o)), None)
            if equal is None:
                yield _line(place, f"the alternative {_said(option)} is gone")
            else:
                left.remove(equal)
        for option in left:
            yield _line(place, f"the alternative {_said(option)} is new to consumers")

    def _differ(self, old: Any, new: Any) -> bool:
        comparison = _Comparison(self._old, self._new)
        comparison._walked = set(self._walked)
        return any(comparison._compare(old, new, ""))


def _reference(schema: Any) -> str:
    return str(schema.get("$ref", "")) if isinstance(schema, Mapping) else ""


def _resolved(schema: Any, root: Schema) -> Any:
    """What a reference leads to. Whatever stands beside one says nothing in Draft 4."""
    while reference := _reference(schema):
        schema = root["definitions"][reference.rpartition("/")[2]]
    return schema


def _value(schema: Schema, key: str) -> Any:
    """The value, in one order where the order says nothing."""
    value = schema.get(key, _ABSENT)
    return sorted(value, key=repr) if key in ("enum", "type") and isinstance(value, list) else value


def _field(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _line(place: str, what: str) -> str:
    return f"{place or 'detail'}: {what}"


def _said(value: Any) -> str:
    return "absent" if value is _ABSENT else json.dumps(value, sort_keys=True)


def main() -> None:
    """Say what is broken and end with 1, or take today's schemas as released."""
    parser = argparse.ArgumentParser(description="Hold the events to the last release.")
    parser.add_argument("--release", action="store_true", help="today's schemas are released")
    if parser.parse_args().release:
        try:
            written = release()
        except MillraceError as error:
            sys.exit(str(error))
        print(f"{len(written)} schemas in {relative(RELEASED)}")
        return
    if broken := broken_promises(released(), current()):
        sys.exit("\n".join(broken))
    print("Every promise of the last release is kept.")


if __name__ == "__main__":
    main()
