"""A plan as objects: what will be made, with which values, and what its configuration refers to."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Resource:
    """A resource that the plan makes. `unknown` tells which values only the apply will tell."""

    address: str
    type: str
    values: dict[str, Any]
    unknown: dict[str, Any]

    @property
    def config_address(self) -> str:
        """The address without indexes, as the configuration knows it."""
        return _without_indexes(self.address)

    @property
    def module(self) -> str:
        return self.config_address.rpartition(f"{self.type}.")[0].rstrip(".")

    def will_have(self, attribute: str) -> bool:
        """True when the attribute is set, if only to a value not known yet."""
        return bool(self.values.get(attribute)) or bool(self.unknown.get(attribute))

    def document(self, attribute: str) -> dict[str, Any]:
        """The attribute's JSON, or {} when there is none or it is not known yet."""
        text = self.values.get(attribute)
        return json.loads(text) if text else {}


class Plan:
    """A plan from `terraform show -json`."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan

    @cached_property
    def resources(self) -> list[Resource]:
        return list(self._changes("managed"))

    @cached_property
    def documents_to_read(self) -> list[Resource]:
        """Policy documents that wait for the apply because a value in them is not known yet."""
        return [r for r in self._changes("data") if r.type == "aws_iam_policy_document"]

    def of(self, kind: str) -> list[Resource]:
        return self._by_type.get(kind, [])

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.type, []).append(resource)
        return found

    def references(self, resource: Resource) -> set[str]:
        """Everything that the resource's configuration refers to, without indexes."""
        written = _references(self._configured.get(resource.config_address, {}))
        return {_without_indexes(reference) for reference in written}

    def _changes(self, mode: str) -> Iterator[Resource]:
        for change in self._plan["resource_changes"]:
            after = change["change"]["after"]
            if change["mode"] == mode and after is not None:
                unknown = change["change"].get("after_unknown") or {}
                yield Resource(change["address"], change["type"], after, unknown)

    @cached_property
    def _configured(self) -> dict[str, Any]:
        return dict(_configurations(self._plan["configuration"]["root_module"], ""))


def _configurations(module: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for resource in module.get("resources", []):
        yield prefix + resource["address"], resource.get("expressions", {})
    for name, call in module.get("module_calls", {}).items():
        yield from _configurations(call["module"], f"{prefix}module.{name}.")


def _without_indexes(address: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", address)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "references":
                yield from inner
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
