# SPDX-License-Identifier: MIT
"""What a further process has of the container's main one."""

from __future__ import annotations

import pathlib

import pytest

from sandbox.errors import RuntimeFailed
from sandbox.models.container import ContainerConfig
from sandbox.runtime.exec.exec_process import ExecRequest, check_present, configure

CONFIG = ContainerConfig(
    "1", "web", "", "i", "s", ("entry",), ("cmd",), env=("A=1",), user="me", working_dir="/w",
    tty=True,
)  # fmt: skip


def test_what_is_not_asked_for_is_as_for_the_main_process() -> None:
    found = configure(CONFIG, ExecRequest(args=("sh",)))
    assert (found.args, found.env, found.user, found.working_dir) == (
        ("sh",),
        ("A=1",),
        "me",
        "/w",
    )
    assert found.tty is False, "a terminal is asked for each time"


def test_what_is_asked_for_is_had() -> None:
    request = ExecRequest(args=("a", "b"), env=("A=2", "B=3"), user="", working_dir="/x", tty=True)
    found = configure(CONFIG, request)
    assert (found.env, found.user, found.working_dir) == (("A=1", "A=2", "B=3"), "", "/x")
    assert found.tty


def test_a_container_without_a_control_file_has_ended(tmp_path: pathlib.Path) -> None:
    with pytest.raises(RuntimeFailed, match="has just ended"):
        check_present(str(tmp_path))
    (tmp_path / "control").touch()
    check_present(str(tmp_path))
