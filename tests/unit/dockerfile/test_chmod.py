# SPDX-License-Identifier: MIT
"""``--chmod`` gives the same mode as chmod(1)."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

from sandbox.dockerfile.chmod import new_mode, parent_mode
from sandbox.dockerfile.words import ArgumentError


@pytest.mark.parametrize("before", [0o644, 0o755, 0o000])
@pytest.mark.parametrize(
    "text",
    ["755", "0", "4755", "u+x", "go-rwx", "a=r", "u=rwx,go=rx", "+X", "u=g", "g=u,o=", "a+t",
     "u+s", "ug+s", "o+s", "u+x-r", "a=rX"],
)  # fmt: skip
def test_a_file_gets_the_same_mode_as_from_chmod(
    tmp_path: pathlib.Path, text: str, before: int
) -> None:
    path = tmp_path / "file"
    path.touch()
    os.chmod(path, before)
    # Without u, g, o or a, chmod(1) applies the umask; a Dockerfile has no umask.
    subprocess.run(["chmod", text, path], check=True, umask=0)
    assert oct(new_mode(text, before, False)) == oct(path.stat().st_mode & 0o7777)


def test_setuid_stays_when_permissions_are_added_or_removed() -> None:
    assert new_mode("go+r", 0o4700, False) == 0o4744
    assert new_mode("go-x,u-s", 0o4711, False) == 0o700


def test_a_capital_x_only_applies_to_directories_and_executables() -> None:
    assert new_mode("a=rX", 0o600, True) == 0o555
    assert new_mode("a=rX", 0o600, False) == 0o444
    assert new_mode("a=rX", 0o100, False) == 0o555


@pytest.mark.parametrize("text", ["", "9", "10000", "-1", "u", "u+", "u~x", "u+q", "rwx", "u+x,"])
def test_an_invalid_mode_is_refused(text: str) -> None:
    if text == "u+":  # allowed: nothing is added
        assert new_mode(text, 0o644, False) == 0o644
        return
    with pytest.raises(ArgumentError, match="invalid chmod parameter"):
        new_mode(text, 0o644, False)


@pytest.mark.parametrize(("text", "mode"), [("700", 0o700), ("4711", 0o711), ("u+x", 0o755)])
def test_created_parents_get_the_permissions_of_an_octal_mode(text: str, mode: int) -> None:
    assert parent_mode(text) == mode
