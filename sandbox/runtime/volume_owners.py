# SPDX-License-Identifier: MIT
"""Owners and modes of files in volumes, stored beside the volume between containers.

How it works: the owner table of a running container holds what a host file cannot. When the
container ends, the rows of a volume's files are written beside the volume. When another
container starts, it loads these rows, and its run directory keeps a copy. So an ending
container writes only its own changes over what others wrote meanwhile. Names are relative
to the volume.

Rules: the work is proportional to the volume. A file that the host describes correctly has
no row.

Does not know: where volumes lie, except for the path of the file.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from _thread import get_native_id
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.errors import NativeError
from sandbox.native.host_tree import HostTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sandbox.models.container import MountPoint
    from sandbox.native import core

_FILE = "owners.jsonl"
_Fact = tuple[int, int, int]  # uid, gid, mode


def _file_of(mount: MountPoint) -> str:
    return f"{os.path.dirname(mount.source)}/{_FILE}"


def _told(run_dir: str, mount: MountPoint) -> str:
    """Return the run's copy of the rows that it loaded for a volume."""
    import hashlib

    return f"{run_dir}/owners-{hashlib.sha256(os.fsencode(mount.target)).hexdigest()[:16]}"


def is_told(mount: MountPoint) -> bool:
    """Tell whether a mount has owners of its own beside those of the host's files."""
    return mount.type == "volume"


def restore(tree: core.Tree, mount: MountPoint, run_dir: str) -> None:
    """Load the stored owners of a volume's files into the container's table."""
    if not is_told(mount):
        return
    facts = _read(_file_of(mount))
    for name, fact in facts.items():
        with suppress(NativeError):
            _apply(tree, _below(os.fsencode(mount.target), name), fact)
    if facts:
        _write(_told(run_dir, mount), facts)


def _apply(tree: core.Tree, path: bytes, fact: _Fact) -> None:
    uid, gid, mode = fact
    status = tree.stat(path, follow=False)
    if (status.uid, status.gid) != (uid, gid):
        tree.chown(path, uid, gid)
    if not stat.S_ISLNK(status.mode) and stat.S_IMODE(status.mode) != mode:
        tree.chmod(path, mode)


def _read(path: str) -> dict[bytes, _Fact]:
    """Return the rows of a file; of a damaged file, the rows that can be read."""
    found = {}
    with suppress(FileNotFoundError), open(path, "rb") as file:
        for line in file:
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                row: dict[str, Any] = json.loads(line)
                found[row["p"].encode("latin-1")] = (row["u"], row["g"], row["m"])
    return found


def _write(path: str, facts: Mapping[bytes, _Fact]) -> None:
    with open(path, "w", encoding="ascii") as file:
        for name, (uid, gid, mode) in facts.items():
            row = {"p": name.decode("latin-1"), "u": uid, "g": gid, "m": mode}
            file.write(json.dumps(row) + "\n")


def save(tree: core.Tree, mount: MountPoint, run_dir: str) -> None:
    """Store the changes that the container made to the owners of a volume's files."""
    if mount.type != "volume" or mount.read_only:
        return
    top = os.fsencode(mount.target)
    present = [
        (path[len(top) :].lstrip(b"/"), (status.uid, status.gid, stat.S_IMODE(status.mode)))
        for path, status in _walk(tree, top)
    ]
    own = _unusual(mount, present)
    told = _read(_told(run_dir, mount))
    with suppress(FileNotFoundError):  # the volume was removed by force
        folder = os.open(os.path.dirname(mount.source), os.O_RDONLY | os.O_CLOEXEC)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(folder, fcntl.LOCK_EX)
            names = [name for name, _ in present]
            _replace(mount, merged(names, told, own, _read(_file_of(mount))))
        finally:
            os.close(folder)


def merged(
    names: Sequence[bytes],
    told: Mapping[bytes, _Fact],
    own: Mapping[bytes, _Fact],
    others: Mapping[bytes, _Fact],
) -> dict[bytes, _Fact]:
    """Return the rows to store for the existing files.

    A row that the container loaded (*told*) and did not change yields to those of *others*.

    >>> told, others = {b"a": (1, 1, 0), b"b": (1, 1, 0)}, {b"a": (1, 1, 0), b"b": (2, 2, 0)}
    >>> merged([b"a", b"b"], told, {b"a": (3, 3, 0), b"b": (1, 1, 0)}, others)
    {b'a': (3, 3, 0), b'b': (2, 2, 0)}
    """
    found = {}
    for name in names:
        before, mine, theirs = told.get(name), own.get(name), others.get(name)
        # A file that another container made may look as if its owner was reset here.
        chosen = theirs if mine == before or (mine is None and theirs != before) else mine
        if chosen is not None:
            found[name] = chosen
    return found


def write(mount: MountPoint, facts: Sequence[tuple[bytes, int, int, int]]) -> None:
    """Store (name, uid, gid, mode) of the files that the host describes differently."""
    _replace(mount, _unusual(mount, [(name, (uid, gid, mode)) for name, uid, gid, mode in facts]))


def _unusual(mount: MountPoint, facts: Sequence[tuple[bytes, _Fact]]) -> dict[bytes, _Fact]:
    """Return the rows that differ from the host's own files."""
    found = {}
    top, last = os.path.split(os.fsencode(mount.source))  # a volume of a build can be a file
    with suppress(FileNotFoundError), HostTree(top) as files:  # it was removed by force
        for name, (uid, gid, mode) in facts:
            plain = mode
            with suppress(OSError):
                plain = stat.S_IMODE(files.stat(_below(last, name)).st_mode)
            if (uid, gid) != (0, 0) or mode != plain:
                found[name] = (uid, gid, mode)
    return found


def _replace(mount: MountPoint, facts: Mapping[bytes, _Fact]) -> None:
    target = _file_of(mount)
    if not facts and not os.path.exists(target):
        return
    draft = f"{target}.{get_native_id()}"
    with suppress(FileNotFoundError):  # the volume was removed by force
        _write(draft, facts)
        os.replace(draft, target)


def _walk(tree: core.Tree, top: bytes) -> Iterator[tuple[bytes, core.TreeStat]]:
    pending = [top]
    while pending:
        path = pending.pop()
        try:
            status = tree.stat(path, follow=False)
            names = tree.list(path) if stat.S_ISDIR(status.mode) else []
        except NativeError:
            continue  # the tree changes meanwhile
        yield path, status
        pending += [_below(path, name) for name in names]


def _below(top: bytes, name: bytes) -> bytes:
    return top.rstrip(b"/") + b"/" + name if name else top
