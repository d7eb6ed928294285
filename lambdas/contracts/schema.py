"""JSON Schemas of the events, generated from the classes: `python -m lambdas.contracts.schema`.

The dialect is Draft 4, the one the EventBridge schema registry takes, so one file serves the
registry, the compatibility gate and every reader.
"""

import inspect
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from lambdas.contracts.codec import Published
from lambdas.contracts.event import Event
from lambdas.contracts.registry import EVENTS

DIRECTORY = Path(__file__).with_name("schemas")


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The schema of the `detail` ({"meta", "data"}) of an event type."""
    kind: Any = event
    (root,), components = schema_components([Published[kind]], "#/definitions/{name}")
    definitions = {name: _draft4(part) for name, part in components.items()}
    # Draft 4 ignores whatever stands beside a "$ref", so the root is the object itself.
    body = definitions.pop(root["$ref"].rpartition("/")[2])
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        **body,
        "title": event.TYPE,
        "description": inspect.cleandoc(event.__doc__ or ""),
        "definitions": definitions,
    }


def schema_components(
    kinds: Iterable[Any], ref_template: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """As msgspec's own, with the same descriptions on every Python: older than 3.13, they keep the
    indentation of the docstrings that they are."""
    roots, components = msgspec.json.schema_components(kinds, ref_template=ref_template)
    for component in components.values():
        if "description" in component:
            component["description"] = inspect.cleandoc(component["description"])
    return list(roots), components


def _draft4(node: Any) -> Any:
    """A schema of Draft 2020-12, as msgspec writes it, in the words of Draft 4."""
    if isinstance(node, list):
        return [_draft4(part) for part in node]
    if not isinstance(node, dict):
        return node
    turned = {key: _draft4(value) for key, value in node.items()}
    if "const" in turned:
        turned["enum"] = [turned.pop("const")]
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in turned:
            turned[bound], turned[exclusive] = turned[exclusive], True
    if "prefixItems" in turned:
        turned["items"] = turned.pop("prefixItems")
        turned["additionalItems"] = False
    return turned


def write_all(directory: Path = DIRECTORY) -> list[Path]:
    """Write one file per event type, remove the files of types that are gone; returns the files."""
    directory.mkdir(exist_ok=True)
    wanted = {directory / f"{event.TYPE}.json": schema_of(event) for event in EVENTS}
    for stale in set(directory.glob("*.json")) - set(wanted):
        stale.unlink()
    for path, schema in wanted.items():
        path.write_text(json.dumps(schema, indent=2, sort_keys=True) + "\n")
    return sorted(wanted)


if __name__ == "__main__":
    for written in write_all():
        print(written.name)
