# SPDX-License-Identifier: MIT
"""The settings of a whole store."""

from __future__ import annotations

import pathlib

import pytest

from sandbox.errors import UsageError
from sandbox.store.layout import Layout
from sandbox.store.settings import read


def test_a_store_without_a_file_demands_nothing(tmp_path: pathlib.Path) -> None:
    assert not read(Layout(tmp_path)).require_confinement
    assert not read(Layout(tmp_path / "missing")).require_confinement


def test_the_file_of_a_store_is_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "settings.toml").write_text("require-confinement = true\n")
    assert read(Layout(tmp_path)).require_confinement


@pytest.mark.parametrize(
    "text", ["require-confinment = true", "require-confinement = 1", "= 3", "\xff"]
)
def test_a_wrong_file_is_refused_by_name(tmp_path: pathlib.Path, text: str) -> None:
    (tmp_path / "settings.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"settings\.toml"):
        read(Layout(tmp_path))
