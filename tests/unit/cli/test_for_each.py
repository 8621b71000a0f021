# SPDX-License-Identifier: MIT
"""A verb for several names goes on after an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.cli.for_each import each
from sandbox.errors import ContainerNotFound

if TYPE_CHECKING:
    import pytest


def test_each_name_is_printed_or_its_error_is(capsys: pytest.CaptureFixture[str]) -> None:
    def act(name: str) -> int | None:
        if name == "bad":
            raise ContainerNotFound("no such container: bad")
        return 7 if name == "seven" else None

    assert each(("a", "bad", "seven"), act) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("a\n7\n", "sandbox: no such container: bad\n")


def test_without_an_error_the_exit_code_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert each(("a",), lambda _: "ignored") == 0
    assert capsys.readouterr().out == "a\n"
