"""New code reaches functions without Terraform, and no later apply leaves old code behind."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from millrace import aws, code_swap, environments, packaging, stack
from millrace.local_aws import Instance
from millrace.packaging import Artifact
from millrace.terraform_root import Progress

INSTANCE = Instance(1, 1.0, 4566, 2, 1.0, 2000)
CARRIES = {"assess-order": "fraud", "assessments-publisher": "outbox", "basket-api": "basket"}
PATHS = {name: f"lambdas.{service}.module.handler" for name, service in CARRIES.items()}
SERVICES = sorted(set(CARRIES.values()))


class FakeLambda:
    """Functions with the code that each has, as local AWS keeps them; one is somebody else's."""

    def __init__(self) -> None:
        self.code: dict[str, bytes] = {}
        self.refuses: str | None = None

    def get_paginator(self, name: str) -> Any:
        assert name == "list_functions"
        functions = [{"FunctionName": name, "Handler": path} for name, path in PATHS.items()]
        image = {"FunctionName": "an-image"}
        foreign = {"FunctionName": "foreign", "Handler": "fraud.module.handler"}
        pages = [{"Functions": functions[:1]}, {"Functions": [*functions[1:], image, foreign]}]
        return SimpleNamespace(paginate=lambda: pages)

    def update_function_code(self, **asked: Any) -> None:
        name = asked["FunctionName"]
        if name == self.refuses:
            raise ConnectionError(name)
        self.code[name] = asked["ZipFile"]


class FakeTerraform:
    """It gives a function its zip when that is another than its state says, like the real one."""

    def __init__(self, functions: FakeLambda, zips: Path) -> None:
        self.functions, self.zips = functions, zips
        self.state: dict[str, bytes] = {}
        self.applies = 0

    def init(self) -> None:
        """There is no provider."""

    def apply(self, *_: object) -> Progress:
        self.applies += 1
        for name, service in CARRIES.items():
            wanted = (self.zips / f"{service}.zip").read_bytes()
            if self.state.get(name) != wanted:
                self.state[name] = self.functions.code[name] = wanted
        return Progress()

    def output(self) -> dict[str, Any]:
        return {"name": "local"}


class World:
    """Local AWS, its zips and its Terraform; `up` does what `millrace up` does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.functions = FakeLambda()
        self.terraform = FakeTerraform(self.functions, folder)
        self.local: Any = SimpleNamespace(
            running=lambda: INSTANCE, origins=list, environment=dict, allow=lambda _: None
        )
        self.reporter: Any = SimpleNamespace(step=lambda _: None, progress=lambda _: None)
        self.source = folder / "main.tf"
        self.source.touch()
        for service in SERVICES:
            self.build(service, b"1")

    def build(self, service: str, content: bytes) -> None:
        (self.folder / f"{service}.zip").write_bytes(content)

    def artifacts(self, *_: object) -> list[Artifact]:
        return [
            Artifact(
                name,
                "local",
                "",
                (self.folder / f"{name}.zip").read_text(),
                0,
                0,
                "local",
                None,
                "",
            )
            for name in SERVICES
        ]

    def up(self) -> int:
        return stack.up(self.reporter, self.local).changed

    def all_is_new(self) -> bool:
        wanted = {name: (self.folder / f"{one}.zip").read_bytes() for name, one in CARRIES.items()}
        return self.functions.code == wanted


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.setattr(code_swap, "AHEAD", tmp_path / "ahead.txt")
    monkeypatch.setattr(stack, "APPLIED", tmp_path / "applied")
    monkeypatch.setattr(stack, "LOCAL", tmp_path)
    monkeypatch.setattr(environments, "OUTPUTS", tmp_path / "outputs.json")
    monkeypatch.setattr(environments, "terraform_sources", lambda: [made.source])
    monkeypatch.setattr(environments, "local_root", lambda _: made.terraform)
    monkeypatch.setattr(packaging, "build", made.artifacts)
    monkeypatch.setattr(aws, "client", lambda *_: made.functions)
    made.up()
    assert made.all_is_new()
    assert made.terraform.applies == 1
    return made


def test_a_changed_zip_reaches_the_functions_that_carry_it_without_terraform(world: World) -> None:
    world.build("fraud", b"2")
    assert world.up() == 1
    assert world.all_is_new()
    assert world.terraform.applies == 1
    assert world.up() == 0


def test_a_changed_source_is_terraforms(world: World) -> None:
    world.source.write_text("# changed")
    world.build("fraud", b"2")
    world.up()
    assert world.all_is_new()
    assert world.terraform.applies == 2


def test_a_zip_that_goes_back_together_with_a_source_is_in_place_after_the_apply(
    world: World,
) -> None:
    world.build("fraud", b"2")
    world.up()
    world.build("fraud", b"1")  # what Terraform's state says is there
    world.source.write_text("# changed")
    world.up()
    assert world.terraform.applies == 2
    assert world.all_is_new()
    assert code_swap.ahead() == set()


def test_a_swap_that_breaks_off_is_made_good_by_a_whole_apply(world: World) -> None:
    world.build("fraud", b"2")
    world.build("outbox", b"2")
    world.functions.refuses = "assessments-publisher"
    with pytest.raises(ConnectionError):
        world.up()
    world.functions.refuses = None
    world.build("fraud", b"1")
    world.build("outbox", b"1")
    world.up()
    assert world.terraform.applies == 2
    assert world.all_is_new()


def test_a_record_of_another_version_is_no_record(world: World) -> None:
    stack.APPLIED.write_text("a hash")
    world.up()
    assert world.terraform.applies == 2
