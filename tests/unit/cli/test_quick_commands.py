# SPDX-License-Identifier: MIT
"""Only usual lines of `run` and `exec` go past click."""

from __future__ import annotations

import pytest

from sandbox.cli import quick_commands


@pytest.mark.parametrize("line", ["run i", "run --rm -it i sh", "exec c true", "exec -d c true"])
def test_usual_lines_go_past_click(line: str) -> None:
    assert quick_commands.find(line.split()) is not None


@pytest.mark.parametrize("line", ["", "ps", "run", "run --rm", "exec c", "-D run i", "run --bad i"])
def test_other_lines_are_clicks(line: str) -> None:
    assert quick_commands.find(line.split()) is None


def test_completion_is_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_SANDBOX_COMPLETE", "bash_complete")
    assert quick_commands.find(["run", "i"]) is None
