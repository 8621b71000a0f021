# SPDX-License-Identifier: MIT
"""Questions before something is removed."""

from __future__ import annotations

import io
import sys

import pytest

from sandbox.cli.confirm import agrees


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("y\n", True), (" Y \n", True), ("yes\n", False), ("n\n", False), ("", False)],
)
def test_only_a_y_is_a_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, answer: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert agrees("WARNING!", force=False) is answer
    assert capsys.readouterr().out == "WARNING!\nAre you sure you want to continue? [y/N] "


def test_with_force_nothing_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert agrees("WARNING!", force=True)
    assert capsys.readouterr().out == ""
