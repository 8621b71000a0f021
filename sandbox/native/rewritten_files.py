# SPDX-License-Identifier: MIT
"""Rewrites program files, so that system call instructions jump into the runtime.

Rules: what a container has learned comes from its guests. It names a file only by an inode number,
which the host side looks up in the container's index, and a place in it by an offset, which the
C core verifies before it rewrites anything there.

Must not know: where the copies lie, when they are made.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from sandbox.errors import NativeError
from sandbox.native._native import ffi, lib
from sandbox.native.core import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def attach(control_path: str, copies: Iterable[tuple[int, str]]) -> None:
    """List copies in the control file: the inode number of the layer's file, the copy's path."""
    with Tree.draft(control_path) as tree:
        for inode, path in copies:
            result = lib.sb_hosted_add_text(tree.handle, inode, os.fsencode(path))
            if result == -errno.ENOSPC:
                return


def learned(control_path: str) -> dict[str, set[int]]:
    """Return the offsets at which the container's programs trapped, by file on the host."""
    result: dict[str, set[int]] = {}
    site = ffi.new("struct sb_learned_site *")
    host = ffi.new("char[4096]")
    with Tree.open(control_path) as tree:
        number = 0
        while lib.sb_hosted_learned(tree.handle, number, site, host) >= 0:
            number += 1
            path = os.fsdecode(ffi.string(host))
            if path:
                result.setdefault(path, set()).add(site.offset)
    return result


def build(data: bytes, dest: str, offsets: Sequence[int]) -> tuple[int, list[bool]]:
    """Write the copy of the ELF file with this content to the new file *dest*.

    Return the number of rewritten sites, and for each offset whether a site is there. Nothing is
    written when nothing was rewritten. Raises NativeError.
    """
    is_site = ffi.new("unsigned char[]", max(len(offsets), 1))
    done = lib.sb_text_build(
        ffi.from_buffer("unsigned char[]", data),
        len(data),
        os.fsencode(dest),
        ffi.new("uint32_t[]", list(offsets) or 1),
        len(offsets),
        is_site,
    )
    if done < 0 and done != -errno.ENOEXEC:
        raise NativeError(-done, f"cannot write {dest}")
    return max(done, 0), [bool(is_site[number]) for number in range(len(offsets))]
