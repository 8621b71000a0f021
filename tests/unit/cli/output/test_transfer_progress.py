# SPDX-License-Identifier: MIT
"""A transfer without a terminal: a line a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.cli.output.transfer_progress import progress_shown

if TYPE_CHECKING:
    import pytest


def test_each_step_is_told_once_and_no_byte_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_shown(quiet=False) as tell:
        for done in range(100):
            tell("layer", "Downloading", done, 100)
        for _ in range(2):
            tell("layer", "Pull complete")
        tell("", "all done")
    assert capsys.readouterr().out == "layer: Pull complete\nall done\n"


def test_it_may_go_to_standard_error_or_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_shown(quiet=False, to_stderr=True) as tell:
        tell("a", "Pull complete")
    with progress_shown(quiet=True) as tell:
        tell("b", "Pull complete")
    assert capsys.readouterr() == ("", "a: Pull complete\n")
