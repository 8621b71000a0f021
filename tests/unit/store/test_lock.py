# SPDX-License-Identifier: MIT
from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from sandbox.errors import PermissionDenied
from sandbox.store.layout import Layout
from sandbox.store.lock import acquire, open_lock, store_lock


def is_free(path: Path) -> bool:
    """Try the lock in another process, since a process does not exclude itself."""
    child = os.fork()
    if child == 0:
        os._exit(0 if acquire(open_lock(path), wait=False) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_lock_excludes_others_until_the_block_ends(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with store_lock(layout):
        assert not is_free(layout.lock)
    assert is_free(layout.lock)


def test_without_flock_the_lock_is_an_fcntl_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    layout = Layout(tmp_path)
    with store_lock(layout):
        assert not is_free(layout.lock)
        second = open_lock(layout.lock)
        assert not acquire(second, wait=False)
        os.close(second)  # would release a lock that belongs to the process
        assert not is_free(layout.lock)
    assert is_free(layout.lock)


def test_a_store_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").touch(0o000)
    with (
        pytest.raises(PermissionDenied, match="cannot lock the store"),
        store_lock(Layout(tmp_path)),
    ):
        pass
