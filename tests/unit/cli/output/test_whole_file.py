# SPDX-License-Identifier: MIT
"""A file appears once all of it is written."""

from __future__ import annotations

import pathlib

import pytest

from sandbox.cli.output.whole_file import whole_file
from sandbox.errors import SandboxError


def test_it_is_there_at_the_end_and_not_before(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "out"
    with whole_file(str(path)) as write:
        write(b"one")
        assert not path.exists()
        write(b"two")
    assert path.read_bytes() == b"onetwo"
    assert [item.name for item in tmp_path.iterdir() if item.is_file()] == ["out"]


def test_after_a_failure_the_old_one_is_still_there(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def fail() -> None:
        with whole_file(str(path)) as write:
            write(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir() if item.is_file()] == ["out"]


def test_a_place_that_is_not_there_is_told(tmp_path: pathlib.Path) -> None:
    with pytest.raises(SandboxError, match="cannot write"), whole_file(f"{tmp_path}/none/out"):
        pass


def test_without_a_path_it_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with whole_file(None) as write:
        write(b"x")
    import sys

    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"x"
