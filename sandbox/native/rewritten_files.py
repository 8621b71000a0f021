# SPDX-License-Identifier: MIT
"""Copies of program files in which system call instructions jump into the runtime.

How it works: when a call instruction in a layer's file traps, the guest notes its offset in the
shared file. After the container ends, `learn` writes or renews a copy of each such file, with
these sites rewritten, beside the layer: ``text/<inode number>``. Its sites are listed in
``text/<inode number>.sites``, one ``offset number`` a line. `attach` lists the copies for the next
container, whose programs map them instead of the originals.

Rules: copies only save time, so a full disk or a read-only store is not an error. A copy appears
by rename, complete. Its writer holds ``text/lock``, and writes the list of sites last: a copy has
at least the listed sites.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from sandbox.errors import NativeError
from sandbox.native._native import ffi, lib
from sandbox.native.core import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    Holding = Callable[[str], AbstractContextManager[None]]

Site = tuple[int, int]
"""The offset after the syscall instruction in the file, and the system call's number."""

_USELESS = (errno.ENOSPC, errno.ENOEXEC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.ENOENT)


def attach(control_path: str, layer_dirs: Iterable[str]) -> None:
    """List the store's copies of these layers' files in the control file."""
    found = [entry for diff in layer_dirs for entry in _copies(text_dir(diff))]
    if not found:
        return
    with Tree.draft(control_path) as tree:
        for inode, path in found:
            result = lib.sb_hosted_add_text(tree.handle, inode, os.fsencode(path))
            if result == -errno.ENOSPC:
                return


def text_dir(diff_dir: str) -> str:
    """Return the directory of a layer's copies."""
    return f"{os.path.dirname(diff_dir)}/text"


def _copies(folder: str) -> list[tuple[int, str]]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [(int(name), f"{folder}/{name}") for name in names if name.isdigit()]


def learn(control_path: str, holding: Holding) -> None:
    """Write the copies that the container's programs could have used.

    *holding* locks a file between processes until its block ends; it is called with the path.
    """
    try:
        for host, sites in learned(control_path).items():
            renew(host, sites, holding)
    except (OSError, NativeError) as exc:
        # rm -f may already have removed the control file.
        if exc.errno not in _USELESS:
            raise


def learned(control_path: str) -> dict[str, set[Site]]:
    """Return the sites at which the container's programs trapped, by file on the host."""
    result: dict[str, set[Site]] = {}
    site = ffi.new("struct sb_learned_site *")
    host = ffi.new("char[4096]")
    with Tree.open(control_path) as tree:
        number = 0
        while lib.sb_hosted_learned(tree.handle, number, site, host) >= 0:
            number += 1
            path = os.fsdecode(ffi.string(host))
            if path:
                result.setdefault(path, set()).add((site.offset, site.nr))
    return result


def renew(host: str, sites: set[Site], holding: Holding) -> None:
    """Make the copy of a layer's file *host* have these sites and those listed already."""
    inode = os.stat(host).st_ino
    diff, found, _ = host.partition("/diff/")
    if not found:
        return
    folder = f"{diff}/text"
    noted = f"{folder}/{inode}.sites"
    if sites <= _read_sites(noted):
        return
    import tempfile  # imported late: it is large, and most runs learn nothing

    os.makedirs(folder, mode=0o700, exist_ok=True)
    with (
        holding(f"{folder}/lock"),
        tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as draft,
    ):
        every = sites | _read_sites(noted)  # another container may have added sites
        _write_sites(f"{draft}/sites", every)
        try:
            build(host, f"{draft}/text", every)
            os.rename(f"{draft}/text", f"{folder}/{inode}")
        finally:  # list the sites even after a failure, so that it is not repeated
            os.rename(f"{draft}/sites", noted)


def build(source: str, dest: str, sites: Iterable[Site]) -> int:
    """Write the copy of an ELF file; return the number of rewritten sites."""
    rows = [{"offset": offset, "nr": number} for offset, number in sorted(sites)]
    done = ffi.new("uint32_t *")
    result = lib.sb_text_build(
        os.fsencode(source),
        os.fsencode(dest),
        ffi.new("struct sb_learned_site[]", rows),
        len(rows),
        done,
    )
    if result < 0:
        raise NativeError(-result, f"cannot rewrite {source}")
    return int(done[0])


def _read_sites(path: str) -> set[Site]:
    try:
        with open(path, encoding="ascii") as file:
            pairs = [line.split() for line in file]
    except FileNotFoundError:
        return set()
    return {(int(pair[0]), int(pair[1])) for pair in pairs if len(pair) == 2}


def _write_sites(path: str, sites: Iterable[Site]) -> None:
    with open(path, "x", encoding="ascii") as file:
        file.writelines(f"{offset} {number}\n" for offset, number in sorted(sites))
