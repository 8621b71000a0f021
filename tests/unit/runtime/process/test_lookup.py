# SPDX-License-Identifier: MIT
"""The program, the user and the directories of the first process, found in its own tree."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from sandbox.errors import CommandNotExecutable, CommandNotFound, RuntimeFailed
from sandbox.runtime.process import lookup
from sandbox.runtime.process.users import Identity
from tests.unit.runtime.faketree import FakeTree

ROOT = Identity()
USER = Identity(uid=1000, gid=1000, groups=(5,))
PATH = "/bin:/usr/bin"


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> Any:
    for name, mode in {
        "bin/sh": 0o755,
        "bin/data": 0o644,
        "usr/bin/tool": 0o755,
        "usr/bin/data2": 0o600,
        "bin/rootonly": 0o700,
        "bin/group5": 0o750,
        "work/script": 0o755,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(mode)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:\nme:x:7:8::/home/me:\n")
    (tmp_path / "etc/group").write_text("wheel:x:10:me\n")
    fake = FakeTree(tmp_path)
    fake.chown(b"/bin/group5", 0, 5)
    return fake


@pytest.mark.parametrize(
    ("name", "cwd", "found"),
    [
        ("sh", "/", "/bin/sh"),
        ("tool", "/", "/usr/bin/tool"),
        ("/usr/bin/tool", "/", "/usr/bin/tool"),
        ("./script", "/work", "/work/./script"),
        ("bin/sh", "/", "/bin/sh"),
    ],
)
def test_a_command_is_found_as_by_a_shell(tree: Any, name: str, cwd: str, found: str) -> None:
    assert lookup.find_command(tree, name, PATH, cwd, ROOT) == found


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("nope", CommandNotFound, 'exec: "nope": executable file not found in $PATH'),
        ("", CommandNotFound, 'exec: "": executable file not found in $PATH'),
        ("/no/pe", CommandNotFound, 'exec: "/no/pe": stat /no/pe: no such file'),
        ("data", CommandNotExecutable, 'exec: "data": permission denied'),
        ("/bin/data", CommandNotExecutable, 'exec: "/bin/data": permission denied'),
        ("/bin", CommandNotExecutable, 'exec: "/bin": is a directory'),
    ],
)
def test_a_command_that_cannot_run_is_refused_in_docker_s_words(
    tree: Any, name: str, error: type[RuntimeFailed], message: str
) -> None:
    with pytest.raises(error) as caught:
        lookup.find_command(tree, name, PATH, "/", ROOT)
    assert caught.value.message.startswith(message)
    assert caught.value.exit_code == (127 if error is CommandNotFound else 126)


def test_a_user_needs_the_right_execute_bit(tree: Any) -> None:
    assert lookup.find_command(tree, "group5", PATH, "/", USER) == "/bin/group5"
    with pytest.raises(CommandNotExecutable):
        lookup.find_command(tree, "rootonly", PATH, "/", USER)


def test_the_user_is_looked_up_in_the_container_s_passwd_file(tree: Any) -> None:
    assert lookup.find_identity(tree, "me") == Identity(7, 8, (10,), "/home/me")


def test_without_user_databases_root_still_works(tmp_path: pathlib.Path) -> None:
    assert lookup.find_identity(FakeTree(tmp_path), "") == Identity()  # type: ignore[arg-type]


def test_a_missing_working_directory_is_created(tree: Any, tmp_path: pathlib.Path) -> None:
    lookup.make_directories(tree, "/work/a/b")
    assert (tmp_path / "work/a/b").is_dir()
    with pytest.raises(RuntimeFailed, match="/bin/sh is a file"):
        lookup.make_directories(tree, "/bin/sh/x")
