# SPDX-License-Identifier: MIT
"""Copies of program files whose system call sites jump into the runtime.

How it works: guests note each call site of a layer file that trapped in the control
file. When a container ends, `learn` makes or renews a copy of those files with the
sites rewritten, beside the layer (``text/<inode number>``, with the sites it was made
from in ``text/<inode number>.sites``, one ``offset number`` a line). `attach` lists the
copies for the next container, whose programs map them in place of the originals.

Rules: all of this only saves time, so a full disk or a read-only store is no error. A
copy appears by rename; readers see a whole one or none. Who makes one holds ``text/lock``,
and the sites are noted last: a copy has at least the sites that are noted.
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
"""Offset behind the syscall instruction in the file, and the call's number."""

_USELESS = (errno.ENOSPC, errno.ENOEXEC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.ENOENT)


def attach(control_path: str, layer_dirs: Iterable[str]) -> None:
    """List the copies that the store has of these layers' files."""
    found = [entry for diff in layer_dirs for entry in _copies(text_dir(diff))]
    if not found:
        return
    with Tree.open(control_path) as tree:
        for inode, path in found:
            result = lib.sb_hosted_add_text(tree.handle, inode, os.fsencode(path))
            if result == -errno.ENOSPC:
                return


def text_dir(diff_dir: str) -> str:
    """Return the folder of a layer's copies."""
    return f"{os.path.dirname(diff_dir)}/text"


def _copies(folder: str) -> list[tuple[int, str]]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [(int(name), f"{folder}/{name}") for name in names if name.isdigit()]


def learn(control_path: str, holding: Holding) -> None:
    """Make the copies that the container's programs would have wanted.

    *holding* locks the file of a path, between processes, for a block.
    """
    try:
        for host, sites in learned(control_path).items():
            renew(host, sites, holding)
    except (OSError, NativeError) as exc:
        # Also when `rm -f` was faster and the control file is gone.
        if exc.errno not in _USELESS:
            raise


def learned(control_path: str) -> dict[str, set[Site]]:
    """Return the sites that the container's programs trapped at, by host file."""
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
    """Have a copy of a layer's file *host* with these sites, and those known already."""
    inode = os.stat(host).st_ino
    diff, found, _ = host.partition("/diff/")
    if not found:
        return
    folder = f"{diff}/text"
    noted = f"{folder}/{inode}.sites"
    if sites <= _read_sites(noted):
        return
    import tempfile  # large, and most runs learn nothing

    os.makedirs(folder, mode=0o700, exist_ok=True)
    with (
        holding(f"{folder}/lock"),
        tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as draft,
    ):
        every = sites | _read_sites(noted)  # another container may have ended meanwhile
        _write_sites(f"{draft}/sites", every)
        try:
            build(host, f"{draft}/text", every)
            os.rename(f"{draft}/text", f"{folder}/{inode}")
        finally:  # what cannot be rewritten is not tried again and again
            os.rename(f"{draft}/sites", noted)


def build(source: str, dest: str, sites: Iterable[Site]) -> int:
    """Write the copy of an ELF file; return how many sites jump now."""
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
