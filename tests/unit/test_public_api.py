# SPDX-License-Identifier: MIT
"""The names that programs use: a rename is a change of the public API, and belongs in CHANGELOG."""

from __future__ import annotations

import ast
import inspect
import os
import pathlib
import re
import subprocess
import sys

import pytest

import sandbox
from sandbox import Engine

ROOT = pathlib.Path(__file__).resolve().parents[2]

EXPORTED = """
    Attachment AuthFailed BuildRequest CommandNotExecutable CommandNotFound CommitRequest Conflict
    ContainerNotFound CorruptData CreateRequest Detached Endpoint Engine ExecRequest ImageNotFound
    Layout MountPoint NetworkFlags NetworkNotFound NetworkWish NotFound OtherPlatform
    PermissionDenied Policy RegistryError RuntimeFailed SandboxError Security Span StoreError
    StoreFull Unsupported UsageError Wishes
"""
METHODS = {
    "containers": """
        attach commit copy_from copy_to create damaged diff exec export get get_archive inspect kill
        layer_size list logs parse_filters path_stat pause prune put_archive remove remove_damaged
        rename restart run run_attached run_detached sizes start start_in_foreground stats stop top
        unpause update wait
    """,
    "images": """
        diff explore get history import_ inspect list load prune pull push remove save
        save_directory tag
    """,
    "networks": """
        connect create disconnect get inspect list members memberships prune remove remove_link
    """,
    "volumes": "create get inspect list prune remove users",
    "builds": "build prune",
    "manifests": "annotate create index push read remove",
    "registries": "check_login distribution login logout manifest search",
    "streams": """
        attach events find_active launch logs resize tell_attach tell_exec tell_exec_detach
        tell_exec_end
    """,
    "system": "df doctor events fsck info prune start version",
}


def public(names: object) -> set[str]:
    return {name for name in dir(names) if not name.startswith("_")}


def test_the_package_exports_these_names() -> None:
    assert set(dir(sandbox)) == set(EXPORTED.split())
    for name in EXPORTED.split():
        assert getattr(sandbox, name).__name__ == name


def test_a_name_that_is_not_exported_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'sandbox' has no attribute 'fly'"):
        _ = sandbox.fly  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_names() -> None:
    """What is imported for them alone is what a program gets."""
    tree = ast.parse((ROOT / "sandbox" / "__init__.py").read_text())
    seen = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sandbox.")
        for alias in node.names
    }
    del seen["VERSION"]
    assert {name: getattr(sandbox, name).__module__ for name in seen} == seen
    assert set(seen) == set(EXPORTED.split())


def test_the_engine_has_these_parts() -> None:
    assert public(Engine) == set(METHODS)


@pytest.mark.parametrize("part", METHODS)
def test_a_part_has_these_methods(part: str) -> None:
    assert public(getattr(Engine(), part)) == set(METHODS[part].split())


@pytest.mark.parametrize("part", METHODS)
def test_every_method_is_explained_and_typed(part: str) -> None:
    kind = type(getattr(Engine(), part))
    for name in METHODS[part].split():
        method = getattr(kind, name)
        assert inspect.getdoc(method), name
        assert "return" in method.__annotations__, name


def test_the_document_lists_every_method() -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    listed = {
        item.partition("`")[0]: set(re.findall(r"`(\w+)`", item))
        for item in re.split(r"(?m)^\* `engine\.", text.partition("\n\nNames, ")[0])[1:]
    }
    appended = {name for name in METHODS["streams"].split() if "tell" in name or "find" in name}
    for part, names in METHODS.items():
        assert listed.pop(part) == set(names.split()) - (appended if part == "streams" else set())
    assert listed == {}


def test_the_package_alone_imports_none_of_its_modules() -> None:
    code = "import sys, sandbox; print([name for name in sys.modules if 'sandbox.' in name])"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout == "[]\n"
