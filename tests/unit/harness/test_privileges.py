# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import pathlib

from tests.harness import privileges


def test_tests_never_run_as_root() -> None:
    assert 0 not in os.getresuid() + os.getresgid()
    assert 0 not in os.getgroups()


def test_tests_hold_no_capabilities() -> None:
    held = privileges.capability_sets()
    assert {held[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}


def test_the_user_cannot_write_to_system_folders() -> None:
    assert not [p for p in ("/", "/etc", "/usr/bin") if os.access(p, os.W_OK)]


def test_each_test_has_its_own_home_and_store(tmp_path: pathlib.Path) -> None:
    assert pathlib.Path.home().parent == tmp_path
    assert os.environ["SANDBOX_ROOT"] == str(tmp_path / "store")
