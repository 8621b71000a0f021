# SPDX-License-Identifier: MIT
"""An extension is whole: docs/extending.md has the steps, and here the forgotten ones fail.

What only the compiler, mypy or a test of one package can see is checked there.
"""

from __future__ import annotations

import ast
import pathlib
import re

import click
import pytest

from sandbox.cli.commands import cli
from sandbox.dockerfile import instructions
from sandbox.engine.containers.config import CreateRequest
from sandbox.models.container import ContainerConfig
from sandbox.models.policy import Policy
from tests.unit.cli.test_docker_flags import DOCKER

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMMAND_LINE = ("sandbox/cli/containers/run_flags.py", "sandbox/cli/containers/lifecycle_flags.py")
API = ("sandbox/api/containers/create_request.py",)
SHOWN_AS_ASKED = {"group_add"}


def text_of(*names: str) -> str:
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)


# ---- system calls ---------------------------------------------------------------------------


def intercepted() -> list[str]:
    return re.findall(r"(?m)^ON\((\w+)\)", text_of("csrc/syscalls.def"))


def test_every_intercepted_call_is_made_by_a_guest_program() -> None:
    programs = text_of(
        *sorted(str(path) for path in (ROOT / "tests/guest/programs").glob("*.[ch]"))
    )
    made = set(re.findall(r"\bSYS_(\w+)|\b(\w+)\(", programs))
    names = {name for pair in made for name in pair}
    by_libc = {
        "newfstatat": "fstatat",
        "rt_sigaction": "sigaction",
        "rt_sigprocmask": "sigprocmask",
    }
    missing = [name for name in intercepted() if name not in names]
    assert [name for name in missing if by_libc.get(name) not in names] == []


# ---- flags of run ---------------------------------------------------------------------------


def keywords(kind: str, *names: str) -> set[str]:
    """Return the fields that a call of a class gives, in these files."""
    trees = [ast.parse(text_of(name)) for name in names]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == kind]
    return {word.arg for node in made for word in node.keywords if word.arg}


@pytest.mark.parametrize("record", [CreateRequest, Policy], ids=lambda record: record.__name__)
@pytest.mark.parametrize("files", [COMMAND_LINE, API], ids=["command line", "API"])
def test_the_command_line_and_the_api_fill_every_field_of_a_request(
    record: type[CreateRequest | Policy], files: tuple[str, ...]
) -> None:
    fields = set(record.__struct_fields__)
    assert fields - keywords(record.__name__, *files) == set()


def test_a_container_is_made_with_every_field_of_its_record() -> None:
    given = keywords("ContainerConfig", "sandbox/engine/containers/config.py")
    assert set(ContainerConfig.__struct_fields__) - given == set()


def test_every_field_of_a_container_is_written_and_read() -> None:
    tree = ast.parse(text_of("sandbox/models/container.py"))
    record = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name == "ContainerConfig"
    )
    methods = {node.name: ast.unparse(node) for node in record.body if hasattr(node, "name")}
    fields = ContainerConfig.__struct_fields__
    assert [name for name in fields if f"self.{name}" not in methods["to_json"]] == []
    assert [name for name in fields if f"{name}=" not in methods["from_json"]] == []


@pytest.mark.parametrize("record", [ContainerConfig, Policy], ids=lambda record: record.__name__)
def test_inspect_shows_every_field_of_a_container(
    record: type[ContainerConfig | Policy],
) -> None:
    text = text_of("sandbox/engine/containers/inspect.py")
    shown = set(re.findall(r"(?<=\bconfig\.)\w+|(?<=\bpolicy\.)\w+", text))
    assert set(record.__struct_fields__) - shown - SHOWN_AS_ASKED == set()


def options() -> dict[str, click.Option]:
    """Return the flags of `run` and `create` by their long names."""
    ctx = click.Context(cli)
    commands = [cli.get_command(ctx, name) for name in ("run", "create")]
    found = [item for command in commands if command for item in command.params]
    return {max(item.opts, key=len): item for item in found if isinstance(item, click.Option)}


def test_every_flag_of_run_has_a_line_of_help() -> None:
    assert [name for name, item in options().items() if not item.help] == []


def test_flags_that_docker_lacks_are_in_the_reference() -> None:
    dockers = set(re.findall(r"--[a-z0-9-]+", DOCKER["run"] + DOCKER["create"]))
    ours = set(options()) - dockers - {"--help"}
    assert sorted(flag for flag in ours if flag not in text_of("docs/verbs.md")) == []


# ---- instructions of a Dockerfile -----------------------------------------------------------


def kinds(base: type = instructions.Instruction) -> list[str]:
    """Return the names of the classes of instructions."""
    below = base.__subclasses__()
    return sorted(name for kind in below for name in kinds(kind)) if below else [base.__name__]


def text_below(folder: str) -> str:
    return text_of(*sorted(str(path) for path in (ROOT / folder).rglob("*.py")))


@pytest.mark.parametrize("kind", sorted({*kinds()} - {"From"}))  # that is the base of a stage
def test_every_instruction_is_parsed_expanded_built_fuzzed_and_described(kind: str) -> None:
    parsers = text_below("sandbox/dockerfile")
    description = text_of("docs/build.md")
    left_to_the_shell = re.search(r"CMD, [A-Z, \n]+ and the command of RUN", description)
    assert left_to_the_shell
    assert re.search(rf"\b{kind}\(", parsers)
    assert f'"{kind.lower()}": parse_' in parsers
    assert kind.upper() in left_to_the_shell[0] or re.search(
        rf"\b{kind}\b", text_of("sandbox/dockerfile/variables.py", "sandbox/dockerfile/planner.py")
    )
    assert re.search(rf"\b{kind}\b", text_below("sandbox/builder"))
    assert f'"{kind.upper()}"' in text_of("tests/unit/dockerfile/test_fuzz.py")
    assert kind.upper() in description
