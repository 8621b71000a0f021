# SPDX-License-Identifier: MIT
"""File modes in Go's format, which clients decode."""

from __future__ import annotations

import stat

import pytest

from sandbox.api.containers.archive import go_mode

# Go's io/fs: ModeDir is the highest bit, then ModeAppend, ModeExclusive, ModeTemporary, ...
DIR, SYMLINK, DEVICE, PIPE, SOCKET = 1 << 31, 1 << 27, 1 << 26, 1 << 25, 1 << 24
SETUID, SETGID, CHAR, STICKY = 1 << 23, 1 << 22, 1 << 21, 1 << 20


@pytest.mark.parametrize(
    ("kind", "bits"),
    [
        (stat.S_IFREG, 0),
        (stat.S_IFDIR, DIR),
        (stat.S_IFLNK, SYMLINK),
        (stat.S_IFBLK, DEVICE),
        (stat.S_IFCHR, DEVICE | CHAR),
        (stat.S_IFIFO, PIPE),
        (stat.S_IFSOCK, SOCKET),
    ],
)
def test_each_type_of_file_has_the_bits_of_go(kind: int, bits: int) -> None:
    assert go_mode(kind | 0o640) == bits | 0o640


def test_setuid_setgid_and_sticky_bits_are_included() -> None:
    assert go_mode(stat.S_IFREG | 0o4755) == SETUID | 0o755
    assert go_mode(stat.S_IFREG | 0o2755) == SETGID | 0o755
    assert go_mode(stat.S_IFDIR | 0o1777) == DIR | STICKY | 0o777
